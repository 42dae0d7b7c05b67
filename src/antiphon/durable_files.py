"""Files that outlast a power cut: written under another name, synced, then renamed."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

NO_SPACE = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
SERVER_DISK_FULL = "the server's disk is full: free some space in its ANTIPHON_DATA, then start the task anew"
STORAGE_FULL = "the disk of the server is full: free some space there, then try again"


def is_disk_full(error: BaseException) -> bool:
    """Whether the operating system says that the disk, or what this user may have of it, is full."""
    return isinstance(error, OSError) and error.errno in NO_SPACE


def write_durably(path: Path, content: bytes, *, prepare: Callable[[Path], object] = lambda path: None) -> None:
    """Write a file of mode 0600 whole or not at all; what stood there before stays until then.

    Args:
        prepare: Called with the finished file before it is put in its place, for its owner or mode.

    Raises:
        OSError: It could not be written; nothing is left beside ``path``.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        prepare(Path(temporary))
        place(Path(temporary), path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise


def place(temporary: Path, path: Path) -> None:
    """Bring a finished file to the disk and move it to ``path``; its name there is safe after ``sync_folder``.

    Raises:
        OSError: It could not be synced or moved.
    """
    sync_file(temporary)
    temporary.replace(path)


def sync_file(path: Path) -> None:
    """Bring what is in a file to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can: Windows and some network file systems cannot."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
