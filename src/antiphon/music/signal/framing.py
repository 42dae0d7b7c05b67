"""Streamed signals: overlapping windows of them, and a queue of their samples."""

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def summed(blocks: Sequence[Samples]) -> Samples:
    """Sum of blocks (n,), as long as the longest of them; empty for none."""
    total = np.zeros(max((len(block) for block in blocks), default=0), np.float32)
    for block in blocks:
        total[: len(block)] += block
    return total


class Framer:
    """Overlapping windows of a signal that comes in blocks.

    ``lead`` zeros precede the signal; window ``k`` begins ``k * hop`` samples after the first of them. With a ``lead``
    of half a window it is centred on the signal's sample ``k * hop``.

    Args:
        window: Length in samples.
        hop: Samples from one window to the next, at most ``window``.
        lead: Zeros before the signal.
        channels: None for a signal (n,) of one channel; else it is (n, channels).

    Raises:
        ValueError: The ``hop`` is longer than the ``window``, or not positive.
    """

    def __init__(self, window: int, hop: int, *, lead: int, channels: int | None = None) -> None:
        if not 1 <= hop <= window:
            raise ValueError(f"expected a hop of 1 to {window} samples, got {hop}")
        self._window, self._hop = window, hop
        self._held = np.zeros(lead if channels is None else (lead, channels), np.float32)

    def push(self, samples: Samples) -> Samples:
        """The windows that ``samples`` complete, (count, window) or (count, channels, window); ``count`` may be 0.

        They are views of one buffer, and must not be written to."""
        held = np.concatenate([self._held, samples])
        count = max((len(held) - self._window) // self._hop + 1, 0)
        self._held = held[count * self._hop :].copy()
        if not count:
            return np.zeros((0, *held.shape[1:], self._window), np.float32)
        return sliding_window_view(held, self._window, axis=0)[: count * self._hop : self._hop]


class Fifo:
    """Queue of samples (n, channels) that wait for a slower stage."""

    def __init__(self, channels: int) -> None:
        self._parts: list[Samples] = []
        self._channels = channels
        self.length = 0

    def push(self, samples: Samples) -> None:
        self._parts.append(samples)
        self.length += len(samples)

    def take(self, count: int) -> Samples:
        """The oldest ``count`` samples, or all there are."""
        joined = np.concatenate([*self._parts, np.zeros((0, self._channels), np.float32)])
        self._parts = [joined[count:].copy()]
        self.length = len(self._parts[0])
        return joined[:count]
