"""Retry policy of calls: which may be repeated, and after how long. Pure."""

from dataclasses import dataclass

from antiphon.client.answers import ApiError, Unreachable

TEMPORARY_CODES = (430, 455, 408, 425)  # too frequent, maintenance, too slow, too early
REFUSED_CODES = (429, 430, 455)
"""Codes with which the request had no effect. 429 says that no credits are left, or too many tasks queued with us: more
of the same does not help, so it is told and not tried again."""


def had_no_effect(error: ApiError | Unreachable) -> bool:
    """Whether the API surely did nothing, so that any request may be sent again."""
    if isinstance(error, Unreachable):
        return not error.sent
    return error.answer_code in REFUSED_CODES


def is_temporary(error: ApiError | Unreachable) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, Unreachable):
        return True
    return error.answer_code in TEMPORARY_CODES or 500 <= error.answer_code < 600


@dataclass(frozen=True)
class Retries:
    """``tries`` of a call in all. The pauses between them double from ``first`` to ``longest`` seconds, with jitter;
    a ``Retry-After`` is waited for instead. ``patience`` bounds the pauses of one call together, in seconds: when the
    next one would exceed it, the call fails at once, and the error's ``retry_after`` says what the API asked for.
    """

    tries: int = 4
    first: float = 0.5
    longest: float = 10.0
    patience: float = 60.0

    def pause(self, attempt: int, error: ApiError | Unreachable, *, waited: float, chance: float) -> float | None:
        """Seconds until the next try after the ``attempt``-th has failed, None to fail. ``chance`` is random, 0–1."""
        if attempt >= self.tries or not is_temporary(error):
            return None
        pause = self.backoff(attempt, chance) if error.retry_after is None else error.retry_after * (1 + 0.1 * chance)
        return pause if waited + pause <= self.patience else None

    def backoff(self, attempt: int, chance: float) -> float:
        """Between half and the whole of the doubled pause, so that callers that failed together part."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt - 1, 60))
        return whole * (0.5 + 0.5 * chance)


NO_RETRIES = Retries(tries=1)
