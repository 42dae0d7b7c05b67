"""How much memory and processor time each engine takes: the figures behind the limits of ``music.confinement``.

Each engine runs as a task runs it, without its limits, on the demo's song played over and over. Read from
``/proc/PID/status`` every 20 ms: the largest resident set (``VmHWM``), the largest address space (``VmPeak``, what
``RLIMIT_AS`` bounds) and the largest data segment (``VmData``, what ``RLIMIT_DATA`` bounds), in MiB.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.music.audio import Writer, decode
from antiphon.settings import load_settings
from bench import results

ROOT = Path(__file__).parents[1]
SONG = ROOT / "demo" / "song.mp3"
RATE = 44_100
POLL_S = 0.02
MINUTES = (3.0, 60.0)
FIELDS = ("VmHWM", "VmPeak", "VmData")
LYRICS = "永遠の歌 – la la\n" * 60


@dataclass
class Peaks:
    """The largest values of a process, in MiB by the kernel's names, and its seconds of processor time."""

    mebibytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FIELDS, 0))
    cpu_s: float = 0.0


def measure(name: str, arguments: dict[str, Any]) -> Peaks:
    """Run one engine to its end. Raises ``RuntimeError`` with its words when it fails."""
    request = json.dumps({"engine": name, "arguments": arguments}).encode() + b"\n"
    environment = os.environ | {"MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryFile() as answers:
        child = subprocess.Popen(
            [sys.executable, "-m", "antiphon.music"], stdin=subprocess.PIPE, stdout=answers, env=environment
        )
        assert child.stdin
        child.stdin.write(request)
        child.stdin.flush()
        peaks = Peaks()
        while True:
            pid, _, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            for key, value in _status(child.pid):
                peaks.mebibytes[key] = max(peaks.mebibytes[key], value)
            time.sleep(POLL_S)
        child.returncode = 0
        child.stdin.close()
        answers.seek(0)
        last = json.loads(answers.read().splitlines()[-1])
    if "result" not in last:
        raise RuntimeError(f"{name}: {last}")
    peaks.cpu_s = usage.ru_utime + usage.ru_stime
    return peaks


def _status(pid: int) -> Iterator[tuple[str, int]]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in FIELDS:
            yield key, int(value.split()[0]) // 1024


def long_song(path: Path, minutes: float) -> Path:
    """The demo's song, played until ``minutes`` are full."""
    samples = decode(SONG, sample_rate=RATE, channels=2)
    frames = round(minutes * 60 * RATE)
    with Writer(path, RATE, 2, "mp3") as writer:
        while writer.written < frames:
            writer.write(np.ascontiguousarray(samples[: frames - writer.written]))
    return path


def engines(song: Path, out: Path, models: Path, threads: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What to call the measurement, the engine and its arguments, in the order in which tasks need them."""
    path, weights = str(song), str(models.absolute())
    yield "inspect", "inspect", {"path": path, "max_duration": 7200.0}
    yield "peaks", "peaks", {"path": path, "most": 8000}
    yield "convert", "convert", {"source": path, "out": str(out / "song.wav")}
    common = {"models": weights, "threads": threads}
    stems = {"source": path, "out": str(out), "kind": "split_stem", "codec": "flac", **common}
    yield "separate", "separate", stems
    named = {name: str(out / f"{name}.flac") for name in ("vocal", "drums", "bass", "other")}
    yield "transcribe", "transcribe", {"stems": named, "out": str(out), **common}
    video = {"audio": path, "out": str(out / "video.mp4"), "title": "永遠の歌", "threads": threads, "lyrics": LYRICS}
    for theme, resolution in (("bars", "720p"), ("circle", "1080p")):
        look = {"theme": theme, "resolution": resolution, "aspect": "16:9", "fps": 30}
        yield f"render {theme} {resolution}", "render", {**video, "look": look, "thumbnail": str(out / "t.jpg")}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engines' memory and processor time.")
    parser.add_argument("--minutes", type=float, nargs="*", default=MINUTES, help="lengths of the song")
    parser.add_argument("--threads", type=int, nargs="*", default=[2])
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--only", nargs="*", help="engines to measure; separate comes before transcribe")
    chosen = parser.parse_args()
    rows: list[dict[str, results.Figure]] = []
    for minutes in chosen.minutes:
        for threads in chosen.threads:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder)
                song = long_song(out / "song.mp3", minutes)
                for label, name, arguments in engines(song, out, chosen.models, threads):
                    if chosen.only and name not in chosen.only:
                        continue
                    found = measure(name, arguments)
                    rows.append(
                        {"engine": label, "minutes": minutes, "threads": threads, **found.mebibytes}
                        | {"cpu_s": round(found.cpu_s, 1)}
                    )
                    print(rows[-1], flush=True)
    results.table(rows)


if __name__ == "__main__":
    main()
