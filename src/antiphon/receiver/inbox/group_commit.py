"""Group commit: one thread writes for all; changes that wait meanwhile share the next transaction and its fsync."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from antiphon.errors import AntiphonError, StorageError
from antiphon.receiver.inbox.schema import LOCK_TIMEOUT_S, connect

log = logging.getLogger("antiphon.receiver")

T = TypeVar("T")
Change = Callable[[sqlite3.Connection], T]
"""Reads and writes within the transaction that it is given. May be called again if that one could not be committed."""

_MAX_CHANGES = 256  # in one transaction
_MAX_BYTES = 8_000_000  # likewise
_CHECKPOINT_BYTES = 4_000_000  # written since the last
_ROW_BYTES = 8_000  # what a change costs besides its body
_LONG_LOG_PAGES = 8_000  # beyond which the writer starts the log anew
_RESTART_TIMEOUT_S = 0.5  # that the checkpoint waits for that; a writer that is idle need not help
_MAX_RESTART_MS = 25  # that acknowledgements may wait for it
_LOCK_POLL_MS = 2  # between looks whether another process has ended its transaction
_CHECKPOINT_INTERVAL_S = 5.0  # after which little is checked in too


class LetGo(StorageError):
    """The inbox is closed."""


@dataclass
class _WaitingChange:
    change: Change[Any]
    size: int
    future: "Future[Any]"


class GroupCommit:
    """Writes to the file at ``path`` in a thread of its own, and checks the write-ahead log in from another.

    ``committed`` is called from the thread after each transaction, once its futures are done.
    """

    def __init__(self, path: Path, committed: Callable[[], None]) -> None:
        self._path, self._committed = path, committed
        self._connection: sqlite3.Connection | None = connect(path)
        self._identity = _identity(path)
        self._jobs: SimpleQueue[_WaitingChange | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._written = 0  # bytes since the last checkpoint, roughly
        self._wanted, self._ended = threading.Event(), threading.Event()
        self._late, self._helped = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=run, name=f"antiphon-inbox-{name}", daemon=True)
            for name, run in (("writer", self._write), ("checkpoints", self._check_in))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, change: Change[T], size: int, future: "Future[T]") -> None:
        """Have ``change`` done; ``future`` gets its result once it is on disk. ``size`` is what it writes, in bytes.

        The future raises what the change raises, if that is an ``AntiphonError``: it must not have written then.
        Otherwise ``StorageError``, and nothing of the change is kept. Raises ``LetGo`` when closed.
        """
        with self._gate:
            if self._closed:
                raise LetGo
            self._jobs.put(_WaitingChange(change, size, future))

    def close(self) -> None:
        """Write what waits, check in the log, end the threads."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        writing, checking = self._threads
        if writing is not threading.current_thread():  # who dropped the last reference to the inbox
            writing.join()
        self._ended.set()
        self._wanted.set()
        self._helped.set()
        checking.join()

    @property
    def alive(self) -> bool:
        """Whether one of the threads has not ended yet."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Wait until both threads have ended, after ``close``."""
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _write(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch, goes_on = self._batch(first)
            self._do([job for job in batch if job.future.set_running_or_notify_cancel()])
            self._committed()
            if not goes_on:
                break
            if self._late.is_set():
                self._help()
        self._disconnect()

    def _batch(self, first: _WaitingChange) -> tuple[list[_WaitingChange], bool]:
        batch, size = [first], first.size
        while len(batch) < _MAX_CHANGES and size < _MAX_BYTES:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
            size += job.size
        return batch, True

    def _do(self, batch: list[_WaitingChange]) -> None:
        try:
            results = self._transact(batch)
        except Exception as error:
            self._recover(error)
            if len(batch) > 1:  # one that cannot be kept, perhaps for its size, must not take the others with it
                for job in batch:
                    self._do([job])
                return
            for job in batch:
                job.future.set_exception(_explain(error, self._path))
            return
        for job, (result, failure) in zip(batch, results, strict=True):
            if failure is not None:
                job.future.set_exception(failure)
            else:
                job.future.set_result(result)
        self._written += sum(job.size + _ROW_BYTES for job in batch)
        if self._written > _CHECKPOINT_BYTES:
            self._wanted.set()

    def _transact(self, batch: list[_WaitingChange]) -> list[tuple[Any, AntiphonError | None]]:
        if self._connection is None:
            self._connection = connect(self._path)
        connection = self._connection
        if _identity(self._path) != self._identity:
            raise StorageError(f"{self._path} was moved or deleted while it was in use; start the receiver again")
        results: list[tuple[Any, AntiphonError | None]] = []
        _begin(connection)
        for job in batch:
            try:
                results.append((job.change(connection), None))
            except AntiphonError as error:
                results.append((None, error))
        connection.execute("COMMIT")
        return results

    def _recover(self, error: Exception) -> None:
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._disconnect()
        if isinstance(error, sqlite3.Error) and error.sqlite_errorname not in ("SQLITE_FULL", "SQLITE_BUSY"):
            self._disconnect()  # a new connection may see what this one does not, such as a disk that is back

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _check_in(self) -> None:
        """Move what was committed from the log into the file, while the writer goes on."""
        connection: sqlite3.Connection | None = None
        while not self._ended.is_set():
            self._wanted.wait(_CHECKPOINT_INTERVAL_S)
            self._wanted.clear()
            if self._written == 0:
                continue
            self._written = 0
            try:
                connection = connection or connect(self._path)
            except (sqlite3.Error, StorageError) as error:
                log.warning("the inbox's log cannot be checked in, which is tried again: %s", error)
                continue
            if self._checkpoint(connection) > _LONG_LOG_PAGES:
                self._helped.clear()
                self._late.set()
                self._helped.wait(_RESTART_TIMEOUT_S)
                self._late.clear()
        if connection is not None:
            connection.close()

    def _help(self) -> None:
        """The log starts anew only when all of it was checked in and nobody reads it, which may never be by itself
        when writers and readers do not rest: wait for the readers, though not for long."""
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout = {_MAX_RESTART_MS}")
            self._checkpoint(self._connection, "RESTART")
        self._late.clear()
        self._helped.set()

    def _checkpoint(self, connection: sqlite3.Connection, mode: str = "PASSIVE") -> int:
        """Gives how many pages the log has."""
        try:
            _, pages, _ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            log.warning("the inbox's log cannot be checked in, which is tried again: %s", error)
            return 0
        return int(pages)


def _begin(connection: sqlite3.Connection) -> None:
    """Get the turn to write. SQLite waits longer and longer between its looks, up to 100 ms, while other processes
    come and go; this looks all the time."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    connection.execute(f"PRAGMA busy_timeout = {_LOCK_POLL_MS}")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
        else:
            return


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is: SQLite writes on, and syncs, when the one that it has open has no name any more."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _explain(error: Exception, path: Path) -> AntiphonError:
    if isinstance(error, AntiphonError):
        return error
    if not isinstance(error, sqlite3.Error):
        log.error("the inbox failed", exc_info=error)
    remedy = "; free some space" if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" else ""
    explained = StorageError(f"nothing can be kept in {path.parent}: {error}{remedy}")
    explained.__cause__ = error
    return explained
