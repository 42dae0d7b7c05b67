"""Batches for the training: scenes as scaled levels, with their targets."""

from pathlib import Path

import numpy as np

from antiphon.music.transcription.levels import FRAMES_PER_STEP, HOP, Floats, levels, reference, scaled
from training.transcription.bank import Recording, recordings
from training.transcription.effects import Random
from training.transcription.scenes import MARGIN_SAMPLES, Scene, compose
from training.transcription.targets import audible, targets

FRAMES = 432
"""Frames of a crop: 5 s."""


class Material:
    """The recordings of a bank's folder; those that come later are taken in by ``refresh``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.recordings: list[Recording] = []
        self.refresh()

    def refresh(self) -> None:
        self.recordings += recordings(self._folder, {one.name for one in self.recordings})

    def batch(self, rng: Random, size: int, frames: int = FRAMES) -> tuple[Floats, Floats]:
        """Scaled levels (size, CHANNELS, frames, BINS) and targets (size, 6, frames / FRAMES_PER_STEP, PITCHES)."""
        pairs = [example(rng, compose(rng, self.recordings, frames), frames) for _ in range(size)]
        return np.stack([level for level, _ in pairs]), np.stack([wanted for _, wanted in pairs])


def example(rng: Random, scene: Scene, frames: int) -> tuple[Floats, Floats]:
    """A scene as scaled levels and stacked targets. A whole song's loud passages are louder than a crop's."""
    margin = MARGIN_SAMPLES // HOP
    before = levels(scene.plain)[0, margin : margin + frames]
    heard = audible(scene.notes, before, reference(scene.plain))
    wanted = targets(scene.notes, heard, scene.residue, frames // FRAMES_PER_STEP)
    level, loud = levels(scene.samples)[:, margin : margin + frames], reference(scene.samples)
    return scaled(level, loud + float(rng.uniform(-4, 10))), wanted.stacked()
