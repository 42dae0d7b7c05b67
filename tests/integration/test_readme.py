"""The README's screen of curl commands, pasted into a shell with only the key, the song and the addresses changed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server
from tests.paths import ROOT

README = (ROOT / "README.md").read_text()
SCREEN = re.search(r"## The API in one screen\n\n```sh\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_screen_of_curl_commands_takes_a_song_all_the_way(
    server: Server, receiver: Receiver, clip: Path, tmp_path: Path
) -> None:
    assert SCREEN is not None
    script = SCREEN[1]
    changes = {
        "ak_…": server.key,
        "song.mp3": str(clip),
        "https://you.example/callback": receiver.url,
        "http://127.0.0.1:8080": server.url,
        "sleep 5": "sleep 0.2",
    }
    for old, new in changes.items():
        assert old in script
        script = script.replace(old, new)
    script += '\necho "STEMS=$STEMS VIDEO=$VIDEO MIDI=$MIDI PHONE=$PHONE"\n'
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""

    ids = dict(re.findall(r"(\w+)=([0-9a-f]{32})", done.stdout.splitlines()[-1]))
    assert set(ids) == {"STEMS", "VIDEO", "MIDI", "PHONE"}
    assert (tmp_path / "vocal.flac").read_bytes()[:4] == b"fLaC"
    assert "event: task" in done.stdout
    assert server.record("video", ids["PHONE"])["successFlag"] == "SUCCESS"
    for name in ("STEMS", "VIDEO", "MIDI"):
        assert receiver.wait(ids[name], seconds=120)[0].body["code"] == 200
