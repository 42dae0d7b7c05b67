"""The inbox: every callback that came, raw, in one SQLite file that survives a power cut."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from antiphon.errors import StorageError
from antiphon.receiver.payload import Kind, read
from antiphon.receiver.verify import Scheme

FILE = "inbox.sqlite3"
_BATCH = 100  # events read from the file at a time
_FORMAT = 1
_LAST = 2**63 - 1  # the largest id

_TABLES = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    task_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    code INTEGER,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    received_at REAL NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 0,
    repeated_at REAL,
    scheme TEXT NOT NULL,
    UNIQUE (kind, task_id, version),
    UNIQUE (kind, task_id, digest)
);
"""
_SELECT = """
SELECT id, kind, task_id, version, code, body, received_at, repeats, repeated_at, scheme
FROM events WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?
"""
_REPEAT = """
UPDATE events SET repeats = repeats + 1, repeated_at = :now, scheme = iif(scheme = '', :scheme, scheme)
WHERE kind = :kind AND task_id = :task_id AND digest = :digest RETURNING id
"""
_INSERT = """
INSERT INTO events (kind, task_id, version, code, digest, body, received_at, scheme)
SELECT :kind, :task_id,
       (SELECT coalesce(max(version), 0) + 1 FROM events WHERE kind = :kind AND task_id = :task_id),
       :code, :digest, :body, :now, :scheme
RETURNING id
"""


@dataclass(frozen=True)
class Event:
    """One outcome of one task. ``version`` is 1, and more when the same task came again with another outcome;
    ``repeats`` counts how often the same came again, the last time at ``repeated_at``. Times are Unix seconds.
    ``scheme`` is the signature that held, "standard" or "documented"; "" when it was taken without one."""

    id: int
    kind: Kind
    task_id: str
    version: int
    code: int | None
    body: bytes
    received_at: float
    repeats: int
    repeated_at: float | None
    scheme: str


class Inbox:
    """``folder`` is made if need be and holds ``inbox.sqlite3``. May be used from several threads and processes."""

    def __init__(self, folder: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = Path(folder)
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._connection = _open(self.folder / FILE)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"the inbox {self.folder} cannot be opened: {error}") from error

    def __enter__(self) -> "Inbox":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def add(self, body: bytes, *, scheme: Scheme | Literal[""] = "") -> tuple[Event, bool]:
        """Keep a callback's raw body; gives the event, and whether it is new. On disk when this returns.

        ``scheme`` says which signature held; when the same came unsigned before, it is verified by this one.

        Raises ``BadParameter`` when the body is no callback, ``StorageError`` when it cannot be kept.
        """
        row = vars(read(body)) | {"body": body, "now": self._clock(), "scheme": scheme}
        try:
            with self._lock, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                repeated = self._connection.execute(_REPEAT, row).fetchone()
                (identity,) = repeated or self._connection.execute(_INSERT, row).fetchone()
                found = self._connection.execute(_SELECT, (identity, identity, 1)).fetchone()
            return Event(*found), repeated is None
        except sqlite3.Error as error:
            raise StorageError(f"the callback cannot be kept in {self.folder}: {error}") from error

    def events(self, after: int = 0) -> Iterator[Event]:
        """Every event whose id is greater than ``after``, in the order in which they first came."""
        while True:
            with self._lock:
                rows = self._connection.execute(_SELECT, (after + 1, _LAST, _BATCH)).fetchall()
            for row in rows:
                yield Event(*row)
            if not rows:
                return
            after = rows[-1][0]

    def close(self) -> None:
        self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > _FORMAT:
        connection.close()
        raise StorageError(f"{path} was written by a newer Antiphon (format {found}); upgrade this one")
    if found < _FORMAT:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version = {_FORMAT}")
    connection.execute("PRAGMA synchronous = FULL")  # with WAL: an fsync at each commit
    return connection
