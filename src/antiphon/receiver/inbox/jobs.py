"""Follow-ups of events as rows: due, begun, done and failed."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from antiphon.errors import NotFound

WorkState = Literal["pending", "running", "done", "failed", "expired", "unread"]
"""``unread``: a success that this version does not understand; it waits for one that does."""

_FIND = """
SELECT work.event_id, state, attempt, tries, steps_done, files, due_at, error, expires_at, length(body)
FROM work JOIN bodies ON bodies.event_id = work.event_id WHERE work.event_id = ?
"""
_DUE = """
SELECT work.event_id, state, attempt, tries, steps_done, files, due_at, error, expires_at, length(body)
FROM work JOIN bodies ON bodies.event_id = work.event_id WHERE state = 'pending' AND due_at <= ? ORDER BY due_at LIMIT ?
"""


@dataclass(frozen=True)
class Work:
    """State of an event's follow-ups. Times are Unix seconds.

    ``attempt`` counts how often it was begun, ``tries`` likewise since it was given up and retried the last time.
    ``steps_done`` are the names of steps that are not run again, ``files`` what they put in place, by name, as paths
    relative to the inbox's folder. ``error`` says why the last attempt did not succeed, "" if none failed; ``size`` is
    that of the event's body in bytes.
    """

    event_id: int
    state: WorkState
    attempt: int
    tries: int
    steps_done: tuple[str, ...]
    files: Mapping[str, str]
    due_at: float
    error: str
    expires_at: float
    size: int


def find(connection: sqlite3.Connection, event_id: int) -> Work:
    """Raises ``NotFound``."""
    row = connection.execute(_FIND, (event_id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no event {event_id} in this inbox; 'antiphon inbox list' shows what there is")
    return _work(row)


def due(connection: sqlite3.Connection, now: float, limit: int) -> list[Work]:
    """What is pending and due, the longest due first."""
    return [_work(row) for row in connection.execute(_DUE, (now, limit))]


def next_due(connection: sqlite3.Connection) -> float | None:
    row = connection.execute("SELECT due_at FROM work WHERE state = 'pending' ORDER BY due_at LIMIT 1").fetchone()
    return None if row is None else float(row[0])


def begin(connection: sqlite3.Connection, event_id: int) -> Work:
    """Raises ``NotFound``."""
    connection.execute(
        "UPDATE work SET state = 'running', attempt = attempt + 1, tries = tries + 1 WHERE event_id = ?", (event_id,)
    )
    return find(connection, event_id)


def begin_pending(connection: sqlite3.Connection, event_id: int) -> Work | None:
    pending = "SELECT 1 FROM work WHERE event_id = ? AND state = 'pending'"
    return begin(connection, event_id) if connection.execute(pending, (event_id,)).fetchone() else None


def step_done(connection: sqlite3.Connection, event_id: int, step: str, files: Mapping[str, str]) -> None:
    work = find(connection, event_id)
    steps = [name for name in work.steps_done if name != step] + [step]
    connection.execute(
        "UPDATE work SET steps_done = ?, files = ? WHERE event_id = ?",
        (json.dumps(steps), json.dumps({**work.files, **files}), event_id),
    )


def settle(connection: sqlite3.Connection, event_id: int, state: WorkState, error: str, due_at: float | None) -> None:
    find(connection, event_id)
    connection.execute(
        "UPDATE work SET state = ?, error = ?, due_at = coalesce(?, due_at) WHERE event_id = ?",
        (state, error, due_at, event_id),
    )


def break_off(connection: sqlite3.Connection, event_id: int, error: str, due_at: float) -> None:
    settle(connection, event_id, "pending", error, due_at)
    connection.execute("UPDATE work SET tries = max(tries - 1, 0) WHERE event_id = ?", (event_id,))


def complete(connection: sqlite3.Connection, event_id: int, steps: Iterable[str], files: Mapping[str, str]) -> None:
    find(connection, event_id)
    connection.execute(
        "UPDATE work SET state = 'done', error = '', steps_done = ?, files = ? WHERE event_id = ?",
        (json.dumps(list(steps)), json.dumps(dict(files)), event_id),
    )


def retry(connection: sqlite3.Connection, event_ids: Iterable[int] | None, now: float) -> int:
    """Have what failed, expired or was not understood begun again, now; of ``event_ids`` also what waits."""
    change = "UPDATE work SET state = 'pending', tries = 0, due_at = :now WHERE "
    if event_ids is None:
        return connection.execute(change + "state IN ('failed', 'expired', 'unread')", {"now": now}).rowcount
    change += "event_id = :id AND state IN ('failed', 'expired', 'unread', 'pending')"
    return sum(connection.execute(change, {"now": now, "id": identity}).rowcount for identity in event_ids)


def recover(connection: sqlite3.Connection) -> int:
    return connection.execute("UPDATE work SET state = 'pending' WHERE state = 'running'").rowcount


def _work(row: tuple[int, WorkState, int, int, str, str, float, str, float, int]) -> Work:
    return Work(*row[:4], tuple(json.loads(row[4])), json.loads(row[5]), *row[6:])
