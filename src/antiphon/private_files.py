"""Files and folders that only their owner may read, whatever the umask."""

import os
import stat
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def opener(path: str, flags: int) -> int:
    """For ``open(…, opener=opener)``: the file is its owner's alone, also when it was there before."""
    descriptor = os.open(path, flags, FILE_MODE)
    if os.name != "nt" and is_wide(Path(path)):
        os.fchmod(descriptor, FILE_MODE)
    return descriptor


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing, all for their owner alone; gives those that were made.

    Raises ``OSError``.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(FOLDER_MODE, exist_ok=True)  # another process may have been faster
    folder.mkdir(FOLDER_MODE, exist_ok=True)  # raises when something else stands there
    return missing


def is_wide(path: Path) -> bool:
    """Whether others may do something with it, and it is this user's to change that."""
    if os.name == "nt":
        return False
    found = path.stat()
    return bool(found.st_mode & 0o077) and found.st_uid == os.geteuid()


def narrow(path: Path) -> bool:
    """Take from others what they may do with it; gives whether they could do something. Not through a descriptor: to
    close one would free SQLite's locks on the file. Raises ``OSError``."""
    if not is_wide(path):
        return False
    path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    return True
