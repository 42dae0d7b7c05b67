"""Leader lock: the process that holds it does the follow-ups of an inbox."""

import contextlib
import os
import sys
import weakref
from pathlib import Path
from typing import BinaryIO

from antiphon.errors import StorageError
from antiphon.private_files import opener

FILE = "worker.lock"

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Leadership:
    """The lock on ``worker.lock``. The kernel frees it when its process ends, however that ends.

    Not inherited: a forked child is not the leader and may try for itself.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file: BinaryIO | None = None
        _all.add(self)

    @property
    def held(self) -> bool:
        return self._file is not None

    def try_lead(self) -> bool:
        """Take the lock if nobody has it; true also when it is held already. Does not wait.

        Raises:
            StorageError: The file cannot be made, or this file system knows no locks.
        """
        if self._file is not None:
            return True
        try:
            file = open(self._path, "ab", opener=opener)  # noqa: SIM115 - kept open as long as it leads
        except OSError as error:
            raise StorageError(f"{self._path} cannot be opened: {error.strerror}; make the inbox writable") from error
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):  # the second on Windows
            file.close()
            return False
        except OSError as error:
            file.close()
            raise StorageError(
                f"{self._path} cannot be locked: {error.strerror}; put the inbox on a local disk"
            ) from error
        self._file = file
        return True

    def close(self) -> None:
        """Let the next one lead."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> "Leadership":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


_all: "weakref.WeakSet[Leadership]" = weakref.WeakSet()


def _forget() -> None:
    """In a forked child: its copy of the file would hold the lock for as long as the child lives."""
    for leadership in list(_all):
        with contextlib.suppress(OSError):
            leadership.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
