"""Power of streamed sound in frequency bands."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.framing import Framer, Samples

BATCH_FRAMES = 64
"""Spectra computed at a time: what they need stays in a core's cache (drums: 2.9 ms for 496 frames, against 6.5 ms in
one step)."""

Power = NDArray[np.float32]


class BandPower:
    """Power in frequency bands of mono sound that comes in blocks, under Hann windows; frame ``k`` is centred on sample
    ``k * hop``.

    Args:
        weights: (window // 2 + 1, bands), of each bin of the spectrum in each band's sum. They fix the window's length.
        hop: Samples from one frame to the next.
    """

    def __init__(self, weights: NDArray[np.float32], hop: int) -> None:
        self._window = 2 * (len(weights) - 1)
        self._weights = weights
        self._taper = np.hanning(self._window).astype(np.float32)
        self._framer = Framer(self._window, hop, lead=self._window // 2)

    def push(self, samples: Samples) -> Power:
        """The frames (count, bands) that ``samples`` (n,) complete; ``count`` may be 0."""
        windows = self._framer.push(samples)
        power = np.empty((len(windows), self._weights.shape[1]), np.float32)
        for first in range(0, len(windows), BATCH_FRAMES):
            spectrum = np.fft.rfft(windows[first : first + BATCH_FRAMES] * self._taper, axis=1)
            energy = np.square(spectrum.real) + np.square(spectrum.imag)
            power[first : first + BATCH_FRAMES] = energy @ self._weights
        return power

    def finish(self) -> Power:
        """The frames whose centre the samples reached, but whose end they did not."""
        return self.push(np.zeros(self._window // 2, np.float32))
