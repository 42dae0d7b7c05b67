"""How an engine says how far it is."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0–1) and the name of the stage, for example ``(0.4, "vocals")``."""


def silent(fraction: float, stage: str) -> None:
    """Tells nobody."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """A progress for one part of the work, which fills ``start``–``end`` of the whole."""
    return lambda fraction, stage: progress(start + (end - start) * fraction, stage)
