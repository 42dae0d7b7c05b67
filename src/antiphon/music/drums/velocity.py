"""How hard each drum was struck: by how much its band falls short of its loud hits in the song."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.features import band_centres

RANGES: Mapping[str, tuple[float, float]] = {
    "kick": (30.0, 130.0),
    "snare": (150.0, 9_000.0),
    "hihat": (6_000.0, 17_000.0),
    "tom": (60.0, 400.0),
    "cymbal": (3_000.0, 17_000.0),
}
"""Hz between which each drum is loudest."""
AFTER = 3
"""Frames from an onset on in which it reaches its level."""
LOUD, LOUD_PERCENTILE = 0.85, 90.0
"""The velocity of a song's loud hits on a drum, and which they are."""
SPAN = 30.0
"""dB from velocity 1 to 0."""
MIN_VELOCITY = 0.1
MIN_HITS_ALONE = 4
"""Hits on a drum alone that are needed to know how it sounds alone."""

Frames = NDArray[np.intp]


def levels_at(song: NDArray[np.float16], drum: str, frames: Frames) -> NDArray[np.float64]:
    """The level in dB of the band of ``drum`` at hits on the given frames of ``song`` (frames, BANDS)."""
    low, high = RANGES[drum]
    columns = np.flatnonzero((band_centres() >= low) & (band_centres() <= high))
    after = np.minimum(frames[:, np.newaxis] + np.arange(AFTER), len(song) - 1)
    power = 10 ** (song[:, columns][after].astype(np.float64) / 10)
    return np.asarray(10 * np.log10(power.mean(axis=2).max(axis=1) + 1e-12))


def velocities(level: NDArray[np.float64], alone: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Velocities 0–1 of one drum's hits from their levels in dB, both (n,).

    What is struck together with another drum gets louder by it, so such hits count at most as much as the median of
    those that are ``alone``."""
    if not len(level):
        return np.zeros(0)
    if np.count_nonzero(alone) >= MIN_HITS_ALONE:
        level = np.where(alone, level, np.minimum(level, np.median(level[alone])))
    relative = level - np.percentile(level, LOUD_PERCENTILE)
    return np.asarray(np.clip(LOUD + relative / SPAN, MIN_VELOCITY, 1.0))
