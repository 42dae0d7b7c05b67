"""Connections of one process to the inbox's SQLite file: opened on first use, released before a fork."""

import contextlib
import logging
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from antiphon.errors import StorageError
from antiphon.receiver.inbox.group_commit import Change, GroupCommit, LetGo
from antiphon.receiver.inbox.schema import connect, make_folder

log = logging.getLogger("antiphon.receiver")

T = TypeVar("T")
_PARSER = "antiphon-inbox-parser"


class OpenConnection:
    """The file at ``path``, which is made if need be. Raises ``StorageError`` and ``sqlite3.Error``.

    ``committed`` is called after each transaction of ours. Every method raises ``LetGo`` once it is closed.
    """

    def __init__(self, path: Path, committed: Callable[[], None]) -> None:
        self._writer = GroupCommit(path, committed)
        self._connection: sqlite3.Connection | None = connect(path)
        self._reading = threading.Lock()
        # One thread for each, so that only one at a time takes memory, and none waits for a much larger one.
        self._parsers = {large: ThreadPoolExecutor(1, _PARSER) for large in (False, True)}
        self._closed = threading.Event()
        _unreleased.difference_update([opened for opened in list(_unreleased) if opened.released])
        _unreleased.add(self)

    @property
    def released(self) -> bool:
        """Whether ``close`` has ended, and the threads with it."""
        return self._closed.is_set() and not self._writer.alive

    def submit(self, change: Change[T], size: int, future: "Future[T]") -> None:
        """See ``GroupCommit.submit``."""
        self._writer.submit(change, size, future)

    def aside(self, parse: Callable[[], None], *, large: bool) -> None:
        """Have what takes long done in a thread, one after the other; what is ``large`` in another thread."""
        try:
            self._parsers[large].submit(parse)
        except RuntimeError:
            raise LetGo from None

    def read(self, question: Change[T]) -> T:
        """One answer at a time, by a connection that never writes. Raises ``sqlite3.Error``."""
        with self._reading:
            if self._connection is None:
                raise LetGo
            return question(self._connection)

    def close(self) -> None:
        """Write what waits, then release the file."""
        for parser in self._parsers.values():
            # It may be the parser's thread that dropped the last reference to the inbox.
            parser.shutdown(wait=not threading.current_thread().name.startswith(_PARSER))
        self._writer.close()
        with self._reading:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
        self._closed.set()
        if self.released:
            _unreleased.discard(self)

    def wait_until_released(self) -> None:
        """Wait for ``close``, which another thread has begun, and for the threads."""
        self._closed.wait()
        self._writer.join()


class InboxConnection:
    """The file at ``path``, which is made with its folder if need be. May be used from any thread.

    Raises ``StorageError`` when it cannot be opened; so does every method, or when it is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._watchers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._opened: OpenConnection | None = None
        self._closed = False
        with _fork:
            try:
                make_folder(path.parent)
                connect(path).close()  # an error is raised now; the first use opens it again
            except (OSError, sqlite3.Error) as error:
                raise self._cannot("opened", error) from error
            _all.add(self)

    def submit(self, change: Change[T], size: int = 0, future: "Future[T] | None" = None) -> "Future[T]":
        """Have ``change`` committed; gives ``future``, or one of its own. See ``GroupCommit.submit``."""
        due: Future[T] = Future() if future is None else future
        self._use(lambda opened: opened.submit(change, size, due))
        return due

    def change(self, change: Change[T]) -> T:
        """``submit`` and wait for it."""
        return self.submit(change).result()

    def aside(self, parse: Callable[[], None], *, large: bool) -> None:
        """See ``OpenConnection.aside``."""
        self._use(lambda opened: opened.aside(parse, large=large))

    def read(self, question: Change[T]) -> T:
        try:
            return self._use(lambda opened: opened.read(question))
        except sqlite3.Error as error:
            raise self._cannot("read", error) from error

    def watch(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have ``changed`` called after each commit of this process; gives what ends that."""
        self._watchers.append(changed)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._watchers.remove(changed)

        return end

    def close(self) -> None:
        """Write what waits, then release the file for good."""
        with self._lock:
            self._closed = True
        self._let_go()

    def _committed(self) -> None:
        for changed in tuple(self._watchers):
            try:
                changed()
            except Exception:
                log.exception("who was told of a change to the inbox failed")

    def _use(self, action: Callable[[OpenConnection], T]) -> T:
        while True:
            with self._lock:
                if self._closed:
                    raise StorageError(f"the inbox {self._path.parent} is closed")
                opened = self._opened = self._opened or self._open()
            try:
                return action(opened)
            except LetGo:
                with self._lock:
                    if self._opened is opened:  # not by a fork in another thread, so for good
                        raise StorageError(f"the inbox {self._path.parent} is closed") from None

    def _open(self) -> OpenConnection:
        committed = weakref.WeakMethod(self._committed)  # the threads must not keep alive what everybody has forgotten
        try:
            opened = OpenConnection(self._path, lambda: (tell := committed()) and tell())
        except (OSError, sqlite3.Error) as error:
            raise self._cannot("opened", error) from error
        self._finalizer = weakref.finalize(self, opened.close)
        return opened

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            self._finalizer.detach()
            opened.close()

    def _cannot(self, be: str, error: Exception) -> StorageError:
        return StorageError(f"the inbox {self._path.parent} cannot be {be}: {error}")


# SQLite's locks and threads do not survive a fork: a lock that a thread holds then is held in the child for ever. So
# before one every file is let go, what closes by itself, since it was forgotten, is waited for, and none is opened.
# Parent and child open theirs again when it is used.

_all: "weakref.WeakSet[InboxConnection]" = weakref.WeakSet()
_unreleased: set[OpenConnection] = set()
_fork = threading.Lock()
_forking: list[InboxConnection] = []


def _before_fork() -> None:
    _fork.acquire()
    for file in list(_all):
        file._lock.acquire()
        _forking.append(file)
        file._let_go()
    for opened in list(_unreleased):
        opened.wait_until_released()


def _after_fork() -> None:
    while _forking:
        _forking.pop()._lock.release()
    _fork.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
