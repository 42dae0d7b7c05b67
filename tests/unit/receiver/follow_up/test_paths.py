"""File names from hostile ids."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.receiver.follow_up.paths import MAX_NAME_CHARS, folder_of, safe
from antiphon.receiver.inbox.inbox import Event

PLAIN = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
HOSTILE = [
    *("../../etc/passwd", "..", ".", "/etc/passwd", "a/b", "a\\b", "C:\\x", "~root", "-rf", ".hidden", "a.", "a "),
    *("con", "NUL", "com1", "lpt9.txt", "a\x00b", "a\nb", "\ud800", "é", "e\u0301", "ＡＢ", "名", "", "x" * 5000),
]


def event(task_id: str, version: int = 1) -> Event:
    return Event(7, "midi", task_id, version, 200, b"{}", 0.0, 0, None, "")


@pytest.mark.parametrize("text", [PLAIN, "task-1", "a_b", "0", "vocal", "backing_vocals"])
def test_ids_as_we_and_others_make_them_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_id_gets_a_name_that_every_file_system_takes(tmp_path: Path, text: str) -> None:
    name = safe(text)
    assert len(name) <= MAX_NAME_CHARS
    folder = tmp_path / name
    folder.mkdir()
    assert folder.resolve().parent == tmp_path.resolve()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_different_ids_never_share_a_name() -> None:
    ids = [*HOSTILE, PLAIN, PLAIN.upper(), "a-b", "A-b", "A-B", "a:b", "E", "e", *(safe(text) for text in HOSTILE)]
    assert len({safe(text) for text in ids}) == len(ids)


@given(text=st.text())
@example(text="a--0123456789ab")
def test_a_name_holds_nothing_but_small_letters_digits_and_two_marks(text: str) -> None:
    name = safe(text)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert name[0] not in "-_"
    assert len(name) <= MAX_NAME_CHARS
    assert name == text or safe(name) != name


def test_versions_and_events_without_a_task_have_folders_of_their_own(tmp_path: Path) -> None:
    assert folder_of(tmp_path, event(PLAIN)) == tmp_path / "midi" / PLAIN
    assert folder_of(tmp_path, event(PLAIN, 3)) == tmp_path / "midi" / f"{PLAIN}.v3"
    assert folder_of(tmp_path, event("")) == tmp_path / "midi" / "event.7"
    assert safe("event.7") != "event.7"
