"""The README's first promise: the whole line on a song, by one command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av

from antiphon.music.audio import decode
from antiphon.score import midifile


def test_the_demo_makes_everything_and_stops_what_it_started(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    environment = {**os.environ, "COLUMNS": "160", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "antiphon", "demo", str(clip), "--out", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if "verified" in line]
    assert [row[:4] for row in rows] == [
        [task, "200", "standard,", "verified"] for task in ("split_stem", "separate_vocal", "video", "midi")
    ]

    for folder, names in {
        "split_stem": ("vocal", "drums", "bass", "other"),
        "separate_vocal": ("vocal", "instrumental"),
    }.items():
        for name in names:
            stem = decode(out / "stems" / folder / f"{name}.flac", sample_rate=44100, channels=2)
            assert abs(len(stem) / 44100 - 5.0) < 0.1
    written = json.loads((out / "midi.json").read_text())
    assert written["state"] == "complete"
    assert {item["name"] for item in written["instruments"]} == {
        instrument.name for instrument in midifile.read(out / "song.mid")
    }
    with av.open(str(out / "video.mp4")) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (1280, 720)
    assert (out / "piano-roll.png").stat().st_size > 10_000
    assert (out / "video-frame.jpg").stat().st_size > 10_000

    assert list(tmp_path.glob("antiphon-demo-*")) == []
    assert not _processes_mentioning(str(tmp_path))


def _processes_mentioning(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_text(errors="replace")
            command = (process / "cmdline").read_text(errors="replace")
        except OSError:
            continue
        if text in environment and process.name != str(os.getpid()):
            found.append(command.replace("\0", " "))
    return found
