"""Scratch folders for work in progress. Those that a killed process left are removed by the next one."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

LOCK = ".lock"


class Scratch:
    """Folders under ``root``, each locked while its process lives."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder, removed at the end of the block."""
        folder, descriptor = self._make()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)

    def _make(self) -> tuple[Path, int]:
        while True:
            folder = Path(tempfile.mkdtemp(dir=self._root))
            descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)  # a sweep took it for abandoned before it was locked

    def sweep(self) -> int:
        """Remove the folders of dead processes; tells how many there were."""
        return sum(_remove_if_abandoned(folder) for folder in self._root.iterdir() if folder.is_dir())


def _remove_if_abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False  # another process is just making or removing it
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
