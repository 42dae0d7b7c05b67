"""Events of an inbox as rows: the outcomes of each task, and every arrival of them."""

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from antiphon.contract.results import ResultKind
from antiphon.receiver.inbox.payload import Payload
from antiphon.receiver.inbox.schema import LINK_LIFETIME_S

Scheme = Literal["standard", "documented", "polled", ""]
"""The signature that held; "polled" for what came from asking the API, "" for what came without a signature."""

_RANK = ("", "documented", "polled", "standard")  # the first two may have been written by anybody
_SELECT = """
SELECT id, kind, task_id, version, code, body, received_at, repeats, repeated_at, scheme, failed
FROM events JOIN bodies ON event_id = id WHERE
"""
_PAGE_EVENTS, _PAGE_BYTES = 50, 4_000_000
_BEGIN_AGAIN = """
UPDATE work SET state = 'pending', tries = 0, due_at = ? WHERE event_id = ? AND state IN ('failed', 'expired', 'unread')
"""
_FORGET = """
INSERT INTO forgotten SELECT task_id, kind, version FROM events WHERE id = ?
ON CONFLICT DO UPDATE SET version = max(version, excluded.version)
"""
_DELETE = (
    "DELETE FROM arrivals WHERE event_id = ?",
    "DELETE FROM work WHERE event_id = ?",
    "DELETE FROM bodies WHERE event_id = ?",
    "DELETE FROM events WHERE id = ?",
)


@dataclass(frozen=True)
class Event:
    """One outcome of one task. ``version`` is 1, and more when the same task came again with another outcome;
    ``repeats`` counts how often the same came again, the last time at ``repeated_at``. Times are Unix seconds.

    ``scheme`` is the most trustworthy way in which it came, and ``body`` the raw bytes that came so: "standard" and
    "documented" are the signatures, "polled" is asking the API; "" when nobody has signed it. ``failed`` is whether
    the task did, by its code, its state, or a link that is missing or none.
    """

    id: int
    kind: ResultKind
    task_id: str
    version: int
    code: int | None
    body: bytes
    received_at: float
    repeats: int
    repeated_at: float | None
    scheme: Scheme
    failed: bool = False


@dataclass(frozen=True)
class Arrival:
    """One time that an event was told. ``body`` is None where its bytes were those of the event."""

    received_at: float
    scheme: Scheme
    body: bytes | None


def keep(
    connection: sqlite3.Connection, payload: Payload, body: bytes, scheme: Scheme, now: float
) -> tuple[Event, bool]:
    """Put in what came; gives the event, and whether it is new."""
    found = _same(connection, payload)
    if found is None:
        return _insert(connection, payload, body, scheme, now), True
    _repeat(connection, found, body, scheme, now)
    (event,) = select(connection, "id = ?", (found,))
    return event, False


def select(connection: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Event]:
    """``where`` is SQL of ours."""
    return [_event(row) for row in connection.execute(_SELECT + where, values)]


def page(connection: sqlite3.Connection, after: int) -> list[Event]:
    """The next events whose id is greater, as many as do not take much memory; none when there are no more."""
    found: list[Event] = []
    size = 0
    with contextlib.closing(connection.execute(f"{_SELECT} id > ? ORDER BY id LIMIT ?", (after, _PAGE_EVENTS))) as rows:
        for row in rows:
            found.append(_event(row))
            size += len(found[-1].body)
            if size > _PAGE_BYTES:
                break
    return found


def arrivals(connection: sqlite3.Connection, event_id: int) -> list[Arrival]:
    rows = connection.execute(
        "SELECT received_at, scheme, body FROM arrivals WHERE event_id = ? ORDER BY id", (event_id,)
    )
    return [Arrival(*row) for row in rows]


def prune(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """Delete at most ``limit`` events that are done or expired and were last told before then."""
    chosen = connection.execute(
        "SELECT id FROM events JOIN work ON event_id = id WHERE state IN ('done', 'expired')"
        " AND coalesce(repeated_at, received_at) < ? ORDER BY id LIMIT ?",
        (before, limit),
    ).fetchall()
    connection.executemany(_FORGET, chosen)
    for statement in _DELETE:
        connection.executemany(statement, chosen)
    return len(chosen)


def reread(connection: sqlite3.Connection, event_id: int, payload: Payload) -> bool:
    """Record what a newer version makes of an event that was not understood; False where the same outcome is there
    already, told again since."""
    values = (payload.kind, payload.task_id, payload.code, payload.digest, payload.failed, event_id)
    change = "UPDATE events SET kind = ?, task_id = ?, code = ?, digest = ?, failed = ? WHERE id = ?"
    try:
        connection.execute(change, values)
    except sqlite3.IntegrityError:
        return False
    return True


def _event(row: tuple[Any, ...]) -> Event:
    return Event(*(*row[:-1], bool(row[-1])))


def _same(connection: sqlite3.Connection, payload: Payload) -> int | None:
    """A failure may come without the field that tells its kind: it is the same failure of the same task."""
    kinds = (payload.kind, "unknown") if payload.failed and payload.kind != "unknown" else (payload.kind,)
    any_kind = payload.failed and payload.kind == "unknown"
    rows = connection.execute(
        "SELECT id, kind FROM events WHERE task_id = ? AND digest = ? ORDER BY id", (payload.task_id, payload.digest)
    )
    return next((int(identity) for identity, kind in rows if any_kind or kind in kinds), None)


def _insert(connection: sqlite3.Connection, payload: Payload, body: bytes, scheme: Scheme, now: float) -> Event:
    (version,) = connection.execute(
        "SELECT coalesce(max(version), 0) + 1 FROM (SELECT version, task_id, kind FROM events UNION ALL"
        " SELECT version, task_id, kind FROM forgotten) WHERE task_id = ? AND kind = ?",
        (payload.task_id, payload.kind),
    ).fetchone()
    identity = connection.execute(
        "INSERT INTO events (kind, task_id, version, code, digest, received_at, scheme, failed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (payload.kind, payload.task_id, version, payload.code, payload.digest, now, scheme, payload.failed),
    ).lastrowid
    assert identity is not None
    connection.execute("INSERT INTO bodies (event_id, body) VALUES (?, ?)", (identity, body))
    connection.execute("INSERT INTO arrivals (event_id, received_at, scheme) VALUES (?, ?, ?)", (identity, now, scheme))
    connection.execute(
        "INSERT INTO work (event_id, state, due_at, expires_at) VALUES (?, 'pending', ?, ?)",
        (identity, now, now + LINK_LIFETIME_S),
    )
    return Event(
        identity, payload.kind, payload.task_id, version, payload.code, body, now, 0, None, scheme, payload.failed
    )


def _repeat(connection: sqlite3.Connection, identity: int, body: bytes, scheme: Scheme, now: float) -> None:
    """Note that it came again. Bytes that differ are kept, and take the first place when they came by a better way
    or the follow-ups still need them: links may have been signed anew, and then expire later. What had failed with the
    old ones is begun again with these."""
    had, same, state = connection.execute(
        "SELECT scheme, body = ?, state FROM events JOIN bodies ON bodies.event_id = id JOIN work ON work.event_id = id"
        " WHERE id = ?",
        (body, identity),
    ).fetchone()
    better = _RANK.index(scheme) - _RANK.index(had)
    takes_over = not same and (better > 0 or (better == 0 and state != "done"))
    if takes_over:
        connection.execute(
            "UPDATE arrivals SET body = (SELECT body FROM bodies WHERE event_id = :id) WHERE id ="
            " (SELECT max(id) FROM arrivals WHERE event_id = :id AND body IS NULL)",
            {"id": identity},
        )
        connection.execute("UPDATE bodies SET body = ? WHERE event_id = ?", (body, identity))
        connection.execute(_BEGIN_AGAIN, (now, identity))
        if scheme in ("standard", "polled"):  # else somebody else may have put these links there
            connection.execute("UPDATE work SET expires_at = ? WHERE event_id = ?", (now + LINK_LIFETIME_S, identity))
    connection.execute(
        "INSERT INTO arrivals (event_id, received_at, scheme, body) VALUES (?, ?, ?, ?)",
        (identity, now, scheme, None if same or takes_over else body),
    )
    connection.execute(
        "UPDATE events SET repeats = repeats + 1, repeated_at = ?, scheme = ? WHERE id = ?",
        (now, scheme if better > 0 else had, identity),
    )
