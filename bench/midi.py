"""How fast the transcription is and how much memory it takes, beside the ``basic-pitch`` package.

Both write down the same stem of three minutes, the separated ``other`` of the demo's song, repeated, from the command
to the ``.mid``, cold: ``antiphon midi FILE`` and ``basic-pitch --model-serialization onnx FOLDER FILE`` (0.4.0). A
ratio is basic-pitch's divided by ours, medians of ``--rounds`` each, taken in turn. basic-pitch finds the machine code
that numba compiled for it at an earlier start; ``wall_ratio_basic_pitch_first`` is its first start on a machine.

Then the four stems of the demo's song, separated by us and repeated to 180 s and to 60 minutes, are transcribed as a
task does it: by ``python -m antiphon.music``, process start included. Memory is the largest resident set of the
process (``ru_maxrss``) in MB (10^6 bytes).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from antiphon.settings import load_settings
from bench import results
from bench.engines import ROOT, SONG, Measurement, engine, measure
from bench.eval_midi.contender import PYTHON

MINUTES = 60
STEM_SECONDS = 180
OURS, THEIRS, FIRST = "antiphon midi", "basic-pitch", "basic-pitch, first start"


def against_basic_pitch(stem: Path, out: Path, rounds: int, models: Path) -> dict[str, list[Measurement]]:
    """Measurements of both, ``rounds`` each, after a first start of basic-pitch."""

    def theirs(name: str, **environment: str) -> Measurement:
        folder = out / name
        folder.mkdir()
        command = [str(PYTHON.parent / "basic-pitch"), "--model-serialization", "onnx", str(folder), str(stem)]
        return measure(command, **environment)

    ours = [sys.executable, "-m", "antiphon", "midi", str(stem), "--out", str(out / "ours.mid")]
    done: dict[str, list[Measurement]] = {OURS: [], THEIRS: []}
    done[FIRST] = [theirs("first", NUMBA_CACHE_DIR=str(out / "numba"))]
    theirs("warm")
    for number in range(rounds):
        done[OURS].append(measure(ours, ANTIPHON_MODELS=str(models)))
        done[THEIRS].append(theirs(str(number)))
    return done


def of_stems(stems: dict[str, str], seconds: float, out: Path, models: Path, threads: int) -> Measurement:
    """The transcription of ``stems``, each repeated to ``seconds``."""
    folder = out / f"{seconds:.0f}"
    folder.mkdir()
    longer = {name: folder / f"{name}.flac" for name in stems}
    for name, path in longer.items():
        _run("bench.repeat", stems[name], path, seconds)
    paths = {name: str(path) for name, path in longer.items()}
    done = engine("transcribe", stems=paths, out=str(folder), models=str(models), threads=threads)
    for path in longer.values():
        path.unlink()
    return done


def _run(module: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, cwd=ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the transcription's speed and memory.")
    parser.add_argument("song", type=Path, nargs="?", default=SONG)
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--threads", type=int, default=results.cores())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of the long file; other than 60 is not kept")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        parser.exit(1, f"basic-pitch has no environment ({PYTHON}): make bench-midi makes it\n")
    models, song = arguments.models.absolute(), arguments.song.absolute()
    load = os.getloadavg()[0]
    if load > results.cores() / 2:
        print(f"note: other work keeps this machine busy (load {load:.1f}); cpu_seconds say more")
    measure([sys.executable, "-m", "antiphon", "models", "fetch"], ANTIPHON_MODELS=str(models))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        common = {"models": str(models), "codec": "flac", "threads": arguments.threads}
        stems = engine("separate", source=str(song), out=str(out), kind="split_stem", **common).answer["stems"]
        _run("bench.repeat", stems["other"], out / "stem.flac", STEM_SECONDS)
        both = against_basic_pitch(out / "stem.flac", out, arguments.rounds, models)
        short = of_stems(stems, STEM_SECONDS, out, models, arguments.threads)
        long = of_stems(stems, 60 * arguments.minutes, out, models, arguments.threads)
    report(both, short, long, arguments.minutes, load)


def report(
    both: dict[str, list[Measurement]], short: Measurement, long: Measurement, minutes: float, load: float
) -> None:
    rows = [_row(name, one) for name, many in both.items() for one in many]
    rows += [_row("four stems of 180 s", short), _row(f"four stems of {minutes:g} min", long)]
    results.table(rows)
    ours = both[OURS]

    def ratio(value: Callable[[Measurement], float], contender: str = THEIRS) -> float:
        return round(median(map(value, both[contender])) / median(map(value, ours)), 2)

    figures: dict[str, results.Figure] = {
        "ratio_definition": "basic-pitch 0.4.0 (ONNX) divided by ours: one stem of 180 s, process start included",
        "wall_ratio_basic_pitch": ratio(lambda one: one.seconds),
        "wall_ratio_basic_pitch_first": ratio(lambda one: one.seconds, FIRST),
        "cpu_ratio_basic_pitch": ratio(lambda one: one.cpu),
        "rss_ratio_basic_pitch": ratio(lambda one: one.rss),
        "wall_s": round(median(one.seconds for one in ours), 2),
        "rss_mb": round(median(one.rss for one in ours)),
        "four_stems_180s_wall_s": round(short.seconds, 1),
        "four_stems_180s_cpu_s": round(short.cpu, 1),
        "four_stems_180s_rss_mb": round(short.rss),
        "rss_mb_60min": round(long.rss),
        "wall_s_60min": round(long.seconds),
        "cpu_s_60min": round(long.cpu),
        "load_average": round(load, 1),
    }
    if minutes == MINUTES:
        print(f"written: {results.write('bench-midi', figures, 'make bench-midi')}")


def _row(name: str, one: Measurement) -> dict[str, results.Figure]:
    return {"what": name, "seconds": one.seconds, "cpu_seconds": one.cpu, "rss_mb": round(one.rss)}


if __name__ == "__main__":
    main()
