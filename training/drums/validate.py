"""How well a network does on excerpts it was not trained with, and at which thresholds.

    python -m training.drums.validate WORK

prints it for the network in the package; the thresholds of ``drums/onsets.py`` come from here.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.network import DrumModel
from antiphon.music.drums.onsets import DRUMS, peaks
from antiphon.music.drums.onsets import THRESHOLDS as CHOSEN
from antiphon.music.progress import silent
from antiphon.music.signal.peaks import parabolic_peaks
from training.drums.corpus import Excerpt, load
from training.drums.material import RATE, onset_times

TOLERANCE = 0.05
THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(17))

SCENES = {"track": ("track", "bled"), "mix": ("split", "unmixed")}
"""The scenes that stand for a drum track and for what the separation makes of a mix."""

Onsets = Callable[[Excerpt], NDArray[np.float32]]
"""Onset activations (frames, drums) of an excerpt."""


def sweep(onsets_of: Onsets, excerpts: Sequence[Excerpt]) -> NDArray[np.int64]:
    """Counts (drums, thresholds, 3) of hits that are right, in truth, and found."""
    counts = np.zeros((len(DRUMS), len(THRESHOLDS), 3), np.int64)
    for one in excerpts:
        onsets = onsets_of(one)
        for drum in range(len(DRUMS)):
            truth = onset_times(one, drum)
            for column, threshold in enumerate(THRESHOLDS):
                found = parabolic_peaks(onsets[:, drum], peaks(onsets[:, drum], threshold)) / RATE
                counts[drum, column] += matches(truth, found.tolist()), len(truth), len(found)
    return counts


def matches(truth: Sequence[float], found: Sequence[float]) -> int:
    """How many pairs within ``TOLERANCE`` there are at most between two ascending lists. With one tolerance for all,
    taking the earliest that fits is as good as mir_eval's search, and a hundred times as fast."""
    count = at = 0
    for time in truth:
        while at < len(found) and found[at] < time - TOLERANCE:
            at += 1
        if at < len(found) and found[at] <= time + TOLERANCE:
            count += 1
            at += 1
    return count


def f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of counts (..., 3)."""
    return np.asarray(2 * counts[..., 0] / np.maximum(counts[..., 1] + counts[..., 2], 1), np.float64)


def best(counts: NDArray[np.int64]) -> Mapping[str, tuple[float, float]]:
    """The threshold with the highest F1 of each drum, and that F1."""
    scores = f1(counts)
    tops = scores.argmax(axis=1)
    return {
        drum: (THRESHOLDS[int(top)], round(float(row[top]), 4))
        for drum, row, top in zip(DRUMS, scores, tops, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Validate the drum network in the package.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    network = DrumModel(threads=arguments.threads)
    excerpts = [one for path in sorted((arguments.work / "valid").glob("*.npz")) for one in load(path)]

    def onsets(one: Excerpt) -> NDArray[np.float32]:
        return network.activations(one.levels, silent).onsets.astype(np.float32)

    scores = {
        name: f1(sweep(onsets, [one for one in excerpts if one.scene in scenes])) for name, scenes in SCENES.items()
    }
    both = np.mean(list(scores.values()), axis=0)
    for row, drum in enumerate(DRUMS):
        top = int(both[row].argmax())
        chosen = THRESHOLDS.index(CHOSEN[row])
        cells = [f"{name} {score[row, chosen]:.3f} (best {score[row].max():.3f})" for name, score in scores.items()]
        print(f"{drum:8} at {CHOSEN[row]:.2f}: {', '.join(cells)}; best for both at {THRESHOLDS[top]:.2f}")
    phantoms = [one for one in excerpts if one.scene == "alone"]
    found = sum(len(peaks(onsets(one)[:, row], CHOSEN[row])) for one in phantoms for row in range(len(DRUMS)))
    print(f"{found} hits in {len(phantoms)} excerpts without drums")


if __name__ == "__main__":
    main()
