"""Schema of the inbox's file: tables, opening, and upgrades of older formats."""

import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from antiphon.durable_files import sync_folder
from antiphon.errors import BadParameter, StorageError
from antiphon.private_files import is_wide, narrow
from antiphon.private_files import make_folder as make_private_folder
from antiphon.receiver.inbox.payload import read

log = logging.getLogger("antiphon.receiver")

FILE = "inbox.sqlite3"
_FILES = (FILE, f"{FILE}-wal", f"{FILE}-shm", "worker.lock")
FORMAT_VERSION = 4
LINK_LIFETIME_S = 14 * 86_400.0  # from the first receipt to the expiry of what the links lead to

LOCK_TIMEOUT_S = 30.0  # seconds to wait for another process that writes
_MAX_LOG_BYTES = 64_000_000  # bytes of the write-ahead log that are kept when it starts anew

# A version is never given twice, so that a new outcome never finds the folder of one that was forgotten.
_FORGOTTEN = """
CREATE TABLE forgotten (
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (task_id, kind)
) WITHOUT ROWID
"""
_STANDARD_KEYS = """
CREATE TABLE standard_keys (
    fingerprint BLOB PRIMARY KEY,
    since REAL NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    refused_at REAL
) WITHOUT ROWID
"""
# What is looked up often stands apart from the bodies, which may be large: SQLite reads rows whole.
_TABLES = (
    _FORGOTTEN,
    _STANDARD_KEYS,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        task_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        code INTEGER,
        digest BLOB NOT NULL,
        received_at REAL NOT NULL,
        repeats INTEGER NOT NULL DEFAULT 0,
        repeated_at REAL,
        scheme TEXT NOT NULL,
        failed INTEGER NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX outcomes ON events (task_id, digest, kind)",
    "CREATE TABLE bodies (event_id INTEGER PRIMARY KEY REFERENCES events, body BLOB NOT NULL)",
    """
    CREATE TABLE arrivals (
        id INTEGER PRIMARY KEY,
        event_id INTEGER NOT NULL REFERENCES events,
        received_at REAL NOT NULL,
        scheme TEXT NOT NULL,
        body BLOB
    )
    """,
    "CREATE INDEX arrivals_of_event ON arrivals (event_id)",
    """
    CREATE TABLE work (
        event_id INTEGER PRIMARY KEY REFERENCES events,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        steps_done TEXT NOT NULL DEFAULT '[]',
        files TEXT NOT NULL DEFAULT '{}',
        due_at REAL NOT NULL,
        error TEXT NOT NULL DEFAULT '',
        expires_at REAL NOT NULL
    )
    """,
    "CREATE INDEX work_to_do ON work (due_at) WHERE state = 'pending'",
    "CREATE INDEX work_begun ON work (event_id) WHERE state = 'running'",
)


def make_folder(folder: Path) -> None:
    """Make the inbox's folder for its owner alone, and have that outlast a power cut too; what SQLite puts in it,
    SQLite sees to. What others can read of an older inbox is closed to them, and logged."""
    for path in make_private_folder(folder):
        sync_folder(path.parent)
    files = [path for name in _FILES if (path := folder / name).exists()]
    try:
        ours = bool(files) or not any(folder.iterdir())  # no inbox yet, but a folder of other things: left as it is
        narrowed = [str(path) for path in ([folder] if ours else []) + files if narrow(path)]
    except OSError as error:
        log.warning("the inbox %s can be read by others, and that cannot be changed: %s", folder, error)
        return
    if narrowed:
        log.warning("others could read callbacks; now only this user can: %s", ", ".join(narrowed))
    elif not ours and is_wide(folder):
        log.warning(
            "others may look into %s, whose other files are not the inbox's: give it a folder of its own", folder
        )


def connect(path: Path) -> sqlite3.Connection:
    """A connection in which nothing begins or ends a transaction but the caller. May be used from any thread, by one
    at a time. A file that is not there, or older, is brought to this format first.

    Raises:
        StorageError: The file has a newer format.
        sqlite3.Error: It is no inbox, or cannot be opened.
    """
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
        connection.execute("PRAGMA synchronous = FULL")  # with WAL: an fsync at each commit
        connection.execute("PRAGMA fullfsync = ON")  # without it, macOS does not write through the disk's cache
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # no commit waits for a checkpoint; see writer.py
        connection.execute(f"PRAGMA journal_size_limit = {_MAX_LOG_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    found = _format(connection)
    if found == FORMAT_VERSION:
        return
    if found < FORMAT_VERSION:
        if not found:
            narrow(path)  # just made; what SQLite puts beside it gets the same mode
        _use_write_ahead_log(connection)
        connection.execute("BEGIN IMMEDIATE")
        found = _format(connection)  # another process may have been here first
        if found < FORMAT_VERSION:
            _upgrade(connection, found)
            connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.execute("COMMIT")
    if found > FORMAT_VERSION:
        raise StorageError(f"{path} was written by a newer Antiphon (format {found}); upgrade this one")


def _format(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # SQLite does not wait here when several open a new file at once
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _upgrade(connection: sqlite3.Connection, found: int) -> None:
    if found in (2, 3):
        if found == 2:
            _add_failed_column(connection)
            connection.execute(_FORGOTTEN)
        connection.execute(_STANDARD_KEYS)
        return
    if found == 1:
        connection.execute("ALTER TABLE events RENAME TO events_1")
    for statement in _TABLES:
        connection.execute(statement)
    if found == 1:
        _copy(connection)
        connection.execute("DROP TABLE events_1")


def _add_failed_column(connection: sqlite3.Connection) -> None:
    """Format 2 did not keep whether the task had failed, which the code alone does not tell."""
    connection.execute("ALTER TABLE events ADD COLUMN failed INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE events SET failed = 1 WHERE code != 200")
    doubtful = connection.execute("SELECT id FROM events WHERE NOT failed").fetchall()
    for (identity,) in doubtful:
        (body,) = connection.execute("SELECT body FROM bodies WHERE event_id = ?", (identity,)).fetchone()
        with contextlib.suppress(BadParameter):
            connection.execute("UPDATE events SET failed = ? WHERE id = ?", (read(body).failed, identity))


def _copy(connection: sqlite3.Connection) -> None:
    """Format 1 told outcomes apart by their bytes, had no follow-ups, and did not note when repeats came but the last.

    What it held counts as done: whoever received it then has seen to it in some way of their own.
    """
    old = connection.execute("SELECT id, task_id, body, kind, code, digest FROM events_1 ORDER BY id")
    for identity, task_id, body, kind, code, digest in old:
        try:
            payload = read(body)
        except BadParameter:  # taken by rules that were looser
            known = {"kind": kind, "code": code, "failed": code not in (None, 200), "digest": digest}
        else:
            known = {"kind": payload.kind, "code": payload.code, "failed": payload.failed, "digest": payload.digest}
        known |= {"task_id": task_id, "id": identity, "body": body, "kept": LINK_LIFETIME_S}
        same = connection.execute(
            "SELECT id FROM events WHERE (task_id, digest, kind) = (:task_id, :digest, :kind)", known
        ).fetchone()
        for statement in _COPY_REPEAT if same else _COPY_EVENT:
            connection.execute(statement, known | {"same": same[0] if same else None})


_COPY_EVENT = (
    """
    INSERT INTO events (id, kind, task_id, version, code, digest, received_at, repeats, repeated_at, scheme, failed)
    SELECT id, :kind, task_id, version, :code, :digest, received_at, repeats, repeated_at, scheme, :failed
    FROM events_1 WHERE id = :id
    """,
    "INSERT INTO bodies (event_id, body) VALUES (:id, :body)",
    """
    INSERT INTO arrivals (event_id, received_at, scheme)
    SELECT id, received_at, scheme FROM events_1 WHERE id = :id
    """,
    """
    INSERT INTO arrivals (event_id, received_at, scheme)
    SELECT id, repeated_at, '' FROM events_1 WHERE id = :id AND repeats > 0
    """,
    """
    INSERT INTO work (event_id, state, due_at, expires_at)
    SELECT id, 'done', received_at, received_at + :kept FROM events_1 WHERE id = :id
    """,
)
_COPY_REPEAT = (
    """
    UPDATE events SET repeats = events.repeats + 1 + before.repeats,
        repeated_at = max(coalesce(events.repeated_at, 0), coalesce(before.repeated_at, before.received_at))
    FROM (SELECT * FROM events_1 WHERE id = :id) AS before WHERE events.id = :same
    """,
    """
    INSERT INTO arrivals (event_id, received_at, scheme, body)
    SELECT :same, received_at, scheme, body FROM events_1 WHERE id = :id
    """,
)
