"""Points in time as people type them: ``90s``, ``30m``, ``2h`` or ``3d`` ago, or ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

from antiphon.errors import BadParameter

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_moment(text: str, now: datetime, *, field: str) -> datetime:
    """The point in time that ``text`` means; ``now`` has a zone. A time without a zone is taken as UTC.

    Raises:
        BadParameter: It is no point in time, or lies in the future; the message names ``field``.
    """
    written = text.strip()
    ago = _AGO.fullmatch(written)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(written)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadParameter(
            f"{field}: expected a time such as 90s, 30m, 2h or 3d (ago) or 2026-01-31T18:00Z (got {text[:40]!r})"
        ) from None
    if moment > now:
        raise BadParameter(
            f"{field}: {written} lies in the future (it is {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} now)"
        )
    return moment


def milliseconds(moment: datetime | None) -> int | None:
    """Unix milliseconds, as records give times."""
    return None if moment is None else int(moment.timestamp() * 1000)
