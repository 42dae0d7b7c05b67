"""HTTP dates and ``Retry-After``, read tolerantly: no value raises an error."""

import math
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

MAX_SECONDS_DIGITS = 9
"""Digits of a ``Retry-After`` in seconds that are read as a number; more mean for ever."""


def parse_http_date(text: str) -> datetime | None:
    """The moment, in UTC where the text names no zone; None for what is no date, or one beyond the calendar."""
    try:
        moment = parsedate_to_datetime(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def format_http_date(moment: datetime) -> str:
    """The moment, which has a zone, as RFC 9110 §5.6.7 writes it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from ``now`` that ``Retry-After`` asks for (RFC 9110 §10.2.3: seconds or an HTTP date).

    Returns:
        0 for a date that has passed, infinity for a number beyond reason, None where it cannot be read.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= MAX_SECONDS_DIGITS else math.inf
    moment = parse_http_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())
