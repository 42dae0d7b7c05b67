"""Stems as the console draws and plays them."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from antiphon.music.audio import Writer, decode
from antiphon.services import open_services
from antiphon.settings import Settings
from antiphon.tasks.retention import Retention
from tests.integration import songs
from tests.integration.conftest import SECRET
from tests.integration.console.browser import Browser
from tests.integration.line import Line
from tests.integration.server import Server, succeeded
from tests.unit.music.sounds import encode, noise

RATE = 44_100


@pytest.fixture(scope="module")
def long_song(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An upload of 29 s."""
    path = tmp_path_factory.mktemp("long") / "song.mp3"
    samples = songs.tone(29.0) * np.linspace(0.2, 1.0, 29 * RATE, dtype=np.float32)[:, None]
    with Writer(path, RATE, 2, "mp3") as writer:
        writer.write(samples)
    return {"path": path, **server.upload(path)}


def segment(server: Server, task_id: str, artifact: str, number: int, **params: str) -> httpx.Response:
    return server.call("GET", f"/tasks/{task_id}/segments/{artifact}/{number}", params=params)


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_segments_put_together_are_the_song(
    server: Server, long_song: dict[str, Any], tmp_path: Path, codec: str
) -> None:
    pieces = []
    for number in range(3):
        answer = segment(server, long_song["taskId"], "origin", number, format=codec)
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"audio/{codec}")
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert "cookie" in answer.headers["vary"].lower()
        path = tmp_path / f"piece.{codec}"
        path.write_bytes(answer.content)
        pieces.append(decode(path, sample_rate=RATE, channels=2))
    whole = decode(long_song["path"], sample_rate=RATE, channels=2)
    assert [len(piece) for piece in pieces] == [10 * RATE, 10 * RATE, len(whole) - 20 * RATE]
    assert np.abs(np.concatenate(pieces) - whole).max() <= 1 / 32768


def test_a_stem_is_played_by_many_at_once(server: Server, line: Line) -> None:
    names = ["vocal", "drums", "bass", "other"] * 4
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda name: segment(server, line.ids["split_stem"], name, 0), names))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 4
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert 0 < sum(b"antiphon.playback" in command for command in commands) <= 64


def test_a_player_that_died_is_replaced(server: Server, line: Line) -> None:
    assert segment(server, line.ids["split_stem"], "vocal", 0).status_code == 200
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for child in children:
        if b"antiphon.playback" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGKILL)
    assert segment(server, line.ids["split_stem"], "vocal", 0).status_code == 200


def test_what_is_not_there_is_said_in_words(server: Server, line: Line, key: str) -> None:
    task_id = line.ids["split_stem"]
    for path, code, words in (
        (f"/tasks/{task_id}/segments/vocal/1", 404, "1 pieces"),
        (f"/tasks/{task_id}/segments/guitar/0", 404, "it has vocal, drums, bass, other"),
        (f"/tasks/{task_id}/segments/vocal/-1", 400, "number"),
        (f"/tasks/{task_id}/segments/vocal/x", 400, "number"),
        (f"/tasks/{task_id}/segments/vocal/0?format=mp3", 400, "format"),
        (f"/tasks/{task_id}/segments/..%2Fvocal/0", 404, "nothing"),
        (f"/tasks/{task_id}/segments/VOCAL/0", 400, "artifact"),
        (f"/tasks/{task_id}/peaks/vocal?buckets=0", 400, "buckets"),
        (f"/tasks/{task_id}/peaks/guitar", 404, "it has vocal"),
        (f"/tasks/{line.ids['midi']}/peaks/midi", 404, "it has none"),
    ):
        answer = server.call("GET", path)
        assert (answer.status_code, words in answer.json()["msg"]) == (code, True), answer.text
    for path in (f"/tasks/{task_id}/segments/vocal/0", f"/tasks/{task_id}/peaks/vocal"):
        assert server.call("GET", path, key=key).status_code == 404
        assert server.http.get(f"{server.url}/api/v1{path}").status_code == 401


def test_a_file_that_is_no_sound_any_more_is_told_so(server: Server) -> None:
    task_id = server.plant("separation", "succeeded", tracks=("vocal",))
    assert segment(server, task_id, "vocal", 0).status_code == 404
    (server.storage / task_id / "0").mkdir(parents=True)
    (server.storage / task_id / "0" / "vocal.flac").write_bytes(b"no sound")
    assert segment(server, task_id, "vocal", 0).status_code == 415


def test_peaks_are_worked_out_once_kept_beside_the_file_and_deleted_with_it(
    server: Server, long_song: dict[str, Any]
) -> None:
    path = f"/tasks/{long_song['taskId']}/peaks/origin"
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: succeeded(server.call("GET", path)), range(4)))
    assert all(answer == answers[0] for answer in answers)
    outline = answers[0]
    assert (outline["buckets"], len(outline["low"]), len(outline["high"])) == (1600, 1600, 1600)
    assert abs(outline["duration"] - 29) < 0.1
    assert min(outline["low"]) < -20 and max(outline["high"]) > 20
    loud, quiet = max(outline["high"][-200:]), max(outline["high"][:200])
    assert loud > 2 * quiet
    (kept,) = (server.storage / long_song["taskId"] / "peaks").iterdir()
    whole = json.loads(kept.read_text())
    assert max(whole["high"]) == max(outline["high"])
    kept.write_text(json.dumps({**whole, "duration": 77.7}))
    assert server.get(path)["duration"] == 77.7  # it was read, not worked out again
    coarse = server.get(path, params={"buckets": 7})
    assert (len(coarse["low"]), min(coarse["low"])) == (7, min(outline["low"]))


async def test_peaks_go_with_their_task(server: Server, clip: Path, tmp_path: Path) -> None:
    uploaded = server.upload(clip)
    server.get(f"/tasks/{uploaded['taskId']}/peaks/origin")
    folder = server.storage / uploaded["taskId"]
    assert (folder / "peaks").exists()
    server.sql("UPDATE tasks SET expires_at = now() WHERE id = %s", uploaded["taskId"])
    settings = Settings(data=tmp_path, database_url=server.database_url, storage_url=str(server.storage), secret=SECRET)
    async with open_services(settings) as services:
        await Retention(services).purge_expired()
    assert not folder.exists()
    assert server.call("GET", f"/tasks/{uploaded['taskId']}/peaks/origin").status_code == 410


def test_a_session_may_listen(signed_in: Browser, server: Server, clip: Path, key: str) -> None:
    task_id = server.upload(clip, key=key)["taskId"]
    assert signed_in.request("GET", f"/api/v1/tasks/{task_id}/segments/origin/0").content[:4] == b"fLaC"
    assert succeeded(signed_in.request("GET", f"/api/v1/tasks/{task_id}/peaks/origin?buckets=50"))["buckets"] == 50


def test_a_damaged_file_that_was_accepted_is_played_as_far_as_it_goes(server: Server, tmp_path: Path) -> None:
    sound = noise(25.0, rate=48_000)
    path = encode(tmp_path / "song.ogg", sound, "libopus", rate=48_000, container="ogg", sample_format="flt")
    whole = path.read_bytes()
    for start in (len(whole) // 3, len(whole) // 2, len(whole) * 3 // 4):
        path.write_bytes(whole[:start] + bytes(100_000) + whole[start:])
        task_id = server.upload(path)["taskId"]
        codes = {segment(server, task_id, "origin", number).status_code for number in range(4)}
        codes.add(server.call("GET", f"/tasks/{task_id}/peaks/origin").status_code)
        assert codes <= {200, 404, 415}
