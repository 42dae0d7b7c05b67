"""Points in time as people write them."""

from datetime import UTC, datetime

import pytest

from antiphon.contract.moments import parse_moment
from antiphon.errors import BadParameter

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90s", datetime(2026, 2, 1, 11, 58, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 2, 1, 11, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 2, 1, 10, 0, tzinfo=UTC)),
        (" 3d ", datetime(2026, 1, 29, 12, 0, tzinfo=UTC)),
        ("2026-01-31T18:00Z", datetime(2026, 1, 31, 18, 0, tzinfo=UTC)),
        ("2026-01-31T18:00+02:00", datetime(2026, 1, 31, 16, 0, tzinfo=UTC)),
        ("2026-01-31 18:00", datetime(2026, 1, 31, 18, 0, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_time_ago_and_a_time_by_the_calendar_are_understood(written: str, meant: datetime) -> None:
    assert parse_moment(written, NOW, field="--since") == meant


@pytest.mark.parametrize("written", ["", "yesterday", "2", "-2h", "2 hours", "999999d", "2026-13-01", "٣h"])
def test_anything_else_is_refused_in_words_that_name_the_field(written: str) -> None:
    with pytest.raises(BadParameter, match="--since: expected a time such as"):
        parse_moment(written, NOW, field="--since")


def test_the_future_is_refused() -> None:
    with pytest.raises(BadParameter, match="--until: 2026-02-02 lies in the future"):
        parse_moment("2026-02-02", NOW, field="--until")
