"""The listener's parts: server-sent events, the place in the stream, and the order of what was announced."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from antiphon.callbacks.ended_tasks import Cursor, parse_cursor
from antiphon.errors import BadParameter
from antiphon.listening.place import Place, default_path
from antiphon.listening.sse import ServerEvent, read


def test_events_are_read_with_their_names_data_and_last_id() -> None:
    stream = [
        *("event: ready", "id: 1-0", "data: {}", ""),
        *(": still here", ""),
        *("event: callback", "id: 2-1", "data: one", "data:two", "retry: 10", "unknown", ""),
        *("data: without a name or an id", ""),
        *("event: empty", ""),
        *("event: callback", "id: 3-1", "data: cut off"),
    ]
    assert list(read(stream)) == [
        ServerEvent("ready", "{}", "1-0"),
        ServerEvent("callback", "one\ntwo", "2-1"),
        ServerEvent("message", "without a name or an id", "2-1"),
    ]


def test_a_place_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "place.json"
    place = Place(path)
    assert place.last is None
    place.move("1-2")
    place.move("3-4")
    assert Place(path).last == "3-4"
    assert [one.name for one in path.parent.iterdir()] == ["place.json"]
    place.forget()
    place.forget()
    assert (place.last, Place(path).last) == (None, None)


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", "{}", '{"lastEventId": 5}', '{"lastEventId": "a\\nb"}', "\xff"]
)
def test_a_damaged_place_is_a_new_one(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "place.json"
    path.write_text(damage, encoding="latin-1")
    assert Place(path).last is None


def test_each_server_key_and_address_has_a_place_of_its_own_that_tells_no_key() -> None:
    paths = {
        default_path(server, key, to) for server in ("http://a", "http://b") for key in ("k", "l") for to in ("x", "y")
    }
    assert len(paths) == 8
    assert "secret" not in str(default_path("http://a", "ak_secret", "x"))


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(datetime(2026, 1, 31, 18, 0, 0, 123457, tzinfo=UTC), 42)
    assert parse_cursor(str(cursor), field="Last-Event-ID") == cursor
    assert cursor < Cursor(cursor.completed_at, 43) < Cursor(cursor.completed_at + timedelta(microseconds=1), 1)


@pytest.mark.parametrize("written", ["", "1", "-1", "a-b", "1-2-3", "1.5-2", "9" * 17 + "-1", "1-" + "9" * 19, "٣-1"])
def test_what_is_no_cursor_is_refused(written: str) -> None:
    with pytest.raises(BadParameter, match="Last-Event-ID: expected the id of an event"):
        parse_cursor(written, field="Last-Event-ID")


def test_every_cursor_that_can_be_written_is_a_time() -> None:
    assert parse_cursor("9" * 16 + "-1", field="Last-Event-ID").completed_at.year == 2286
