"""Dates of strangers: read where they are dates, and never a fault."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http_dates import format_http_date, parse_http_date, parse_retry_after

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 30, math.inf),
        ("Sat, 28 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 28 Nov 2026 13:01:00 +0100", 60.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        ("Sat, 28 Nov 99999 12:01:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(
    st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [+-]?\d{0,5}", fullmatch=True)
)
def test_no_text_is_a_fault(text: str) -> None:
    parse_http_date(text)
    parse_retry_after(text, NOW)


def test_a_date_that_was_written_is_read_as_the_same() -> None:
    assert format_http_date(NOW) == "Sat, 28 Nov 2026 12:00:00 GMT"
    assert parse_http_date(format_http_date(NOW)) == NOW
