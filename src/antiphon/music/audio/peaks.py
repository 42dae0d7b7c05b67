"""The outline of a sound: how low and how high it goes, stretch by stretch, for drawing a waveform."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio.source import Chunk, open_source

_BLOCK = 256  # samples that are taken together at once
_BATCH = 256 * _BLOCK
_FULL_SCALE = 127


@dataclass(frozen=True)
class Peaks:
    """``duration`` is in seconds; ``low`` and ``high`` are of one length, each -127…127."""

    duration: float
    low: list[int]
    high: list[int]


def peaks(path: Path, *, most: int) -> Peaks:
    """The outline of a file over all its channels in up to ``most`` stretches of equal length. Raises ``NotAudio``."""
    seconds = 0.0

    def timed(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal seconds
        for chunk in chunks:
            seconds += len(chunk.samples) / chunk.sample_rate
            yield chunk

    with open_source(path) as source:
        blocks = list(_blocks(timed(source.chunks())))
    if not blocks:
        return Peaks(0.0, [], [])
    low, high = (np.concatenate(side) for side in zip(*blocks, strict=True))
    edges = np.arange(min(most, len(low))) * len(low) // min(most, len(low))
    return Peaks(
        duration=round(seconds, 3),
        low=_scaled(np.minimum.reduceat(low, edges)),
        high=_scaled(np.maximum.reduceat(high, edges)),
    )


def _scaled(values: NDArray[np.float32]) -> list[int]:
    whole: list[int] = np.rint(np.clip(values, -1, 1) * _FULL_SCALE).astype(int).tolist()
    return whole


def _blocks(chunks: Iterable[Chunk]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Lowest and highest value of each block of samples, in batches."""
    held: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    count = 0
    for chunk in chunks:
        held.append((chunk.samples.min(axis=1), chunk.samples.max(axis=1)))
        count += len(chunk.samples)
        if count >= _BATCH:
            low, high = (np.concatenate(side) for side in zip(*held, strict=True))
            whole = count - count % _BLOCK
            yield low[:whole].reshape(-1, _BLOCK).min(axis=1), high[:whole].reshape(-1, _BLOCK).max(axis=1)
            held, count = [(low[whole:], high[whole:])], count - whole
    if count:
        low, high = (np.concatenate(side) for side in zip(*held, strict=True))
        starts = np.arange(0, count, _BLOCK)
        yield np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
