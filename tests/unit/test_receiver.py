"""The inbox: what is kept of callbacks, and what of those is new."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from antiphon.errors import StorageError
from antiphon.receiver.inbox import Inbox
from antiphon.receiver.payload import read


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.mark.parametrize(
    ("body", "kind", "task_id"),
    [
        ({"taskId": "a", "data": {"instruments": []}}, "midi", "a"),
        ({"data": {"taskId": "a", "state": "failed", "instruments": None}}, "midi", "a"),
        ({"task_id": "a", "instruments": [1]}, "midi", "a"),
        ({"data": {"task_id": "a", "video_url": None}}, "video", "a"),
        ({"data": {"task_id": "a", "vocal_removal_info": {}}}, "separation", "a"),
        ({"data": {"task_id": 12}}, "unknown", "12"),
        ({"taskId": "", "data": {"task_id": "b"}}, "unknown", "b"),
        ({"data": None}, "unknown", ""),
    ],
)
def test_kind_and_task_are_found_wherever_the_sender_put_them(body: dict[str, Any], kind: str, task_id: str) -> None:
    payload = read(json.dumps(body).encode())
    assert (payload.kind, payload.task_id) == (kind, task_id)


def test_the_same_outcome_again_is_counted_and_another_is_a_new_version(inbox: Inbox) -> None:
    failed = b'{"code": 500, "taskId": "a", "data": {"instruments": []}}'
    same = b'{"data":{"instruments":[]},"taskId":"a","code":500}'
    done = b'{"code": 200, "taskId": "a", "data": {"instruments": [{}]}}'
    news = [inbox.add(body)[1] for body in (failed, same, done, failed, done)]
    assert news == [True, False, True, False, False]
    events = list(inbox.events())
    assert [(event.version, event.code, event.body, event.repeats) for event in events] == [
        (1, 500, failed, 2),
        (2, 200, done, 1),
    ]
    assert events[0].repeated_at is not None


def test_the_inbox_is_the_same_after_it_was_opened_again_and_reads_on_from_where_one_stopped(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        for number in range(250):
            inbox.add(json.dumps({"taskId": str(number)}).encode())
    with Inbox(tmp_path) as inbox:
        events = list(inbox.events())
        assert [event.task_id for event in events] == [str(number) for number in range(250)]
        assert [event.task_id for event in inbox.events(after=events[247].id)] == ["248", "249"]


def test_a_file_that_is_no_inbox_or_a_newer_one_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inbox.sqlite3").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        Inbox(tmp_path / "a")
    Inbox(tmp_path / "b").close()
    newer = sqlite3.connect(tmp_path / "b" / "inbox.sqlite3")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageError, match="newer"):
        Inbox(tmp_path / "b")
