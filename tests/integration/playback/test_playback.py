"""The process that decodes pieces, spoken to as the server does."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from antiphon.music.confinement import Cage
from antiphon.playback.players import LIMITS

Ask = Callable[[str, int], dict[str, Any]]


@contextmanager
def player(storage: Path) -> Iterator[Ask]:
    """Asks a caged process for pieces of artifacts in ``storage``; gives the answers, each with its ``content``."""
    command = [sys.executable, "-m", "antiphon.playback"]
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        sent, answers = process.stdin, process.stdout
        assert sent and answers
        sent.write(json.dumps(Cage(LIMITS, Path(folder), (storage,)).to_json()).encode() + b"\n")

        def ask(key: str, number: int) -> dict[str, Any]:
            request = {"storage": str(storage), "key": key, "number": number, "codec": "flac"}
            sent.write(json.dumps(request).encode() + b"\n")
            sent.flush()
            answer: dict[str, Any] = json.loads(answers.readline())
            return answer | {"content": answers.read(answer.get("size", 0))}

        yield ask
        sent.close()
        assert process.wait(20) == 0


def test_pieces_and_errors_come_one_after_the_other(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "clip.flac").write_bytes(clip.read_bytes())
    with player(tmp_path) as ask:
        assert ask("task/clip.flac", 0)["content"][:4] == b"fLaC"
        assert ask("task/nothing.flac", 0)["error"]["code"] == 404
        assert ask("task/clip.flac", 1)["size"] == 0  # behind its end


def test_a_storage_is_opened_once_and_not_for_every_piece(tmp_path: Path) -> None:
    storage = tmp_path / "artifacts"
    storage.mkdir()
    with player(storage) as ask:
        assert ask("task/nothing.flac", 0)["error"]["code"] == 404
        storage.rmdir()  # it can be opened no more
        assert ask("task/nothing.flac", 1)["error"]["code"] == 404
