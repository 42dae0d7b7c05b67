"""Batches out of the excerpts that ``corpus`` has written, varied anew each time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.separation.bands import FIELDS
from training.separation.components import BANDS, LEVEL, Floats

CROP = 256
"""Frames of a crop: 6 s."""
NEWEST = 0.25
"""Share of a batch that is drawn from the newest quarter of the excerpts, which a running training has seen least."""


class Material:
    """All excerpts of a folder, read from the disk as they are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.paths: list[Path] = []
        self.refresh()

    def refresh(self) -> None:
        """Takes in what has been written meanwhile."""
        self.paths = sorted(self._folder.glob("*.npy"))

    def batch(self, rng: np.random.Generator, size: int) -> Floats:
        """(size, CROP, BANDS, FIELDS)"""
        return np.stack([self._crop(rng) for _ in range(size)])

    def _crop(self, rng: np.random.Generator) -> Floats:
        count = len(self.paths)
        first = count * 3 // 4 if rng.random() < NEWEST else 0
        excerpt = np.load(self.paths[int(rng.integers(first, count))], mmap_mode="r")
        start = int(rng.integers(len(excerpt) - CROP + 1))
        return varied(rng, excerpt[start : start + CROP].astype(np.float32))


def whole(path: Path, frames: int | None = None) -> Floats:
    """An excerpt, or its beginning: (1, frames, BANDS, FIELDS)."""
    excerpt: NDArray[np.float16] = np.load(path)
    return excerpt[np.newaxis, :frames].astype(np.float32)


def varied(rng: np.random.Generator, statistics: Floats) -> Floats:
    """Through another equaliser: the other fields are relative to the band's energy and stay."""
    assert statistics.shape[1:] == (BANDS, FIELDS)
    if rng.random() < 0.7:
        points = np.sort(rng.uniform(0, BANDS, 6))
        curve = np.interp(np.arange(BANDS), points, rng.normal(0, 0.35, 6))
        statistics[..., LEVEL] += curve.astype(np.float32)
    if rng.random() < 0.1:
        statistics[:, int(rng.integers(BANDS * 5 // 8, BANDS)) :, LEVEL] -= 6
    return statistics
