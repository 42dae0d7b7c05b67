"""Inboxes that were written by older versions."""

import sqlite3
from pathlib import Path

from antiphon.receiver.inbox.inbox import Arrival, Inbox

FORMAT_1 = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, task_id TEXT NOT NULL, version INTEGER NOT NULL,
    code INTEGER, digest BLOB NOT NULL, body BLOB NOT NULL, received_at REAL NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 0, repeated_at REAL, scheme TEXT NOT NULL,
    UNIQUE (kind, task_id, version), UNIQUE (kind, task_id, digest)
);
PRAGMA user_version = 1;
"""
DONE = b'{"code": 200, "taskId": "a", "data": {"instruments": [{}]}}'
FAILED = b'{"code": 500, "msg": "one", "taskId": "b", "data": {"instruments": []}}'
FAILED_ELSE = b'{"code": 500, "msg": "two", "taskId": "b", "data": {"instruments": []}}'
DEEP = b'{"a":' * 80 + b"1" + b"}" * 80


def write(path: Path) -> None:
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("PRAGMA journal_mode = WAL")
    old.executescript(FORMAT_1)
    rows = [
        ("midi", "a", 1, 200, b"1", DONE, 100.0, 2, 120.0, "standard"),
        ("midi", "b", 1, 500, b"2", FAILED, 130.0, 0, None, "documented"),
        ("midi", "b", 2, 500, b"3", FAILED_ELSE, 140.0, 1, 150.0, ""),
        ("unknown", "", 1, None, b"4", DEEP, 160.0, 0, None, ""),
    ]
    old.executemany(
        "INSERT INTO events (kind, task_id, version, code, digest, body, received_at, repeats, repeated_at, scheme)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    old.close()


def test_what_an_older_version_kept_is_all_there_and_counts_as_seen_to(tmp_path: Path) -> None:
    write(tmp_path / "inbox.sqlite3")
    with Inbox(tmp_path) as inbox:
        events = list(inbox.events())
        assert [(event.id, event.task_id, event.body, event.repeats, event.scheme) for event in events] == [
            (1, "a", DONE, 2, "standard"),
            (2, "b", FAILED, 2, "documented"),
            (4, "", DEEP, 0, ""),
        ]
        assert (events[0].received_at, events[0].repeated_at) == (100, 120)
        assert inbox.arrivals(2) == [Arrival(130, "documented", None), Arrival(140, "", FAILED_ELSE)]
        assert {inbox.work(event.id).state for event in events} == {"done"}
        assert inbox.pending() == []
        event, new = inbox.add(DONE.replace(b" ", b""))
        assert (event.id, new) == (1, False)
        assert inbox.add(b'{"taskId": "new"}')[0].id > 4
    with Inbox(tmp_path) as again:
        assert len(list(again.events())) == 4


def test_format_2_learns_what_failed(tmp_path: Path) -> None:
    link = b'{"code": 200, "data": {"task_id": "%s", "video_url": "%s"}}'
    bodies = [DONE, FAILED, link % (b"c", b"https://a.example/v"), link % (b"d", b"file:///v")]
    with Inbox(tmp_path) as inbox:
        for body in bodies:
            inbox.add(body)
    old = sqlite3.connect(tmp_path / "inbox.sqlite3", isolation_level=None)
    for statement in (
        "DROP TABLE forgotten",
        "DROP TABLE standard_keys",
        "ALTER TABLE events DROP COLUMN failed",
        "PRAGMA user_version = 2",
    ):
        old.execute(statement)
    old.close()
    with Inbox(tmp_path) as inbox:
        assert [(event.failed, event.body) for event in inbox.events()] == list(
            zip((False, True, False, True), bodies, strict=True)
        )
        inbox.finish(1)
        assert inbox.prune(0) == 0


def test_two_that_open_an_old_inbox_at_once_bring_it_up_to_date_once(tmp_path: Path) -> None:
    write(tmp_path / "inbox.sqlite3")
    with Inbox(tmp_path) as one, Inbox(tmp_path) as two:
        assert list(one.events()) == list(two.events())
