"""How well the drums are written down: onset F1 on the evaluation songs, from the drum track and from the mix.

A hit counts as found if it lies within 50 ms of an annotated one of its class (mir_eval). From the mix means through
our own separation. ``together`` counts kicks, snares and hi-hats of a song as one, then takes the mean over the
songs; ``mean`` is the mean of these three classes' own F1, each the mean over the songs that have the class.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import mir_eval
import numpy as np

from antiphon.music import drums
from antiphon.music.progress import silent
from antiphon.music.separation import separate
from antiphon.score.notes import Note
from antiphon.settings import load_settings
from bench import results

DATA = Path("../shared/data")
TOLERANCE = 0.05
KEYS: Mapping[str, tuple[int, ...]] = {
    "KD": (35, 36),
    "SD": (38, 40),
    "HH": (42, 44, 46),
    "TT": (41, 43, 45, 47, 48, 50),
    "CY": (49, 51, 52, 53, 55, 57, 59),
}
"""The General MIDI percussion keys of each annotated class."""
CORE = ("KD", "SD", "HH")

Counts = tuple[int, int, int]
"""Hits found and right, hits in truth, hits found."""


def truth(path: Path) -> dict[str, list[float]]:
    """Onsets in seconds by class, of an annotation file."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {kind: sorted(float(time) for time, name in lines if name == kind) for kind in KEYS}


def counts(expected: Sequence[float], found: Sequence[float]) -> Counts:
    pairs = mir_eval.util.match_events(np.array(expected), np.array(found), TOLERANCE) if expected and found else []
    return len(pairs), len(expected), len(found)


def score(expected: Mapping[str, Sequence[float]], notes: Sequence[Note]) -> dict[str, Counts]:
    """The counts of one song by class."""
    heard = {kind: sorted(note.start for note in notes if note.pitch in keys) for kind, keys in KEYS.items()}
    return {kind: counts(expected[kind], heard[kind]) for kind in KEYS}


def f1(several: Sequence[Counts]) -> float:
    right, expected, found = (sum(column) for column in zip(*several, strict=True))
    return 2 * right / (expected + found) if expected + found else 1.0


def detected(path: Path) -> list[Note]:
    return drums.detect(path, duration=1.0, progress=silent)


def from_mix(song: Path, models: Path, threads: int) -> list[Note]:
    with tempfile.TemporaryDirectory() as folder:
        stems = separate(song / "mix.flac", Path(folder), kind="split_stem", models=models, threads=threads).stems
        return detected(stems["drums"]) if "drums" in stems else []


def evaluate(songs: Sequence[Path], notes_of: Callable[[Path], list[Note]]) -> list[dict[str, results.Figure]]:
    """A row for each song, then one of means."""
    scores = {song.name: score(truth(song / "drums.txt"), notes_of(song)) for song in songs}
    rows = [_row(name, scored) for name, scored in scores.items()]
    means: dict[str, results.Figure] = {"song": "mean"}
    for kind in KEYS:
        known = [f1([scored[kind]]) for scored in scores.values() if scored[kind][1]]
        means[kind] = fmean(known) if known else ""
    means["together"] = fmean(float(row["together"]) for row in rows)
    means["mean"] = fmean(float(means[kind]) for kind in CORE if means[kind] != "")
    return [*rows, means]


def _row(name: str, scored: Mapping[str, Counts]) -> dict[str, results.Figure]:
    """Where the song has none of a class, the cell shows how many were found instead, as a negative number."""
    cells = {kind: f1([one]) if one[1] else -one[2] for kind, one in scored.items()}
    return {"song": name, **cells, "together": f1([scored[kind] for kind in CORE])}


def main() -> None:
    parser = argparse.ArgumentParser(description="Evaluate the drum transcription on songs with annotated drums.")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="folder that holds mdb/<song>/")
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--threads", type=int, default=results.cores())
    arguments = parser.parse_args()
    songs = sorted(path.parent for path in arguments.data.glob("mdb/*/drums.txt"))
    if not songs:
        parser.error(f"no songs under {arguments.data}/mdb: give the folder of the evaluation data")
    print("from the drum track")
    results.table(evaluate(songs, lambda song: detected(song / "drums_only.flac")))
    print("\nfrom the mix, through the separation")
    results.table(evaluate(songs, lambda song: from_mix(song, arguments.models, arguments.threads)))


if __name__ == "__main__":
    main()
