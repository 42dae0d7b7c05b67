"""Spectrum of a segment as Demucs lays it out, and its inverse: a frame for every started hop of the segment, centred
half a hop after its beginning; the segment is mirrored at its ends, and the highest bin is left out."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from antiphon.music.signal.framing import Samples
from antiphon.music.signal.stft import periodic_hann

Parts = NDArray[np.float32]
"""(…, 2 × channels, bins, frames): of each channel the real and the imaginary parts."""


@dataclass(frozen=True, slots=True)
class SegmentSpectrum:
    """STFT of segments (channels, ``length``): periodic Hann windows of ``window`` samples every quarter of it,
    scaled by 1 / √window."""

    window: int
    length: int

    @property
    def hop(self) -> int:
        return self.window // 4

    @property
    def bins(self) -> int:
        return self.window // 2

    @property
    def frames(self) -> int:
        return -(-self.length // self.hop)

    @property
    def _lead(self) -> int:
        return 3 * self.hop // 2

    def forward(self, segment: Samples) -> Parts:
        """(channels, length) as (2 × channels, bins, frames)."""
        behind = self._lead + self.frames * self.hop - self.length
        padded = np.pad(segment, ((0, 0), (self._lead, behind)), mode="reflect")
        windows = sliding_window_view(padded, self.window, axis=1)[:, :: self.hop][:, : self.frames]
        spectra = scipy.fft.rfft(windows * (periodic_hann(self.window) / np.float32(np.sqrt(self.window))), axis=2)
        spectra = spectra[:, :, :-1].transpose(0, 2, 1)
        parts = np.stack([spectra.real, spectra.imag], axis=1)
        return np.ascontiguousarray(parts.reshape(-1, self.bins, self.frames), np.float32)

    def inverse(self, parts: Parts) -> Samples:
        """(…, 2 × channels, bins, frames) as (…, channels, length), by weighted overlap-add."""
        *outer, double, _, frames = parts.shape
        paired = parts.reshape(-1, 2, self.bins, frames)
        spectra = np.zeros((len(paired), frames, self.bins + 1), np.complex64)
        spectra[:, :, :-1] = (paired[:, 0] + 1j * paired[:, 1]).transpose(0, 2, 1)
        taper = periodic_hann(self.window)
        # Four squared Hann windows over each sample sum to 1.5.
        pieces = scipy.fft.irfft(spectra, n=self.window, axis=2) * (taper * np.float32(np.sqrt(self.window) / 1.5))
        out = np.zeros((len(paired), (frames + 3) * self.hop), np.float32)
        for part in range(4):
            columns = pieces[:, :, part * self.hop : (part + 1) * self.hop].reshape(len(paired), -1)
            out[:, part * self.hop : (part + frames) * self.hop] += columns
        return out[:, self._lead : self._lead + self.length].reshape(*outer, double // 2, self.length)
