"""Listing of an inbox's events and their state, without bodies and without locking out the worker."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from antiphon.contract.results import ResultKind
from antiphon.errors import NotFound, StorageError
from antiphon.receiver.inbox.events import Scheme
from antiphon.receiver.inbox.jobs import WorkState
from antiphon.receiver.inbox.key_trust import Refusals
from antiphon.receiver.inbox.key_trust import refusals as count_refusals
from antiphon.receiver.inbox.schema import FILE, connect

_SELECT = """
SELECT events.id, kind, task_id, version, code, length(body), received_at, repeats, repeated_at, scheme,
       state, attempt, steps_done, files, due_at, error, expires_at, failed
FROM events JOIN work ON work.event_id = events.id JOIN bodies ON bodies.event_id = events.id
"""


@dataclass(frozen=True)
class Entry:
    """An event with the state of its follow-ups, as in ``Event`` and ``Work``; ``size`` is its body's in bytes."""

    id: int
    kind: ResultKind
    task_id: str
    version: int
    code: int | None
    size: int
    received_at: float
    repeats: int
    repeated_at: float | None
    scheme: Scheme
    state: WorkState
    attempt: int
    steps_done: tuple[str, ...]
    files: Mapping[str, str]
    due_at: float
    error: str
    expires_at: float
    failed: bool


def latest(
    folder: Path,
    limit: int,
    *,
    states: Collection[str] = (),
    kinds: Collection[str] = (),
    task_id: str | None = None,
    event_id: int | None = None,
) -> list[Entry]:
    """The newest ``limit`` events that are in one of ``states`` and of ``kinds`` (none: of any), the oldest first;
    of one task only, or only the one with this number.

    Raises:
        NotFound: There is no inbox in ``folder``.
        StorageError: It cannot be read.
    """
    wanted: list[tuple[str, Collection[object]]] = [("state", states), ("kind", kinds)]
    wanted.append(("task_id", () if task_id is None else (task_id,)))
    wanted.append(("events.id", () if event_id is None else (event_id,)))
    conditions = [f"{column} IN ({', '.join('?' * len(values))})" for column, values in wanted if values]
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    values = [value for _, some in wanted for value in some]
    with _reading(folder) as connection:
        rows = connection.execute(f"{_SELECT} {where}ORDER BY events.id DESC LIMIT ?", (*values, limit)).fetchall()
    return [_entry(row) for row in reversed(rows)]


def counts(folder: Path) -> dict[WorkState, int]:
    """Number of events in each state; states without any are left out.

    Raises:
        NotFound: There is no inbox in ``folder``.
        StorageError: It cannot be read.
    """
    with _reading(folder) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM work GROUP BY state").fetchall())


def refusals(folder: Path) -> Refusals:
    """Callbacks that were refused because their signature was weaker than before. Raises as ``latest`` does."""
    with _reading(folder) as connection:
        return count_refusals(connection)


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / FILE
    if not path.is_file():
        raise NotFound(f"there is no inbox in {folder}: it would hold {FILE}; give the folder of 'antiphon receive'")
    try:
        with closing(connect(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StorageError(f"the inbox {folder} cannot be read: {error}") from error


def _entry(row: tuple[object, ...]) -> Entry:
    values = list(row)
    values[12:14] = tuple(json.loads(str(row[12]))), json.loads(str(row[13]))
    values[-1] = bool(values[-1])
    return Entry(*values)  # type: ignore[arg-type]
