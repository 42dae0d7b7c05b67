"""Progress of an engine: a fraction and the stage it is in."""

import threading
from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0–1) and the name of the stage, for example ``(0.4, "vocals")``."""


def silent(fraction: float, stage: str) -> None:
    """Progress that is reported nowhere."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """A progress for one part of the work, which fills ``start``–``end`` of the whole."""
    return lambda fraction, stage: progress(start + (end - start) * fraction, stage)


class Together:
    """The progress of ``count`` pieces of work that go on side by side; the stage is the piece that got on last."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress = progress
        self._count = count
        self._done: dict[str, float] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Progress:
        """The progress of one of them, which may be called in a thread of its own."""

        def report(fraction: float, stage: str) -> None:
            with self._lock:
                self._done[name] = fraction
                self._progress(sum(self._done.values()) / self._count, name)

        return report
