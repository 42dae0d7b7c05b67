"""Short-time Fourier transform of streamed sound, and its inverse."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from antiphon.music.signal.framing import Framer, Samples

Frames = NDArray[np.complex64]


def periodic_hann(length: int) -> Samples:
    """Hann window of ``length`` samples whose next one would begin it anew."""
    phase = np.arange(length) * (2 * np.pi / length)
    return np.asarray(0.5 - 0.5 * np.cos(phase), np.float32)


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the frames of an STFT are: a periodic Hann ``window`` of that many samples every ``hop`` samples, at least
    four over each sample."""

    window: int
    hop: int

    def __post_init__(self) -> None:
        if self.window % self.hop or self.window < 4 * self.hop:
            raise ValueError(f"hop must divide window at least 4 times, got {self.hop} and {self.window}")

    @property
    def bins(self) -> int:
        return self.window // 2 + 1

    @property
    def lead(self) -> int:
        """Zeros before the first sample, so that every sample lies under the same number of windows."""
        return self.window - self.hop

    def shape(self) -> Samples:
        return periodic_hann(self.window)


class Analysis:
    """STFT of samples (n, channels) that come in blocks, as frames (m, channels, bins)."""

    def __init__(self, grid: Grid, channels: int) -> None:
        self._taper = grid.shape()
        self._framer = Framer(grid.window, grid.hop, lead=grid.lead, channels=channels)
        self._silence = np.zeros((grid.window - 1, channels), np.float32)

    def push(self, samples: Samples) -> Frames:
        """The frames that ``samples`` complete; maybe none."""
        frames: Frames = scipy.fft.rfft(self._framer.push(samples) * self._taper, axis=-1)
        return frames

    def finish(self) -> Frames:
        """The last frames: as many as touch a sample."""
        return self.push(self._silence)


class Synthesis:
    """Inverse of ``Analysis`` by weighted overlap-add (Griffin and Lim 1984): unchanged frames give the samples that
    were analysed, from the first on, followed by zeros."""

    def __init__(self, grid: Grid, channels: int) -> None:
        self._grid = grid
        squares = grid.shape().astype(np.float64) ** 2
        self._window = (grid.shape() * (grid.hop / squares.sum())).astype(np.float32)
        self._tail = np.zeros((grid.lead, channels), np.float32)
        self._skip = grid.lead

    def push(self, frames: Frames) -> Samples:
        """The samples (n, channels) that no later frame can change."""
        window, hop = self._grid.window, self._grid.hop
        count, channels = frames.shape[:2]
        out = np.zeros((count * hop + len(self._tail), channels), np.float32)
        out[: len(self._tail)] = self._tail
        pieces = scipy.fft.irfft(frames, n=window, axis=-1) * self._window
        for offset in range(0, window, hop):
            columns = pieces[:, :, offset : offset + hop].transpose(0, 2, 1)
            out[offset : offset + count * hop] += columns.reshape(count * hop, channels)
        self._tail = out[count * hop :].copy()
        done = out[min(self._skip, count * hop) : count * hop]
        self._skip -= min(self._skip, count * hop)
        return done


def frames_of(blocks: Iterator[Samples], grid: Grid, channels: int) -> Iterator[tuple[Samples, Frames]]:
    """Each block with the frames it completes; at the end an empty block with the last frames."""
    analysis = Analysis(grid, channels)
    for block in blocks:
        yield block, analysis.push(block)
    yield np.zeros((0, channels), np.float32), analysis.finish()
