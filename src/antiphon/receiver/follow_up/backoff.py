"""Retry schedule of failed steps. Pure: time and dice are handed in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Postponed:
    """Try again at ``until``, Unix seconds."""

    until: float


@dataclass(frozen=True)
class GivenUp:
    """No further try by itself; ``why`` completes the error in words."""

    why: str


@dataclass(frozen=True)
class Backoff:
    """The pauses between tries: ``first`` seconds, then each ``factor`` times the one before, at most ``longest``.

    ``tries`` counts the first as well. Each pause is stretched or shortened by up to ``spread`` of itself, so that
    what failed together is not tried together again. With the defaults the last try comes after about 14 hours.
    """

    first: float = 5.0
    factor: float = 3.0
    longest: float = 3600.0
    tries: int = 20
    spread: float = 0.2

    def after(self, attempt: int, *, now: float, asked: float | None = None, dice: float = 0.5) -> Postponed | GivenUp:
        """The next try, or its absence, after a failed one. Whether links expire meanwhile is left to the step.

        Args:
            attempt: Number of the try that failed, from 1.
            now: Unix seconds.
            asked: Pause in seconds that the step asks for; never shortened, except to ``longest``.
            dice: Random number in [0, 1).
        """
        if attempt >= self.tries:
            return GivenUp(f"after {attempt} tries; 'antiphon inbox retry' starts over")
        pause = self.longest
        if asked is not None and asked == asked:  # not NaN
            pause = min(max(asked, 0.0), self.longest)
        elif attempt < 64:  # beyond, the power is larger than any pause
            pause = min(self.first * self.factor ** (attempt - 1), self.longest)
        stretch = 1 + self.spread * (2 * dice - 1) if asked is None else 1 + self.spread * dice
        return Postponed(now + pause * stretch)
