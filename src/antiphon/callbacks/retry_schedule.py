"""Retry schedule: when the next attempt is due, or that there is none. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

JITTER_SHARE = 0.2  # of the delay, either way: receivers that failed together are not asked together again
GONE_STATUS = 410  # the receiver says that it will never take this again


@dataclass(frozen=True)
class NextStep:
    """What becomes of a delivery after an attempt. ``delay`` is seconds from now, for ``pending`` only."""

    state: Literal["delivered", "stopped", "pending"]
    delay: float = 0.0


def acknowledged(status: int | None) -> bool:
    """2xx acknowledges; anything else, a redirect included, is a failed attempt."""
    return status is not None and 200 <= status < 300


def next_step(
    *,
    attempts: int,
    status: int | None,
    failed: bool,
    retry_after: float | None,
    delays: Sequence[float],
    chance: float,
) -> NextStep:
    """Decide after the ``attempts``-th attempt (1 is the first one).

    ``status`` is the HTTP status if one came; ``failed`` says that the attempt failed all the same, for example
    because the answer did not end in time. ``retry_after`` is what the receiver asked for, in seconds. ``delays``
    holds one delay per retry, in seconds. ``chance`` is uniform in [0, 1).
    """
    if acknowledged(status) and not failed:
        return NextStep("delivered")
    if status == GONE_STATUS or attempts > len(delays):
        return NextStep("stopped")
    return NextStep("pending", delay_of(delays[attempts - 1], retry_after, chance))


def delay_of(delay: float, retry_after: float | None, chance: float) -> float:
    """The delay with its jitter of ±20 %; or as the receiver asked, held between 1× and 2× of the delay."""
    if retry_after is None:
        return delay * (1 - JITTER_SHARE + 2 * JITTER_SHARE * chance)
    return min(max(retry_after, delay), 2 * delay)
