"""Timeline of an attempt: how long each phase took. The connection marks the phases of the attempt it is made for."""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class ConnectionUse(StrEnum):
    """The connection that an attempt was sent over. ``REPLACED``: a kept connection broke before an answer came, and
    the same bytes were sent again at once over a new one; the receiver may have got them twice."""

    NEW = "new"
    KEPT = "kept"
    REPLACED = "replaced"


@dataclass(frozen=True)
class PhaseTimes:
    """Milliseconds of each step; None for a step that was not needed or not reached. The step in which an attempt
    broke off counts until then. ``first_byte`` runs from the connection to the headers of the answer."""

    resolve: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None


class Timeline:
    """The marks of one attempt, in seconds of ``clock``. Each is set when its step begins."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.began = clock()
        self.addresses: list[str] = []
        self.headers: Mapping[str, str] = {}  # of the request, to which the HTTP client may still add some
        self.again = False
        self._start()

    def _start(self) -> None:
        self._asked: float | None = None
        self._dialled: float | None = None
        self._greeted: float | None = None
        self._connected: float | None = None
        self._answered: float | None = None

    def restart(self) -> None:
        """Mark that a request over a kept connection is sent again over a new one."""
        self.again = True
        self._start()

    def asked(self) -> None:
        """A connection is wanted: its name is looked up."""
        self._asked = self._clock()

    def dialled(self, address: str) -> None:
        """A socket is made for ``address:port``; there may be several, one address after the other."""
        self.addresses.append(address)
        if self._dialled is None:
            self._dialled = self._clock()

    def greeted(self) -> None:
        """The connection is made and the TLS handshake begins."""
        self._greeted = self._clock()

    def connected(self) -> None:
        """The request can be sent."""
        self._connected = self._clock()

    def answered(self) -> None:
        """The headers of the answer have come."""
        self._answered = self._clock()

    @property
    def is_connected(self) -> bool:
        return self._connected is not None

    @property
    def is_greeted(self) -> bool:
        return self._greeted is not None

    @property
    def over_kept(self) -> bool:
        """Whether the connection had been there before."""
        return self._connected is not None and self._dialled is None

    @property
    def connection(self) -> ConnectionUse | None:
        """None when there never was a connection."""
        if self.again:
            return ConnectionUse.REPLACED
        if self._connected is None:
            return None
        return ConnectionUse.KEPT if self._dialled is None else ConnectionUse.NEW

    @property
    def milliseconds(self) -> float:
        """Since the attempt began."""
        return (self._clock() - self.began) * 1000

    @property
    def phases(self) -> PhaseTimes:
        """As far as the attempt has got by now."""
        now = self._clock()
        if self.over_kept:
            return PhaseTimes(first_byte=_between(self._connected, self._answered or now))
        return PhaseTimes(
            resolve=_between(self._asked, self._dialled or now),
            connect=_between(self._dialled, self._greeted or self._connected or now),
            tls=_between(self._greeted, self._connected or now),
            first_byte=_between(self._connected, self._answered or now),
        )


def _between(start: float | None, end: float) -> float | None:
    return None if start is None else (end - start) * 1000


current: ContextVar[Timeline | None] = ContextVar("timeline", default=None)
"""Set before a request, in its own task: connections mark their steps in it."""
