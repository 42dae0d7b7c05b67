"""The exported network over a whole sound, with numpy and onnxruntime alone."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from training.transcription.features import FRAMES_PER_STEP, PITCHES, Floats, levels, reference, scaled

INPUT, HEADS = "levels", ("onset", "frame", "velocity")
CONTEXT = 64
"""Frames before and after a frame that the network hears, at most."""
PIECE = 384
"""Frames that are answered at a time; with many more the maps no longer fit the processor's caches."""


class Activations(NamedTuple):
    """All (steps, PITCHES), 0–1."""

    onset: Floats
    frame: Floats
    velocity: Floats


class NoteModel:
    """The network, loaded."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, sound: Floats) -> Activations:
        """What is heard in mono samples at ``SAMPLE_RATE``."""
        return self.hear(scaled(levels(sound), reference(sound)))

    def hear(self, level: Floats) -> Activations:
        """What is heard in scaled levels (CHANNELS, frames, BINS); an odd last frame is left out."""
        steps = level.shape[1] // FRAMES_PER_STEP
        whole = Activations(*(np.zeros((steps, PITCHES), np.float32) for _ in HEADS))
        for first in range(0, steps * FRAMES_PER_STEP, PIECE):
            begin, end = max(first - CONTEXT, 0), min(first + PIECE + CONTEXT, steps * FRAMES_PER_STEP)
            heard = self._session.run(list(HEADS), {INPUT: np.ascontiguousarray(level[None, :, begin:end])})
            kept = min(first + PIECE, end) - first
            for out, one in zip(whole, heard, strict=True):
                source = (first - begin) // FRAMES_PER_STEP
                count = kept // FRAMES_PER_STEP
                out[first // FRAMES_PER_STEP :][:count] = one[0, source : source + count]
        return whole
