"""What a music video costs to render, beside the bare encoder, FFmpeg's own pictures of sound, and seewav.

Sixty seconds of real music (the demo's song, repeated) become a video, at 720p and at 1080p, 30 frames a second:

- ``antiphon``: as a task does it, ``python -m antiphon.music``, start of the process, analysis and sound included;
- ``encoder``: x264 alone, on one thread with the same settings, on the same frames, which lie in memory: the limit;
- ``showcqt``, ``showwaves``: FFmpeg's filters of these names with the same encoder settings and sound;
- ``seewav`` (0.1.1): its own picture with its own settings, at 720p only.

All take their turn, ``--rounds`` times. A ratio is ours divided by theirs, of medians. Memory is the largest resident
set of the process (``ru_maxrss``) in MB (10^6 bytes). The PSNR is the encoding's: against the same frames hardly
compressed. Then ten minutes of music, for memory, and ten minutes of silence with a click at either end, for the time
between what is seen and what is heard.

This process stays small, as ``bench.repeat`` says why: what needs a library is a child's work (``bench.frames``).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench import results
from bench.engines import ROOT, SONG, Measurement, engine, measure

SECONDS = 60
MINUTES = 10
CLICKS = (0.0, 60.0 * MINUTES)
SIZES = {"720": (1280, 720), "1080": (1920, 1080)}
SEEWAV = ROOT / ".venv" / "bench-video" / "bin" / "seewav"
FILTERS = {"showcqt": "showcqt=s={size}:fps=30", "showwaves": "showwaves=s={size}:rate=30:mode=cline"}
OF: dict[str, Callable[[Measurement], float]] = {
    "seconds": lambda one: one.seconds,
    "cpu_seconds": lambda one: one.cpu,
    "rss_mb": lambda one: round(one.rss),
}
Measurements = dict[str, list[Measurement]]


def antiphon(song: Path, out: Path, lines: str, threads: int) -> Measurement:
    """Our own render; ``lines`` are 720 or 1080."""
    words = {"title": "Call, and I Will Answer", "author": "Antiphon", "domain": "music.example.com"}
    look = {"resolution": f"{lines}p"}
    return engine("render", audio=str(song), out=str(out), **words, look=look, threads=threads)


def encoder(reference: Path) -> Measurement:
    """x264 alone; ``answer`` has its ``settings``."""
    answer = child("encode", reference)
    return Measurement(answer["seconds"], answer["cpu"], answer["rss"], answer)


def ffmpeg(picture: str, song: Path, out: Path, lines: str, settings: dict[str, str], threads: int) -> Measurement:
    """FFmpeg's filter ``picture`` with our encoder's settings."""
    width, height = SIZES[lines]
    shown = f"[0:a]{FILTERS[picture].format(size=f'{width}x{height}')},format=yuv420p[v]"
    video = ["-c:v", "libx264", "-threads", str(threads)]
    video += [word for name, value in settings.items() for word in (f"-{name}:v", value)]
    sound = ["-c:a", "aac", "-aac_coder", "fast", "-b:a", "320k", "-movflags", "+faststart"]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(song), "-filter_complex", shown]
    return measure([*command, "-map", "[v]", "-map", "0:a", *video, *sound, str(out)])


def seewav(song: Path, out: Path) -> Measurement:
    width, height = SIZES["720"]
    quietly = ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", str(SEEWAV)]
    return measure([*quietly, "-r", "30", "-W", str(width), "-H", str(height), str(song), str(out)])


def child(step: str, *arguments: object) -> Any:
    """The answer of a step of ``bench.frames``."""
    command = [sys.executable, "-m", "bench.frames", step, *map(str, arguments)]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout or "null")


def one_round(song: Path, lines: str, folder: Path, threads: int) -> Iterator[tuple[str, Measurement]]:
    """All contenders at one size, one after the other; the frames are those of ``reference.mp4``."""
    yield "antiphon", antiphon(song, folder / "ours.mp4", lines, threads)
    bare = encoder(folder / "reference.mp4")
    yield "encoder", bare
    for name in FILTERS:
        yield name, ffmpeg(name, song, folder / "other.mp4", lines, bare.answer["settings"], threads)
    if lines == "720" and SEEWAV.exists():
        yield "seewav", seewav(song, folder / "other.mp4")


def in_turn(song: Path, lines: str, folder: Path, rounds: int, threads: int) -> tuple[Measurements, dict[str, Any]]:
    """All contenders at one size, and figures of our file: ``mb`` (10^6 bytes) and ``psnr`` (dB)."""
    reference, ours = folder / "reference.mp4", folder / "ours.mp4"
    child("reference", song, reference, f"{lines}p")
    done: Measurements = {}
    for _ in range(rounds):
        for name, one in one_round(song, lines, folder, threads):
            print(f"{lines}p  {name:10} {one.seconds:7.2f} s  {one.cpu:7.2f} CPU-s  {one.rss:.0f} MB", flush=True)
            done.setdefault(name, []).append(one)
    file = {"mb": round(ours.stat().st_size / 1e6, 1), "psnr": round(child("psnr", reference, ours), 1)}
    reference.unlink()
    return done, file


def ten_minutes(song: Path, folder: Path, threads: int) -> dict[str, results.Figure]:
    """Memory with a long song, and where the clicks are."""
    long, quiet = folder / "long.flac", folder / "quiet.flac"
    _run("bench.repeat", song, long, 60 * MINUTES)
    made = antiphon(long, folder / "long.mp4", "720", threads)
    print(f"{MINUTES} min  {'antiphon':10} {made.seconds:7.2f} s  {made.cpu:7.2f} CPU-s  {made.rss:.0f} MB", flush=True)
    child("silence", quiet, CLICKS[-1] + 5, *CLICKS)
    antiphon(quiet, folder / "quiet.mp4", "720", threads)
    found = child("clicks", folder / "quiet.mp4", *CLICKS)
    figures: dict[str, results.Figure] = {
        "rss_mb_720_10min": round(made.rss),
        "realtime_720_10min": round(60 * MINUTES / made.seconds, 2),
    }
    for name, at, (seen, heard) in zip(("0", "10min"), CLICKS, found, strict=True):
        figures[f"click_{name}_seen_frames_late"] = round(30 * (seen - at), 2)
        figures[f"click_{name}_heard_ms_late"] = round(1000 * (heard - at), 2)
    return figures


def _run(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, cwd=ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a music video costs to render.")
    parser.add_argument("--song", type=Path, default=SONG)
    parser.add_argument("--threads", type=int, default=results.cores())
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if not shutil.which("ffmpeg"):
        parser.exit(1, "ffmpeg is missing: make bench-video installs it; on Debian, apt-get install ffmpeg\n")
    load = os.getloadavg()[0]
    if load > results.cores() / 2:
        print(f"note: other work keeps this machine busy (load {load:.1f}); CPU seconds and ratios say more")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = folder / "song.flac"
        _run("bench.repeat", arguments.song.absolute(), song, SECONDS)
        sizes = {lines: in_turn(song, lines, folder, arguments.rounds, arguments.threads) for lines in SIZES}
        long = ten_minutes(song, folder, arguments.threads)
    report(sizes, long, arguments.rounds, load)


def report(
    sizes: dict[str, tuple[Measurements, dict[str, Any]]], long: dict[str, results.Figure], rounds: int, load: float
) -> None:
    figures: dict[str, results.Figure] = {"ratio_definition": "ours divided by theirs, medians of rounds in turn"}
    rows: list[dict[str, results.Figure]] = []
    for lines, (done, file) in sizes.items():
        ours = done["antiphon"]
        cpu = _middle(ours, "cpu_seconds")
        for name, many in done.items():
            rows.append({"what": f"{name} {lines}p", **{key: _middle(many, key) for key in OF}})
            if many is not ours:
                figures[f"cpu_ratio_{name}_{lines}"] = round(cpu / _middle(many, "cpu_seconds"), 2)
        figures[f"realtime_{lines}"] = round(SECONDS / _middle(ours, "seconds"), 2)
        figures[f"wall_s_{lines}"] = round(_middle(ours, "seconds"), 2)
        figures[f"cpu_s_{lines}"] = round(cpu, 2)
        figures[f"rss_mb_{lines}"] = round(_middle(ours, "rss_mb"))
        figures[f"file_mb_{lines}"] = file["mb"]
        figures["psnr_db" if lines == "720" else f"psnr_db_{lines}"] = file["psnr"]
    results.table(rows)
    figures |= {**long, "rounds": rounds, "load_average": round(load, 1)}
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print(f"written: {results.write('bench-video', figures, 'make bench-video')}")


def _middle(many: list[Measurement], what: str) -> float:
    return median(OF[what](one) for one in many)


if __name__ == "__main__":
    main()
