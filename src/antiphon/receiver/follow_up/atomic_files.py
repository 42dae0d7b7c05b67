"""Files of an event, put in place durably; failures as ``TryAgain`` and ``GiveUp``."""

import contextlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from antiphon import durable_files, private_files
from antiphon.receiver.follow_up.step import GiveUp, TryAgain


def make_folder(folder: Path) -> None:
    """Make an event's folder, durably. Raises ``TryAgain`` and ``GiveUp``."""
    if folder.is_dir():
        return
    try:
        for path in private_files.make_folder(folder):
            durable_files.sync_folder(path.parent)
    except OSError as error:
        raise _explain(folder, error) from error


def require_room(folder: Path, needed: int, reserve: int) -> None:
    """Raise ``TryAgain`` unless ``needed`` bytes fit and leave ``reserve`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed + reserve:
        raise TryAgain(
            f"{folder}: {needed / 1e6:.1f} MB are to be written, {free / 1e6:.1f} MB are free and "
            f"{reserve / 1e6:.0f} MB of that stay in reserve; free some space, it is tried again"
        )


def place(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> dict[str, Path]:
    """Let each function make a file under another name, bring it to the disk, and move it to its own in ``folder``.

    Raises:
        TryAgain: The disk is full or fails.
        GiveUp: Something else stands in the way.
    """
    placed: dict[str, Path] = {}
    for name, write in files.items():
        path, new = folder / name, folder / f".{name}.new"
        try:
            with open(new, "wb", opener=private_files.opener):
                pass  # whoever writes it finds it there, with its mode
            write(new)
            durable_files.place(new, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise _explain(path, error) from error
        placed[name] = path
    try:
        durable_files.sync_folder(folder)
    except OSError as error:
        raise _explain(folder, error) from error
    return placed


def _explain(path: Path, error: OSError) -> Exception:
    if durable_files.is_disk_full(error):
        return TryAgain(f"{path}: the disk is full; free some space, it is tried again")
    if isinstance(error, IsADirectoryError | NotADirectoryError | FileExistsError):
        return GiveUp(f"{path}: something else stands where the file should go; move it away, then retry")
    return TryAgain(f"{path}: {error.strerror or error}")
