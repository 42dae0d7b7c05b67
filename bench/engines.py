"""How fast the engines are and how much memory they take.

Each engine runs as a task runs it: ``python -m antiphon.music``, a fresh process, which imports, loads the weights,
works and ends. The real-time factor (RTF) is processing time divided by the audio's duration, as in the literature:
0.1 means that a minute of music takes 6 s, and less is better. Memory is the largest resident set of the process
(``ru_maxrss``); ``peak_rss_mb`` is the largest of all engines.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.settings import load_settings
from bench import results

ROOT = Path(__file__).parents[1]
SONG = ROOT / "demo" / "song.mp3"
MODELS = load_settings().models_folder
EXCERPT = 30.0  # seconds of audio in the measurement of the cold start


@dataclass(frozen=True, slots=True)
class Measurement:
    """One process: wall-clock and CPU seconds, peak resident set in MB (10^6 bytes), and what it answered."""

    seconds: float
    cpu: float
    rss: float
    answer: Any = None


def measure(command: list[str], *, request: str = "", **environment: str) -> Measurement:
    """Runs a process to its end. ``request`` is its standard input, which stays open until it answers: an
    engine whose input ends stops. Raises RuntimeError when it fails."""
    start = time.perf_counter()
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(request)
    child.stdin.flush()
    lines = child.stdout.read().splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdin.close()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6, lines)


def engine(name: str, **arguments: Any) -> Measurement:
    """One engine in its child process; ``answer`` is its result. Raises RuntimeError with the engine's words."""
    request = json.dumps({"engine": name, "arguments": arguments}) + "\n"
    done = measure([sys.executable, "-m", "antiphon.music"], request=request)
    last = json.loads(done.answer[-1]) if done.answer else {}
    if "result" not in last:
        raise RuntimeError(f"{name}: {last.get('error', {}).get('message', 'no answer')}")
    return Measurement(done.seconds, done.cpu, done.rss, last["result"])


def run_engines(song: Path, models: Path, threads: int, out: Path) -> tuple[float, dict[str, Measurement]]:
    """The song's duration in seconds and a measurement for each engine, in the order of a demo."""
    path, weights = str(song.absolute()), str(models.absolute())
    looked = engine("inspect", path=path, max_duration=3600.0)
    done: dict[str, Measurement] = {"inspect": looked}
    for kind in ("separate_vocal", "split_stem"):
        folder = out / kind
        folder.mkdir()
        done[kind] = engine(
            "separate", source=path, out=str(folder), kind=kind, models=weights, codec="flac", threads=threads
        )
    stems = done["split_stem"].answer["stems"]
    done["midi"] = engine("transcribe", stems=stems, out=str(out), models=weights, threads=threads)
    done["video"] = engine(
        "render",
        audio=path,
        out=str(out / "video.mp4"),
        title="Call, and I Will Answer",
        author="Antiphon",
        domain=None,
        cover=None,
        threads=threads,
    )
    return float(looked.answer["duration"]), done


def cold_starts(song: Path, models: Path, out: Path) -> dict[str, Measurement]:
    """``antiphon midi FILE``, plain and with ``--stems``, for a file of 30 s: from the command to the ``.mid``."""
    excerpt = out / "excerpt.wav"
    cut = [sys.executable, "-m", "bench.excerpt", str(song.absolute()), str(excerpt), str(EXCERPT)]
    subprocess.run(cut, check=True, cwd=ROOT)
    command = [sys.executable, "-m", "antiphon", "midi", str(excerpt), "--out", str(out / "excerpt.mid")]
    weights = str(models.absolute())
    return {
        "antiphon midi": measure(command, ANTIPHON_MODELS=weights),
        "antiphon midi --stems": measure([*command, "--stems"], ANTIPHON_MODELS=weights),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engines' speed and memory.")
    parser.add_argument("song", type=Path, nargs="?", default=SONG)
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of the unpacked weights")
    parser.add_argument("--threads", type=int, default=results.cores())
    arguments = parser.parse_args()
    if os.getloadavg()[0] > results.cores() / 2:
        print(f"note: other work keeps this machine busy (load {os.getloadavg()[0]:.1f}); cpu_seconds say more")
    measure([sys.executable, "-m", "antiphon", "models", "fetch"], ANTIPHON_MODELS=str(arguments.models.absolute()))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        duration, done = run_engines(arguments.song, arguments.models, arguments.threads, out)
        cold = cold_starts(arguments.song, arguments.models, out)
    report(arguments.song, duration, done, cold)


def report(song: Path, duration: float, done: dict[str, Measurement], cold: dict[str, Measurement]) -> None:
    print(f"{song.name}: {duration:.1f} s of audio. rtf = processing time / duration; 0.1 is ten times real time")
    rows = [_row(name, one, duration) for name, one in done.items()]
    rows += [_row(f"{name} ({EXCERPT:.0f} s file, cold)", one, EXCERPT) for name, one in cold.items()]
    results.table(rows)
    plain, split = cold["antiphon midi"], cold["antiphon midi --stems"]
    figures: dict[str, results.Figure] = {
        "rtf_definition": "processing time / audio duration, start of the process included",
        "audio_seconds": round(duration, 2),
        "separation_rtf": round(done["split_stem"].seconds / duration, 4),
        "separation_vocal_rtf": round(done["separate_vocal"].seconds / duration, 4),
        "midi_rtf": round(done["midi"].seconds / duration, 4),
        "video_rtf": round(done["video"].seconds / duration, 4),
        "peak_rss_mb": round(max(one.rss for one in done.values())),
        "midi_cold_start_s": round(plain.seconds, 2),
        "midi_rss_mb": round(plain.rss),
        "midi_stems_cold_start_s": round(split.seconds, 2),
        "midi_stems_rss_mb": round(split.rss),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(f"written: {results.write('bench-engines', figures, 'make bench-engines')}")


def _row(name: str, one: Measurement, duration: float) -> dict[str, results.Figure]:
    return {
        "engine": name,
        "seconds": one.seconds,
        "cpu_seconds": one.cpu,
        "rtf": one.seconds / duration,
        "rss_mb": round(one.rss),
    }


if __name__ == "__main__":
    main()
