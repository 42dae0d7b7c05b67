"""Makes hits out of what the network says of each frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRUMS = ("kick", "snare", "hihat", "tom", "cymbal")
"""What is struck; each has an onset activation and a velocity."""
DETAILS = ("open", "low", "mid", "high", "ride")
"""Given that its drum is struck: whether the hi-hat is open, which tom it is, whether the cymbal is a ride."""
REACH = 2
"""Frames on either side over which a peak is the highest."""
GAP = 4
"""Frames between two hits of one drum, at least."""

Frames = NDArray[np.intp]
Activation = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Activations:
    """What the network heard, each 0–1: ``onsets`` and ``velocities`` are (frames, 5), a column for each of
    ``DRUMS``; ``details`` is (frames, 5), a column for each of ``DETAILS``."""

    onsets: Activation
    velocities: Activation
    details: Activation

    def __len__(self) -> int:
        return len(self.onsets)


def peaks(onset: Activation, threshold: float) -> Frames:
    """Frames, ascending, at which ``onset`` (frames,) has a local peak of ``threshold`` or more; of two closer than
    ``GAP`` the higher one."""
    if not len(onset):
        return np.zeros(0, np.intp)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(onset, REACH), 2 * REACH + 1).max(axis=1)
    frames = np.flatnonzero((onset >= threshold) & (onset >= around))
    kept: list[int] = []
    for frame in frames.tolist():
        if kept and frame - kept[-1] < GAP:
            if onset[frame] > onset[kept[-1]]:
                kept[-1] = frame
        else:
            kept.append(frame)
    return np.array(kept, np.intp)


def refined(onset: Activation, frames: Frames) -> NDArray[np.float64]:
    """Where between frames the peaks are: the vertex of the parabola through each and its neighbours, in frames."""
    padded = np.pad(onset.astype(np.float64), 1, mode="edge")
    before, at, after = (padded[frames + offset] for offset in range(3))
    bend = before - 2 * at + after
    shift = np.where(bend < -1e-6, 0.5 * (before - after) / np.minimum(bend, -1e-6), 0.0)
    return np.asarray(frames + np.clip(shift, -0.5, 0.5), np.float64)
