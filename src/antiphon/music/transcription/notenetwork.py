"""Our note network over a sound: how likely a note of each pitch begins and sounds, and how hard it was struck. Its
model card lies beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from antiphon.music.onnxsession import open_session
from antiphon.music.signal.framing import Framer
from antiphon.music.transcription.levels import (
    FRAMES_PER_STEP,
    HOP,
    MARGIN,
    PITCHES,
    SAMPLE_RATE,
    Floats,
    levels,
    reference,
    scaled,
)
from antiphon.music.transcription.sound import Sound

MODEL = Path(__file__).parent / "notes.onnx"
INPUT, HEADS = "levels", ("onset", "frame", "velocity")
CONTEXT = 48
"""Frames before and after a frame that the network hears: its convolutions reach no further."""
PIECE = 768
"""Frames that are answered at a time; with many more the maps no longer fit the processor's caches."""
_MARGIN_FRAMES = int(np.ceil(MARGIN * SAMPLE_RATE / HOP))
_AROUND = CONTEXT + _MARGIN_FRAMES


class NoteActivations(NamedTuple):
    """All (steps, PITCHES), 0–1."""

    onset: Floats
    frame: Floats
    velocity: Floats


class Piece(NamedTuple):
    """``samples`` of a sound around the ``PIECE`` frames that are to be answered, and how many samples were read."""

    samples: Floats
    read: int

    def levels(self, tuning_cents: float) -> Floats:
        """Levels of the frames and of ``CONTEXT`` frames on either side, (CHANNELS, frames, BINS)."""
        return levels(self.samples, tuning_cents)[:, _MARGIN_FRAMES : _MARGIN_FRAMES + PIECE + 2 * CONTEXT]

    def rms(self) -> Floats:
        """RMS amplitude of the frames, over one hop on either side."""
        first = (_AROUND - 1) * HOP
        power = np.square(self.samples[first : first + (PIECE + 1) * HOP]).reshape(PIECE + 1, HOP).mean(axis=1)
        return np.asarray(np.sqrt((power[:-1] + power[1:]) / 2), np.float32)


def pieces(sound: Sound) -> Iterator[Piece]:
    """The pieces of a sound, in order; the last one is filled up with silence."""
    framer = Framer((PIECE + 2 * _AROUND) * HOP, PIECE * HOP, lead=_AROUND * HOP)
    read = given = 0
    for block in sound.blocks(SAMPLE_RATE, PIECE * HOP):
        read += len(block)
        for window in framer.push(block - block.mean()):
            given += 1
            yield Piece(window, read)
    missing = -(-read // (PIECE * HOP)) - given
    if missing > 0:
        rest = np.zeros((missing * PIECE + 2 * _AROUND) * HOP, np.float32)
        for window in framer.push(rest)[:missing]:
            yield Piece(window, read)


class NoteModel:
    """The network, loaded."""

    def __init__(self, path: Path = MODEL, threads: int = 1) -> None:
        self._session = open_session(path, threads=threads)

    def __call__(self, sound: Floats) -> NoteActivations:
        """What is heard in mono samples at ``SAMPLE_RATE``."""
        return self.hear(scaled(levels(sound), reference(sound)))

    def hear(self, level: Floats) -> NoteActivations:
        """What is heard in scaled levels (CHANNELS, frames, BINS); an odd last frame is left out."""
        steps = level.shape[1] // FRAMES_PER_STEP
        whole = NoteActivations(*(np.zeros((steps, PITCHES), np.float32) for _ in HEADS))
        for first in range(0, steps * FRAMES_PER_STEP, PIECE):
            begin, end = max(first - CONTEXT, 0), min(first + PIECE + CONTEXT, steps * FRAMES_PER_STEP)
            heard = self._answer(level[:, begin:end])
            kept = min(first + PIECE, end) - first
            for out, one in zip(whole, heard, strict=True):
                source = (first - begin) // FRAMES_PER_STEP
                count = kept // FRAMES_PER_STEP
                out[first // FRAMES_PER_STEP :][:count] = one[0, source : source + count]
        return whole

    def piece(self, level: Floats) -> NoteActivations:
        """What is heard in the ``PIECE`` frames in the middle of scaled levels."""
        kept = slice(CONTEXT // FRAMES_PER_STEP, (CONTEXT + PIECE) // FRAMES_PER_STEP)
        return NoteActivations(*(one[0, kept] for one in self._answer(level)))

    def _answer(self, level: Floats) -> list[Floats]:
        answer: list[Floats] = self._session.run(list(HEADS), {INPUT: np.ascontiguousarray(level[None])})
        return answer
