"""Partial file of a download, and the note beside it that says how many of its bytes are safely on the disk."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antiphon.download.errors import DownloadError, DownloadRefused, NoSpace, TransferBroken
from antiphon.download.media import known_suffixes
from antiphon.durable_files import is_disk_full, place, sync_folder
from antiphon.private_files import opener

try:
    import fcntl
except ImportError:  # Windows: a file that is open for writing cannot be renamed away there
    fcntl = None  # type: ignore[assignment]

NOTE_RESERVE_BYTES = 65536  # more than a block of any usual file system


@dataclass(frozen=True)
class PartialNote:
    """``link`` is the URL without its query, which signs a link and changes; ``validator`` is what ``If-Range`` is
    given; ``total`` the size in bytes where known; ``kept`` so many bytes from the start are known to be on the disk;
    ``suffix`` the extension; ``wrong`` how many answers in a row had another range than asked for; ``boot`` names the
    system's run in which it was written."""

    link: str = ""
    validator: str = ""
    total: int | None = None
    kept: int = 0
    suffix: str = ""
    wrong: int = 0
    boot: str = ""


def finished(folder: Path, name: str) -> Path | None:
    """The file that a download of ``name`` has put into ``folder``, whatever its extension; None when there is none.

    A file under its own name is whole: a partial one is called otherwise.
    """
    return next((path for suffix in known_suffixes() if (path := folder / f"{name}{suffix}").is_file()), None)


def discard(folder: Path, name: str) -> None:
    """Remove what has come of ``name`` when the rest will never come. Does nothing when there is none."""
    for ending in (".part", ".part.json", ".part.json.new"):
        (folder / f".{name}{ending}").unlink(missing_ok=True)


class Partial:
    """The file ``.NAME.part`` in ``folder``, open for this process alone, and ``.NAME.part.json`` beside it.

    A power cut may spoil the bytes beyond ``note.kept``, so then it goes back to there; a killed process loses none.
    With ``private`` the file is its owner's alone. Raises ``TransferBroken`` when another process is at the same file,
    ``NoSpace`` when the disk is full.
    """

    def __init__(self, folder: Path, name: str, *, private: bool = False) -> None:
        if name in ("", ".", "..") or any(sign in name for sign in "/\\\0"):
            raise DownloadRefused(f"name must be the name of a file without a folder, got {name[:80]!r}")
        self.folder = folder
        self.name = name
        self.path = folder / f".{name}.part"
        self._note_path = folder / f".{name}.part.json"
        self.note = PartialNote()
        self._private = private
        self._file = -1

    def __enter__(self) -> Self:
        with _explained("open", self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = opener(str(self.path), flags) if self._private else os.open(self.path, flags, 0o666)
        try:
            self._lock()
            self.note = self._read()
            if self.note.boot != _boot() or not _boot():
                os.ftruncate(self._file, self.note.kept)
            os.lseek(self._file, 0, os.SEEK_END)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what has come, whatever broke it off; nothing is left lying when nothing came."""
        if self._file < 0:
            return
        if error is not None:
            with contextlib.suppress(DownloadError):  # an older note holds then
                self._keep_somehow()
        if self.size:
            self._close()
        else:
            self.drop()

    @property
    def size(self) -> int:
        return os.lseek(self._file, 0, os.SEEK_CUR)

    def write(self, block: bytes) -> None:
        """Append. Raises ``NoSpace``."""
        view = memoryview(block)
        with _explained("write", self.path):
            while view:
                view = view[os.write(self._file, view) :]

    def sync(self) -> None:
        """Bring all that was written to the disk."""
        with _explained("write", self.path):
            getattr(os, "fdatasync", os.fsync)(self._file)

    def keep(self, **changes: Any) -> None:
        """Bring all that was written to the disk, and note it with what else has become known."""
        self.sync()
        with _explained("write", self.path):
            self._save(replace(self.note, kept=self.size, boot=_boot(), **changes))

    def restart(self, note: PartialNote) -> None:
        """Forget what has come: another file starts."""
        with _explained("write", self.path):
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            self._save(replace(note, kept=0, boot=_boot()))
            sync_folder(self.folder)  # or a power cut might leave the old note beside the new file

    def finish(self, suffix: str) -> Path:
        """Move the file to its own name, durably."""
        path = self.folder / f"{self.name}{suffix}"
        with _explained("finish", path):
            os.fsync(self._file)
            self._close()
            self.path.replace(path)
            sync_folder(self.folder)
            self._note_path.unlink(missing_ok=True)
        return path

    def drop(self) -> None:
        """Remove what has come, and the note."""
        self._close()
        discard(self.folder, self.name)

    def check_room(self, needed: int, reserve: int) -> None:
        """Raise ``NoSpace`` unless ``needed`` bytes fit and leave ``reserve`` free: the inbox must still get on."""
        free = shutil.disk_usage(self.folder).free
        if free < needed + reserve:
            raise NoSpace(
                f"{self.folder}: {_megabytes(needed)} MB are still to come, {_megabytes(free)} MB are free and "
                f"{_megabytes(reserve)} MB of that stay in reserve. What has come is kept; "
                "free some space and try again"
            )

    def _keep_somehow(self) -> None:
        try:
            self.keep()
        except NoSpace:  # not even for the note: the end of the file makes room for it
            os.ftruncate(self._file, max(self.note.kept, self.size - NOTE_RESERVE_BYTES))
            os.lseek(self._file, 0, os.SEEK_END)
            self.keep()

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process that held the lock may have finished meanwhile, and then this is the finished file.
            same = os.path.samestat(os.fstat(self._file), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            same = False
        if not same:
            raise TransferBroken(f"{self.path}: another process is downloading this file")

    def _read(self) -> PartialNote:
        try:
            note = PartialNote(**json.loads(self._note_path.read_text("utf-8")))
            fits = 0 <= note.kept <= os.fstat(self._file).st_size
        except (OSError, ValueError, TypeError):
            return PartialNote()
        return note if fits else PartialNote()

    def _save(self, note: PartialNote) -> None:
        new = self._note_path.with_suffix(".json.new")
        with open(new, "w", encoding="utf-8", opener=opener) as file:
            json.dump(asdict(note), file)
        place(new, self._note_path)
        self.note = note

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@contextmanager
def _explained(doing: str, path: Path) -> Iterator[None]:
    """An ``OSError`` becomes the error that says what to do."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise NoSpace(f"{path}: the disk is full. What has come is kept; free some space and try again") from error
        if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
            raise DownloadRefused(f"{path}: something else stands where the file should go") from error
        raise TransferBroken(f"{path}: cannot {doing}: {error.strerror or error}") from error


@cache
def _boot() -> str:
    """What names this run of the system; "" where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"
