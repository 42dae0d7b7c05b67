"""Time limits of a transfer: connecting, headers, stalls, and the stop signal."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.download.errors import DownloadStopped, TransferBroken

WAIT_SLICE_S = 0.25  # after which a wait looks whether it should go on
MIN_BYTES_PER_S = 1024  # bytes a second, over the whole of a stall time, below which a transfer counts as stalled


@dataclass(frozen=True)
class TransferLimits:
    """Seconds: ``connect`` for the name, each address and the TLS greeting, one by one; ``head`` until the answer's
    headers have come; ``stall`` for which next to nothing may come."""

    connect: float = 10.0
    head: float = 30.0
    stall: float = 30.0


class StallWatch:
    """Looks at each waiting whether to wait on. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], stop: threading.Event | None) -> None:
        self._clock = clock
        self._stop = stop
        self._what = ""
        self._since = self._until = 0.0
        self._stall: float | None = None
        self._came = 0

    def wait_for(self, what: str, seconds: float) -> None:
        """From now on ``what`` must be there within so many seconds."""
        self._what, self._stall = what, None
        self._until = self._clock() + seconds

    def keep_moving(self, what: str, stall: float) -> None:
        """From now on ``MIN_BYTES_PER_S`` bytes a second must come, over each ``stall`` seconds."""
        self._what, self._stall = what, stall
        self._until, self._came = self._clock() + stall, 0

    def came(self, size: int) -> None:
        self._came += size
        self.look()

    def look(self) -> None:
        """Raises ``DownloadStopped``, or ``TransferBroken`` when the time is up."""
        if self._stop is not None and self._stop.is_set():
            raise DownloadStopped
        now = self._clock()
        if now < self._until:
            return
        if self._stall is None:
            raise TransferBroken(f"{self._what} did not come in time")
        if self._came < MIN_BYTES_PER_S * self._stall:
            raise TransferBroken(f"{self._what} stalled: {self._came} bytes within {self._stall:g} s")
        self._until, self._came = now + self._stall, 0
