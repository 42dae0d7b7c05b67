"""The inbox's file while it is open in this process: who writes, who reads, who reads large bodies."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from antiphon.receiver.database import connect
from antiphon.receiver.writer import Change, LetGo, Writer

T = TypeVar("T")
_PARSER = "antiphon-inbox-parser"


class Opened:
    """The file at ``path``, which is made if need be. Raises ``StorageError`` and ``sqlite3.Error``.

    ``committed`` is called after each transaction of ours. Every method raises ``LetGo`` once it is closed.
    """

    def __init__(self, path: Path, committed: Callable[[], None]) -> None:
        self._writer = Writer(path, committed)
        self._connection: sqlite3.Connection | None = connect(path)
        self._reading = threading.Lock()
        # One thread for each, so that only one at a time takes memory, and none waits for a much larger one.
        self._parsers = {large: ThreadPoolExecutor(1, _PARSER) for large in (False, True)}

    def submit(self, change: Change[T], size: int, future: "Future[T]") -> None:
        """See ``Writer.submit``."""
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
        """Keep what waits, then let go of the file."""
        for parser in self._parsers.values():
            # It may be the parser's thread that dropped the last reference to the inbox.
            parser.shutdown(wait=not threading.current_thread().name.startswith(_PARSER))
        self._writer.close()
        with self._reading:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()
