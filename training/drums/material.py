"""Batches out of shards, varied anew each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.features import BANDS, gain, scaled
from antiphon.music.drums.onsets import DETAILS, DRUMS
from training.drums import corpus
from training.drums.samples import KINDS

FRAMES = 800
RATE = 100
WIDTH = 0.8
"""Frames of the bell by which a hit is marked."""
DRUM_OF = {
    "kick": 0,
    "snare": 1,
    **dict.fromkeys(("closed", "pedal", "open"), 2),
    **dict.fromkeys(("low", "mid", "high"), 3),
    **dict.fromkeys(("crash", "ride"), 4),
}
DETAIL_OF = {"open": 0, "low": 1, "mid": 2, "high": 3, "ride": 4}
DETAILED = (2, 3, 3, 3, 4)
"""The drum that each of ``DETAILS`` belongs to."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Targets:
    """All (frames, n): ``onsets`` 0–1, ``velocities`` where ``struck``, ``details`` where ``detailed``."""

    onsets: Floats
    velocities: Floats
    struck: Floats
    details: Floats
    detailed: Floats

    def stacked(self) -> Floats:
        return np.concatenate([self.onsets, self.velocities, self.struck, self.details, self.detailed], axis=1)


def targets(hits: Floats, first: float, frames: int) -> Targets:
    """The targets of ``frames`` frames from ``first`` seconds on."""
    shape, finer = (frames, len(DRUMS)), (frames, len(DETAILS))
    made = Targets(*(np.zeros(size, np.float32) for size in (shape, shape, shape, finer, finer)))
    for time, number, velocity in hits.tolist():
        kind = KINDS[int(number)]
        drum = DRUM_OF.get(kind)
        if drum is None:
            continue
        place = (time - first) * RATE
        for frame in range(max(round(place) - 2, 0), min(round(place) + 3, frames)):
            near = float(np.exp(-0.5 * ((frame - place) / WIDTH) ** 2))
            made.onsets[frame, drum] = max(made.onsets[frame, drum], near)
            if near > 0.3:
                made.velocities[frame, drum] = max(velocity, made.velocities[frame, drum])
                made.struck[frame, drum] = 1
                mine = [column for column, owner in enumerate(DETAILED) if owner == drum]
                made.detailed[frame, mine] = 1
                if kind in DETAIL_OF:
                    made.details[frame, DETAIL_OF[kind]] = 1
    return made


class Material:
    """All excerpts of a folder of shards, in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: set[Path] = set()
        self.excerpts: list[corpus.Excerpt] = []
        self.gains: list[float] = []
        self.refresh()

    def refresh(self) -> None:
        """Takes in the shards that have been written meanwhile."""
        for path in sorted(set(self._folder.glob("*.npz")) - self._loaded):
            excerpts = list(corpus.load(path))
            self.excerpts += excerpts
            self.gains += [gain(one.levels) for one in excerpts]
            self._loaded.add(path)

    def batch(self, rng: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        """Levels (size, FRAMES, BANDS) and stacked targets (size, FRAMES, n)."""
        pairs = [self._crop(rng) for _ in range(size)]
        return np.stack([levels for levels, _ in pairs]), np.stack([target for _, target in pairs])

    def _crop(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        number = int(rng.integers(len(self.excerpts)))
        levels, hits = self._cut(rng, number)
        levels = levels + np.float32(self.gains[number] + rng.normal(0, 4))
        return scaled(_varied(rng, levels), 0.0), targets(hits, 0.0, FRAMES).stacked()

    def _cut(self, rng: np.random.Generator, number: int) -> tuple[Floats, Floats]:
        one = self.excerpts[number]
        first = int(rng.integers(len(one.levels) - FRAMES))
        hits = one.hits.copy()
        hits[:, 0] -= first / RATE
        return one.levels[first : first + FRAMES].astype(np.float32), hits


def _varied(rng: np.random.Generator, levels: Floats) -> Floats:
    """Levels in dB as another microphone might have them."""
    if rng.random() < 0.7:
        points = np.sort(rng.uniform(0, BANDS, 6))
        levels = levels + np.interp(np.arange(BANDS), points, rng.normal(0, 3, 6)).astype(np.float32)
    if rng.random() < 0.2:
        shift = int(rng.choice([-2, -1, 1, 2]))
        levels = np.roll(levels, shift, axis=1)
        levels[:, slice(0, shift) if shift > 0 else slice(shift, None)] = -120
    if rng.random() < 0.3:
        floor = rng.uniform(-85, -50) + np.interp(np.arange(BANDS), [0, BANDS], rng.normal(0, 8, 2))
        noise = floor + rng.normal(0, 3, levels.shape)
        levels = np.maximum(levels, noise.astype(np.float32))
    if rng.random() < 0.15:
        dead = int(rng.integers(BANDS * 5 // 8, BANDS))
        levels[:, dead:] = -120
    return levels


def whole(one: corpus.Excerpt) -> Floats:
    """All of an excerpt as the network gets it: (frames, BANDS)."""
    return scaled(one.levels, gain(one.levels))


def onset_times(one: corpus.Excerpt, drum: int) -> Sequence[float]:
    return sorted(float(time) for time, number, _ in one.hits if DRUM_OF.get(KINDS[int(number)]) == drum)
