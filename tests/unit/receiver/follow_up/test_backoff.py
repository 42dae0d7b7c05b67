"""When a failed step is tried again: pure arithmetic over times and dice that are handed in."""

import math

from hypothesis import given
from hypothesis import strategies as st

from antiphon.receiver.follow_up.backoff import Backoff, GivenUp, Postponed


def pause(backoff: Backoff, attempt: int, *, asked: float | None = None, dice: float = 0.5) -> float:
    verdict = backoff.after(attempt, now=1000.0, asked=asked, dice=dice)
    assert isinstance(verdict, Postponed)
    return verdict.until - 1000.0


def test_pauses_grow_up_to_the_longest() -> None:
    backoff = Backoff(first=5, factor=3, longest=100)
    assert [pause(backoff, attempt) for attempt in (1, 2, 3, 4, 5)] == [5, 15, 45, 100, 100]


def test_what_failed_together_is_not_tried_together() -> None:
    backoff = Backoff(first=10, spread=0.2)
    assert (pause(backoff, 1, dice=0.0), pause(backoff, 1, dice=0.75)) == (8.0, 11.0)


def test_the_last_try_is_the_last() -> None:
    verdict = Backoff(tries=3).after(3, now=0)
    assert verdict == GivenUp("after 3 tries; 'antiphon inbox retry' starts over")


def test_a_step_may_ask_for_its_own_pause_and_gets_at_least_that() -> None:
    assert pause(Backoff(), 1, asked=60, dice=0.0) == 60
    assert 60 < pause(Backoff(), 1, asked=60, dice=0.9) <= 72


def test_a_step_cannot_ask_for_longer_than_the_longest_nor_for_the_past() -> None:
    assert pause(Backoff(longest=100), 1, asked=1e9, dice=0.0) == 100
    assert pause(Backoff(), 1, asked=-5) == 0


@given(
    attempt=st.integers(1, 10**9),
    asked=st.none() | st.floats(),
    dice=st.floats(0, 1, exclude_max=True),
    tries=st.integers(1, 10**9),
)
def test_whatever_is_asked_the_next_try_lies_ahead_and_within_reach(
    attempt: int, asked: float | None, dice: float, tries: int
) -> None:
    backoff = Backoff(tries=tries)
    verdict = backoff.after(attempt, now=1e9, asked=asked, dice=dice)
    if isinstance(verdict, Postponed):
        assert math.isfinite(verdict.until)
        assert 1e9 <= verdict.until <= 1e9 + 1.2 * backoff.longest
    else:
        assert attempt >= tries
