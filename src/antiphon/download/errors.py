"""Errors of downloads. ``retryable`` says whether the same call may succeed later; it then resumes."""

from typing import ClassVar

from antiphon.errors import AntiphonError


class DownloadError(AntiphonError):
    """The download failed."""

    retryable: ClassVar[bool] = False


class TransferBroken(DownloadError):
    """The transfer broke off. What has come is kept; try again and it goes on from there."""

    retryable = True


class NoSpace(DownloadError):
    """There is no room on the disk for this file. What has come is kept; free some space and try again."""

    retryable = True


class DownloadStopped(DownloadError):
    """The download was stopped. What has come is kept; try again and it goes on from there."""

    retryable = True


class LinkExpired(DownloadError):
    """The link has expired: the sender has deleted the file."""

    code = 410


class DownloadRefused(DownloadError):
    """This will not be downloaded, now or later."""

    code = 400
