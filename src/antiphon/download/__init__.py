"""Robust downloads: resumed after a break or a restart, checked, and moved into place only when whole."""

from antiphon.download.downloader import Downloader, Progress
from antiphon.download.errors import (
    DownloadError,
    DownloadRefused,
    DownloadStopped,
    LinkExpired,
    NoSpace,
    TransferBroken,
)
from antiphon.download.media import Expected
from antiphon.download.partial import discard, finished

__all__ = [
    "DownloadError",
    "DownloadRefused",
    "DownloadStopped",
    "Downloader",
    "Expected",
    "LinkExpired",
    "NoSpace",
    "Progress",
    "TransferBroken",
    "discard",
    "finished",
]
