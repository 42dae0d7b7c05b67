"""When the next attempt is due, and when there is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.callbacks.retry_schedule import NextStep, delay_of, next_step
from antiphon.http_dates import parse_retry_after

DELAYS = (10.0, 60.0, 300.0)
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def after(attempts: int, status: int | None, *, failed: bool = True, retry_after: float | None = None) -> NextStep:
    return next_step(
        attempts=attempts, status=status, failed=failed, retry_after=retry_after, delays=DELAYS, chance=0.5
    )


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_acknowledges(status: int) -> None:
    assert after(1, status, failed=False) == NextStep("delivered")


def test_a_2xx_whose_answer_did_not_end_in_time_is_tried_again() -> None:
    assert after(1, 200, failed=True) == NextStep("pending", 10.0)


@pytest.mark.parametrize("status", [None, 100, 199, 301, 308, 400, 404, 429, 500, 503])
def test_everything_else_is_retried_three_times_and_then_stopped(status: int | None) -> None:
    assert [after(attempts, status) for attempts in (1, 2, 3, 4)] == [
        NextStep("pending", 10.0),
        NextStep("pending", 60.0),
        NextStep("pending", 300.0),
        NextStep("stopped"),
    ]


def test_410_stops_at_once() -> None:
    assert after(1, 410) == NextStep("stopped")


@pytest.mark.parametrize(
    ("asked", "given_"), [(0, 60.0), (1, 60.0), (60, 60.0), (90, 90.0), (120, 120.0), (1e9, 120.0)]
)
def test_retry_after_is_honoured_between_one_and_two_delays(asked: float, given_: float) -> None:
    assert after(2, 429, retry_after=asked) == NextStep("pending", given_)


@given(chance=st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_a_fifth(chance: float) -> None:
    assert 48.0 <= delay_of(60.0, None, chance) <= 72.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 2026 12:01:30 GMT", 90.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("１２", None),
        ("Thu, 99 Foo 2026", None),
        ("9" * 400, float("inf")),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_and_junk_is_ignored(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(value=st.text())
def test_no_retry_after_breaks_the_sender(value: str) -> None:
    parse_retry_after(value, NOW)
