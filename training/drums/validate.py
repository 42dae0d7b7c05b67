"""How well a network does on excerpts it was not trained with, and at which thresholds."""

from collections.abc import Callable, Mapping, Sequence

import mir_eval
import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.onsets import DRUMS, peaks, refined
from training.drums.corpus import Excerpt
from training.drums.material import RATE, onset_times

TOLERANCE = 0.05
THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(17))

Onsets = Callable[[Excerpt], NDArray[np.float32]]
"""Onset activations (frames, drums) of an excerpt."""


def sweep(onsets_of: Onsets, excerpts: Sequence[Excerpt]) -> NDArray[np.int64]:
    """Counts (drums, thresholds, 3) of hits that are right, in truth, and found."""
    counts = np.zeros((len(DRUMS), len(THRESHOLDS), 3), np.int64)
    for one in excerpts:
        onsets = onsets_of(one)
        for drum in range(len(DRUMS)):
            truth = np.array(onset_times(one, drum))
            for column, threshold in enumerate(THRESHOLDS):
                found = refined(onsets[:, drum], peaks(onsets[:, drum], threshold)) / RATE
                right = len(mir_eval.util.match_events(truth, found, TOLERANCE)) if len(truth) and len(found) else 0
                counts[drum, column] += right, len(truth), len(found)
    return counts


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
