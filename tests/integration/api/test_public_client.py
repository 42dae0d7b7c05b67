"""A client of the hosted API that others have published, unchanged but for address and key: every call ends well."""

import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server
from tests.paths import ROOT

PYTHON = ROOT / ".venv" / "suno-easy" / "bin" / "python"
CALLS = Path(__file__).parent / "suno_easy_calls.py"
LYRICS = "[00:00.50]Harbour lights are calling\n[00:03.00]<00:03.00>Carry <00:03.50>me <00:04.00>home"
FLAC, MP4, WAV = b"fLaC", b"ftyp", b"RIFF"

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="suno-easy is not installed: 'make test' does it")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def song_url(clip: Path) -> Iterator[str]:
    """The clip on a web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(clip.parent))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/{clip.name}"
        http.shutdown()


def run(given: dict[str, Any]) -> Any:
    command = [str(PYTHON), str(CALLS)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def uploaded(server: Server, clip: Path) -> Any:
    return server.upload(clip, title="Harbour Lights", lyrics=LYRICS)


@pytest.fixture(scope="module")
def said(server: Server, receiver: Receiver, clip: Path, song_url: str, uploaded: Any) -> Any:
    """What all the client's calls gave."""
    return run(
        {
            "server": server.url,
            "key": server.key,
            "callback_url": receiver.url,
            "song": str(clip),
            "song_url": song_url,
            "task_id": uploaded["taskId"],
            "audio_id": uploaded["audioId"],
        }
    )


def test_there_are_credits(said: Any) -> None:
    assert 0 < said["credits"] <= 100


def test_files_come_in_all_three_ways(said: Any, clip: Path) -> None:
    size = clip.stat().st_size
    for way, name in {"stream": "stream.flac", "url": clip.name, "base64": "base64.flac"}.items():
        assert said[way][:3] == [name, f"music/new/{name}", size]
        assert said[way][3] in ("audio/flac", "audio/x-flac")


def test_a_song_is_separated_by_the_address_of_its_upload(said: Any) -> None:
    assert set(said["by address"]) == {"id", "originUrl", "vocalUrl", "instrumentalUrl", "originData"}


def test_an_upload_has_a_music_record(said: Any, uploaded: Any) -> None:
    audio_id, title, duration, prompt, head = said["song"]
    assert (audio_id, title, prompt) == (uploaded["audioId"], "Harbour Lights", LYRICS)
    assert duration == pytest.approx(6.0, abs=0.01)
    assert bytes.fromhex(head).startswith(FLAC)


def test_lyrics_have_their_times(said: Any) -> None:
    assert said["lyrics"][0] == ["Harbour lights are calling\n", 0.5, 3.0]
    assert [word[0].strip() for word in said["lyrics"][1:]] == ["Carry", "me", "home"]
    assert [word[1] for word in said["lyrics"][1:]] == [3.0, 3.5, 4.0]
    assert said["waveform"] > 100


def test_all_separations_are_made(said: Any) -> None:
    assert all(bytes.fromhex(head).startswith(FLAC) for head in said["separate_vocal"])
    assert said["split_stem"] == ["vocal_url", "drums_url", "bass_url", "fx_url"]
    assert said["advanced"] == ["drums_url", "fx_url"]


def test_midi_video_and_wav_are_made(said: Any, uploaded: Any) -> None:
    state, instruments = said["midi"]
    assert state == "complete"
    assert "Drums" in instruments
    assert said["video"][1] == said["wav"][1] == uploaded["audioId"]
    assert bytes.fromhex(said["video"][2])[4:8] == MP4
    assert bytes.fromhex(said["wav"][2]).startswith(WAV)


def test_its_webhook_parsers_read_our_callbacks(said: Any, receiver: Receiver) -> None:
    ids = {"video": said["video"][0], "wav": said["wav"][0], "separation": said["split"]}
    callbacks = {kind: receiver.wait(task_id)[0].body for kind, task_id in ids.items()}
    midi = next(one.body for one in receiver.received if one.body["data"].get("instruments"))
    read = run({"callbacks": {**callbacks, "midi": midi}})
    assert read["tasks"] == [midi["taskId"], ids["video"], ids["wav"], ids["separation"]]
    assert all(read["successes"])
    assert sum(read["notes"]) > 10
    assert read["video"].endswith(".mp4")
    assert read["wav"].endswith(".wav")
