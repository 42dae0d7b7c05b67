"""The examples of the client's documentation work as they stand, with another address, key and song."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.integration.line import Line
from tests.integration.server import Server
from tests.paths import DOCS

PAGE = (DOCS / "05-client.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(example: str, server: Server, **changes: str) -> str:
    replaced = {"https://music.example.com": server.url, "ak_…": server.key, "deadline=3600": "deadline=120, every=0.2"}
    for old, new in {**replaced, **changes}.items():
        example = example.replace(old, new)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example, "05-client.md", "exec"), {"__name__": "example"})
    return said.getvalue()


def test_the_first_example_takes_a_song_all_the_way(
    server: Server, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(EXAMPLES[0], server, **{"song.mp3": str(clip)})
    assert (tmp_path / "vocal.flac").read_bytes()[:4] == b"fLaC"
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_second_example_lists_running_tasks(server: Server) -> None:
    task = server.plant("midi", "running", stage="bass")
    assert f"{task} bass 0.0" in run(EXAMPLES[1], server)
    server.sql("DELETE FROM tasks WHERE id = %s", task)


def test_the_third_example_polls_into_an_inbox(
    server: Server, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(EXAMPLES[2], server, **{"5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6": line.ids["midi"]})
    assert said == f"{line.ids['midi']} succeeded \n"
    assert (tmp_path / "inbox").is_dir()
