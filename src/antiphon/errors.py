"""Errors that Antiphon raises on purpose. Those that only one package raises stand in it:

    AntiphonError 500
        BadParameter 400
            BlockedAddress
        InvalidSignature 401
            Downgraded                  receiver.inbox.key_trust
        Unauthorized 401
        Forbidden 403
        NotFound 404
        MethodNotAllowed 405
        Conflict 409
        Expired 410
        TooLarge 413
        NotAudio 415
        TooManyQueued 429
        TooFrequent 430
        Maintenance 455
        DatabaseError
        EngineError
            EngineTimeout
            PlayerDied                  playback.players
        SettingsError
        StorageError
            LetGo                       receiver.inbox.group_commit
            Unreadable                  receiver.inbox.large_body
        WeightsError
        ApiError                        client.answers
        NotEnded                        client.answers
        Unreachable                     client.answers
        DownloadError                   download.errors
            DownloadRefused 400         download.errors
            LinkExpired 410             download.errors
            DownloadStopped             download.errors
            NoSpace                     download.errors
            TransferBroken              download.errors
        ReceiverAway                    listening.forward
        Lost                            listening.listener
        Refused                         listening.listener
        TooSlow 408                     http_server.bodies
        Busy 503                        http_server.bodies

The number is the class's ``code``: the contract's code, which is also the HTTP status of the answer that reports it.
One without a number has that of the class above. A class's docstring is its default message."""

from typing import ClassVar


class AntiphonError(Exception):
    """Something went wrong on our side. Try again; if it stays, look at the server's log."""

    code: ClassVar[int] = 500

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip()
        self.retry_after = retry_after
        super().__init__(self.message)


class BadParameter(AntiphonError):
    """A parameter is missing or wrong."""

    code = 400


class Unauthorized(AntiphonError):
    """No valid API key: send the header 'Authorization: Bearer <api key>'. 'antiphon keys create' makes one."""

    code = 401


class Forbidden(AntiphonError):
    """This API key may not do that: it is no admin. 'antiphon keys create NAME --admin' makes one that is."""

    code = 403


class NotFound(AntiphonError):
    """There is nothing here. Check the task id, file or path."""

    code = 404


class MethodNotAllowed(AntiphonError):
    """This path does not take that HTTP method."""

    code = 405


class Conflict(AntiphonError):
    """The request does not fit the present state of what it refers to."""

    code = 409


class Expired(AntiphonError):
    """This has passed its retention time and was deleted."""

    code = 410


class TooLarge(AntiphonError):
    """The file is too large or too long."""

    code = 413


class NotAudio(AntiphonError):
    """The file holds no audio that can be decoded. Send MP3, WAV, FLAC, AAC/M4A, Ogg, Opus or a video with sound."""

    code = 415


class TooManyQueued(AntiphonError):
    """Too many tasks are queued for this API key. Wait until some have finished."""

    code = 429


class TooFrequent(AntiphonError):
    """Calls are too frequent. Wait for the time in 'Retry-After'."""

    code = 430


class Maintenance(AntiphonError):
    """The server takes no new tasks for the moment: it is being maintained. Try again later."""

    code = 455


class EngineError(AntiphonError):
    """A music engine failed."""


class EngineTimeout(EngineError):
    """A music engine ran longer than its time limit (ANTIPHON_ENGINE_TIMEOUT)."""


class WeightsError(AntiphonError):
    """The weights of an engine are missing or damaged. Run 'antiphon models fetch'."""


class DatabaseError(AntiphonError):
    """The database cannot be used."""


class StorageError(AntiphonError):
    """The artifact storage cannot be used."""

    told = "the server's storage cannot be used at the moment; try again later, its log says why"
    """What a client is told: the message is for the operator, and names places of the server."""

    def __init__(
        self, message: str | None = None, *, retry_after: float | None = None, told: str | None = None
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.told = told or self.told


class SettingsError(AntiphonError):
    """A setting is unknown or wrong."""


class BlockedAddress(BadParameter):
    """This address may not be connected to. ANTIPHON_CALLBACK_ALLOW lists exceptions."""


class InvalidSignature(AntiphonError):
    """The signature of this callback is not valid."""

    code = 401
