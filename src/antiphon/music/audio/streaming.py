"""Blocks of samples of a file, at the sample rate and channel count that an engine needs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soxr

from antiphon.music.audio.channels import fold
from antiphon.music.audio.source import Chunk, Samples, open_source

_BATCH_SAMPLES = 65536


def stream(path: Path, *, sample_rate: int, channels: int, block: int) -> Iterator[Samples]:
    """Blocks (block, channels) of a file, float32 in order of time; the last one may be shorter, and none is empty.

    Resampled by soxr with its delay taken out. Damaged frames inside the file are left out.

    Args:
        path: An audio file.
        sample_rate: Hz of the blocks.
        channels: 1 or 2.
        block: Samples in a block.

    Raises:
        NotAudio: The file cannot be opened.
        ValueError: ``channels`` or ``block`` is out of range.
    """
    if channels not in (1, 2) or block < 1:
        raise ValueError(f"channels must be 1 or 2 and block positive, got {channels} and {block}")
    with open_source(path) as source:
        yield from _reblock(_resampled(source.chunks(), sample_rate, channels), block)


def decode(
    path: Path, *, sample_rate: int, channels: int, start: float = 0.0, duration: float | None = None
) -> Samples:
    """Samples (n, channels) of a file or of a part of it, float32.

    Exact to the sample: what comes before ``start`` is decoded and dropped rather than sought over.

    Args:
        path: An audio file.
        sample_rate: Hz of the samples.
        channels: 1 or 2.
        start: Seconds into the file.
        duration: Seconds; None: to the end.

    Raises:
        NotAudio: The file cannot be opened.
    """
    first = round(start * sample_rate)
    last = None if duration is None else first + round(duration * sample_rate)
    parts: list[Samples] = []
    position = 0
    for samples in stream(path, sample_rate=sample_rate, channels=channels, block=_BATCH_SAMPLES):
        begin = max(first - position, 0)
        end = len(samples) if last is None else min(last - position, len(samples))
        if begin < end:
            parts.append(samples[begin:end])
        position += len(samples)
        if last is not None and position >= last:
            break
    return np.concatenate(parts) if parts else np.zeros((0, channels), np.float32)


def _resampled(chunks: Iterable[Chunk], sample_rate: int, channels: int) -> Iterator[Samples]:
    """Chunks as (n, channels) at ``sample_rate``. A file may change its own rate half-way: each run of one
    rate has a resampler of its own."""
    resampler: soxr.ResampleStream | None = None
    current = 0
    for rate, samples in _batches(chunks, channels):
        if resampler is not None and rate != current:
            yield _run(resampler, np.zeros((0, channels), np.float32), last=True)
            resampler = None
        if rate == sample_rate:
            yield samples
            continue
        if resampler is None:
            resampler, current = soxr.ResampleStream(rate, sample_rate, channels, dtype="float32"), rate
        yield _run(resampler, samples)
    if resampler is not None:
        yield _run(resampler, np.zeros((0, channels), np.float32), last=True)


def _run(resampler: soxr.ResampleStream, samples: Samples, *, last: bool = False) -> Samples:
    resampled: Samples = resampler.resample_chunk(samples, last=last)
    return resampled.reshape(-1, samples.shape[1])


def _batches(chunks: Iterable[Chunk], channels: int) -> Iterator[tuple[int, Samples]]:
    """Join small frames, because a call per frame costs more than the work in it."""
    held: list[Samples] = []
    count, rate = 0, 0
    for chunk in chunks:
        if held and (chunk.sample_rate != rate or count >= _BATCH_SAMPLES):
            yield rate, np.concatenate(held)
            held, count = [], 0
        rate = chunk.sample_rate
        held.append(fold(chunk.samples, chunk.layout, channels))
        count += len(chunk.samples)
    if held:
        yield rate, np.concatenate(held)


def _reblock(parts: Iterable[Samples], block: int) -> Iterator[Samples]:
    held: list[Samples] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count < block:
            continue
        joined = np.concatenate(held)
        whole = count - count % block
        for at in range(0, whole, block):
            yield joined[at : at + block]
        held, count = [joined[whole:].copy()], count - whole
    if count:
        yield np.concatenate(held)
