"""Position in the stream, kept in a file, from which a restarted listener goes on."""

import contextlib
import hashlib
import json
import os
from pathlib import Path


def default_path(server: str, api_key: str, forward_to: str) -> Path:
    """One file for each server, key and local address, under ``~/.cache/antiphon/listen``."""
    name = hashlib.sha256("\n".join((server, api_key, forward_to)).encode()).hexdigest()[:24]
    return Path.home() / ".cache" / "antiphon" / "listen" / f"{name}.json"


class Place:
    """The id of the last event that was dealt with; None in a new place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last = self._load()

    def _load(self) -> str | None:
        try:
            last = json.loads(self._path.read_text())["lastEventId"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return last if isinstance(last, str) and last.isascii() and last.isprintable() else None

    def move(self, last: str) -> None:
        """Take the next place. The file is replaced as a whole, so that a crash leaves the old one or the new one."""
        self.last = last
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"lastEventId": last}))
        partial.replace(self._path)

    def forget(self) -> None:
        """Begin anew."""
        self.last = None
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
