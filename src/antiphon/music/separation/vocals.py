"""Vocals of a mix, by the Spleeter network.

STFT of 4096 samples every 1024 at 44.1 kHz; the network sees the magnitudes of 1024 bins (up to 11 kHz) over 512
frames at a time and answers with a soft mask.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.errors import WeightsError
from antiphon.music.onnxsession import open_session
from antiphon.music.separation.unet import BINS, FRAME_MULTIPLE, INPUT, OUTPUT
from antiphon.music.signal.framing import Fifo, Samples
from antiphon.music.signal.stft import Frames, Grid, Synthesis, frames_of

GRID = Grid(window=4096, hop=1024)
SEGMENT = 512
OVERLAP = 64
PIECE = 112
"""Frames that are handed on at a time, so that what follows needs little memory."""
TOP_BINS = 256
"""The mask above 11 kHz, which the network does not see, is the mean over so many bins below it."""

Mask = NDArray[np.float32]


class VocalMask:
    """The network, loaded."""

    def __init__(self, path: Path, threads: int) -> None:
        try:
            # Its plan of memory costs 140 MB more and saves no time.
            self._session = open_session(path, threads=threads, memory_pattern=False, warnings=False)
        except Exception as error:
            raise WeightsError(
                f"The weights in {path} cannot be loaded: {error}. Delete the file and run 'antiphon models fetch'"
            ) from error

    def __call__(self, frames: Frames) -> Mask:
        """The share of the vocals, 0–1, in frames (n, 2, 2049); same shape, float32."""
        count = len(frames)
        padded = -count % FRAME_MULTIPLE
        magnitude = np.abs(frames[:, :, :BINS]).transpose(1, 0, 2)
        magnitude = np.pad(magnitude, ((0, 0), (0, padded), (0, 0)))
        answer = self._session.run([OUTPUT], {INPUT: magnitude[np.newaxis]})[0][0, :, :count]
        low: Mask = answer.transpose(1, 0, 2)
        above = low[:, :, -TOP_BINS:].mean(axis=2, keepdims=True)
        return np.concatenate([low, np.broadcast_to(above, (count, 2, GRID.bins - BINS))], axis=2)


def split_vocals(blocks: Iterator[Samples], mask: VocalMask) -> Iterator[tuple[Samples, Samples]]:
    """Stereo blocks at 44.1 kHz as aligned pairs ``(mix, vocals)``, both (n, 2), as long together as the blocks."""
    waiting = Fifo(2)
    synthesis = Synthesis(GRID, 2)
    for block, frames, share in masked(frames_of(blocks, GRID, 2), mask):
        waiting.push(block)
        vocals = synthesis.push(frames * share)
        mix = waiting.take(len(vocals))
        if len(mix):
            yield mix, vocals[: len(mix)]


def masked(source: Iterator[tuple[Samples, Frames]], mask: VocalMask) -> Iterator[tuple[Samples, Frames, Mask]]:
    """Blocks as they come, frames once their mask is known, with it. Neighbouring segments overlap, and their masks
    fade into each other."""
    nothing = np.zeros((0, 2), np.float32)
    held = np.zeros((0, 2, GRID.bins), np.complex64)
    tail: Mask | None = None
    step = SEGMENT - OVERLAP
    for block, frames in source:
        held = np.concatenate([held, frames])
        yield block, held[:0], np.zeros(held[:0].shape, np.float32)
        while len(held) > SEGMENT:
            current = faded(mask(held[:SEGMENT]), tail)
            for piece in pieces(step):
                yield nothing, held[piece], current[piece]
            held, tail = held[step:].copy(), current[step:].copy()
    if len(held):
        current = faded(mask(held), tail)
        for piece in pieces(len(held)):
            yield nothing, held[piece], current[piece]


def pieces(count: int) -> Iterator[slice]:
    for start in range(0, count, PIECE):
        yield slice(start, min(start + PIECE, count))


def faded(mask: NDArray[np.float32], tail: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """``mask``, of a segment's frames along its first axis, with its beginning faded over from ``tail``, the end of the
    one before it."""
    if tail is not None:
        count = min(len(tail), len(mask))
        weight = ((np.arange(count, dtype=np.float32) + 1) / (len(tail) + 1)).reshape(-1, *[1] * (mask.ndim - 1))
        mask[:count] = tail[:count] * (1 - weight) + mask[:count] * weight
    return mask
