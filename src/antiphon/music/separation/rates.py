"""An engine at a song's own sample rate: what goes in is resampled to the engine's rate, what comes out back."""

from collections.abc import Iterator

import numpy as np
import soxr

from antiphon.music.separators import Separator
from antiphon.music.signal.framing import Fifo, Samples


def separated_at(
    blocks: Iterator[Samples], rate: int, engine: Separator, wanted: tuple[str, ...]
) -> Iterator[tuple[Samples, Samples]]:
    """As ``engine.separate``, for blocks (n, 2) of any ``rate``. The mix is passed on untouched; above half the
    engine's rate the stems have nothing."""
    if rate == engine.sample_rate:
        yield from engine.separate(blocks, wanted)
        return
    waiting = Fifo(2)
    columns = 2 * len(wanted)
    back = soxr.ResampleStream(engine.sample_rate, rate, max(columns, 1), dtype="float32")
    held = Fifo(columns)
    for mix, stems in engine.separate(_resampled(blocks, rate, engine.sample_rate, waiting), wanted):
        flat = np.ascontiguousarray(stems.transpose(1, 0, 2).reshape(len(mix), columns))
        held.push(
            _run(back, flat) if columns else np.zeros((round(len(mix) * rate / engine.sample_rate), 0), np.float32)
        )
        yield from _aligned(waiting, held, min(held.length, waiting.length), len(wanted))
    if columns:
        held.push(_run(back, np.zeros((0, columns), np.float32), last=True))
    missing = waiting.length - held.length
    if missing > 0:  # a sample or two, which the two conversions lose
        held.push(np.zeros((missing, columns), np.float32))
    yield from _aligned(waiting, held, waiting.length, len(wanted))


def _aligned(waiting: Fifo, held: Fifo, count: int, stems: int) -> Iterator[tuple[Samples, Samples]]:
    if count:
        yield waiting.take(count), held.take(count).reshape(count, stems, 2).transpose(1, 0, 2)


def _resampled(blocks: Iterator[Samples], rate: int, wanted: int, waiting: Fifo) -> Iterator[Samples]:
    """The blocks at the rate ``wanted``; each is put into ``waiting`` as it is."""
    forth = soxr.ResampleStream(rate, wanted, 2, dtype="float32")
    for block in blocks:
        waiting.push(block)
        resampled = _run(forth, block)
        if len(resampled):
            yield resampled
    rest = _run(forth, np.zeros((0, 2), np.float32), last=True)
    if len(rest):
        yield rest


def _run(resampler: soxr.ResampleStream, samples: Samples, *, last: bool = False) -> Samples:
    resampled: Samples = resampler.resample_chunk(samples, last=last)
    return resampled.reshape(-1, samples.shape[1])
