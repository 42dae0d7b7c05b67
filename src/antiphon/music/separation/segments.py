"""Segments of streamed sound, separated one by one and faded into each other as Demucs does (split, no shifts)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.framing import Samples

Estimates = NDArray[np.float32]
"""(stems, channels, samples)."""


@dataclass(frozen=True, slots=True)
class Segmenting:
    """``length`` samples a segment, of which the share ``overlap`` is common with the next one. Each weighs most in its
    middle: a triangle to the power ``transition``."""

    length: int
    overlap: float = 0.25
    transition: float = 1.0

    @property
    def stride(self) -> int:
        return int((1 - self.overlap) * self.length)

    def weights(self) -> NDArray[np.float32]:
        half = self.length // 2
        triangle = np.concatenate([np.arange(1, half + 1), np.arange(self.length - half, 0, -1)])
        return np.asarray((triangle / triangle.max()) ** self.transition, np.float32)


def separated(
    blocks: Iterator[Samples], plan: Segmenting, network: Callable[[Samples], Estimates]
) -> Iterator[tuple[Samples, Estimates]]:
    """Blocks (n, channels) as aligned ``(mix (n, channels), estimates (stems, channels, n))``, together as long.

    Args:
        blocks: The song.
        plan: How it is cut.
        network: Estimates from a segment (channels, ``plan.length``).
    """
    weights = plan.weights()
    total: Estimates | None = None
    share = np.zeros(plan.length, np.float32)
    for context, before, count, fresh in _segments(blocks, plan):
        estimates = network(context)[:, :, before : before + count] * weights[:count]
        if total is None:
            total = np.zeros((*estimates.shape[:2], plan.length), np.float32)
        total[:, :, :count] += estimates
        share[:count] += weights[:count]
        done = fresh.shape[1]
        yield fresh.T, total[:, :, :done] / share[:done]
        total[:, :, :-done] = total[:, :, done:]
        total[:, :, -done:] = 0
        share[:-done], share[-done:] = share[done:], 0


def _segments(blocks: Iterator[Samples], plan: Segmenting) -> Iterator[tuple[Samples, int, int, Samples]]:
    """Each segment as the network is to see it, (channels, length): ``count`` samples from ``before`` on are the
    segment's; with it those samples (channels, n) that no later segment reaches. A segment that the song's end cuts
    short is in the middle of what is seen, with the song before it and silence behind."""
    held: Samples | None = None
    start = offset = 0
    for block in blocks:
        piece = block.T
        held = piece.copy() if held is None else np.concatenate([held, piece], axis=1)
        while start + held.shape[1] > offset + plan.length:
            at = offset - start
            yield held[:, at : at + plan.length], 0, plan.length, held[:, at : at + plan.stride].copy()
            offset += plan.stride
            unneeded = max(offset - plan.length - start, 0)
            held, start = held[:, unneeded:], start + unneeded
    end = start + (0 if held is None else held.shape[1])
    while held is not None and offset < end:
        count = min(plan.length, end - offset)
        before = (plan.length - count) // 2
        first = offset - before
        seen = held[:, max(first - start, 0) : first - start + plan.length]
        left = max(start - first, 0)
        padded = np.pad(seen, ((0, 0), (left, plan.length - left - seen.shape[1])))
        yield padded, before, count, held[:, offset - start : offset - start + min(plan.stride, count)].copy()
        offset += plan.stride
