"""Outline of a sound, for drawing its waveform: lowest and highest level of each stretch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio.source import Chunk, Samples, open_source

_BLOCK_SAMPLES = 256  # taken together at once
_BATCH_SAMPLES = 256 * _BLOCK_SAMPLES
_FULL_SCALE = 127


@dataclass(frozen=True)
class Outline:
    """Lowest and highest level of stretches of equal length, each -127…127; ``duration`` of the whole in seconds."""

    duration: float
    low: list[int]
    high: list[int]


def peaks(path: Path, *, most: int) -> Outline:
    """Outline of a file over all its channels.

    Args:
        path: An audio file.
        most: Stretches at most, of equal length.

    Raises:
        NotAudio: The file cannot be opened.
    """
    seconds = 0.0

    def timed(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal seconds
        for chunk in chunks:
            seconds += len(chunk.samples) / chunk.sample_rate
            yield chunk

    with open_source(path) as source:
        blocks = list(_blocks(timed(source.chunks())))
    if not blocks:
        return Outline(0.0, [], [])
    low, high = (np.concatenate(side) for side in zip(*blocks, strict=True))
    edges = np.arange(min(most, len(low))) * len(low) // min(most, len(low))
    return Outline(
        duration=round(seconds, 3),
        low=_scaled(np.minimum.reduceat(low, edges)),
        high=_scaled(np.maximum.reduceat(high, edges)),
    )


def _scaled(values: NDArray[np.float32]) -> list[int]:
    whole: list[int] = np.rint(np.clip(values, -1, 1) * _FULL_SCALE).astype(int).tolist()
    return whole


def _blocks(chunks: Iterable[Chunk]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Lowest and highest value of each block of samples over all channels, in batches."""
    held: list[Samples] = []
    count = 0
    for chunk in chunks:
        if held and chunk.samples.shape[1] != held[0].shape[1]:  # a file may change its channels half-way
            yield _extremes(np.concatenate(held))
            held, count = [], 0
        held.append(chunk.samples)
        count += len(chunk.samples)
        if count >= _BATCH_SAMPLES:
            joined = np.concatenate(held)
            whole = count - count % _BLOCK_SAMPLES
            yield _extremes(joined[:whole])
            held, count = [joined[whole:]], count - whole
    if count:
        yield _extremes(np.concatenate(held))


def _extremes(samples: Samples) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of (n, channels), block by block; the rest of a block counts as one."""
    values = samples.reshape(-1)  # all channels of a block lie together: many times faster than by channel
    starts = np.arange(0, len(values), _BLOCK_SAMPLES * samples.shape[1])
    return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
