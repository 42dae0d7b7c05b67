"""128 bands of a spectrum, and what a mask per band can and cannot do to a mixture, as a few numbers each.

A stem is estimated as ``Σ m_c · C_c`` over the three components ``C`` of the mixture: the percussive and the harmonic
part of what Spleeter's network leaves, and what it takes for the voice, with one weight ``m`` per stem, component,
band and frame. The squared error of such an estimate over a band's bins and both channels is

    |s|² − 2 Σ m_c <s, C_c> + Σ m_c m_d <C_c, C_d>

so these inner products are all that a training has to keep of an excerpt: its loss is the exact error of the
complex spectrogram without a single bin in memory.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from antiphon.music.separation.spectra import Frames, Grid

SAMPLE_RATE = 44_100
GRID = Grid(window=4096, hop=1024)
BANDS = 128
SINGLE_BINS = 40
"""So many of the lowest bands hold one bin (10.8 Hz) each; above, a band is about 4.6 % wide."""
TIME_KERNEL = 15
BIN_KERNEL = 33
STEMS = ("drums", "bass", "other", "vocals")
COMPONENTS = ("percussive", "harmonic", "voice")
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""The components whose inner products stand in the fields from ``GRAM`` on."""
LEVEL, GRAM, SIDE, ENERGY, CROSS = 0, 1, 7, 8, 12
FIELDS = CROSS + len(STEMS) * len(COMPONENTS)
_TINY = 1e-12
_RATIO_LIMIT = 1e4

Floats = NDArray[np.float32]


def edges() -> NDArray[np.int64]:
    """The first bin of each band, and behind the last one the number of bins: (BANDS + 1,)."""
    upper = np.geomspace(SINGLE_BINS, GRID.bins, BANDS - SINGLE_BINS + 1)
    return np.concatenate([np.arange(SINGLE_BINS), np.rint(upper).astype(np.int64)])


EDGES = edges()


def summed(values: Floats) -> Floats:
    """(…, bins) summed over each band: (…, BANDS)."""
    return np.add.reduceat(values, EDGES[:-1], axis=-1)


def spread(values: Floats) -> Floats:
    """(…, BANDS) repeated for each bin of a band: (…, bins)."""
    return np.repeat(values, np.diff(EDGES), axis=-1)


def percussive_share(magnitude: Floats) -> Floats:
    """The soft mask (frames, bins), 0–1, of what is percussive in ``magnitude`` (frames, bins): Fitzgerald,
    "Harmonic/percussive separation using median filtering", DAFx 2010."""
    harmonic = _median_rows(np.ascontiguousarray(magnitude.T), TIME_KERNEL).T ** 2
    percussive = _median_rows(magnitude, BIN_KERNEL) ** 2
    return np.asarray(percussive / (harmonic + percussive + np.float32(_TINY)), np.float32)


def _median_rows(values: Floats, size: int) -> Floats:
    """Running median along each row, in one pass over the rows laid end to end, with mirrored edges between them."""
    reach = size // 2
    padded = np.pad(values, ((0, 0), (reach, reach)), mode="symmetric")
    filtered = median_filter(padded.ravel(), size=size).reshape(padded.shape)
    return np.asarray(filtered[:, reach:-reach])


@dataclass(frozen=True)
class Mixture:
    """``frames`` (n, 2, bins) of a mix; the three components are ``shares`` (3, n, 2, bins) of them, real, 0–1,
    with the sum 1."""

    frames: Frames
    shares: Floats

    @classmethod
    def split(cls, frames: Frames, voice: Floats) -> "Mixture":
        """``voice``: the share of the vocals by Spleeter's network, of the same shape as ``frames``."""
        rest = (1 - voice) * np.abs(frames)
        percussive = percussive_share(np.sqrt(np.mean(rest**2, axis=1)))[:, np.newaxis]
        shares = np.stack([percussive * (1 - voice), (1 - percussive) * (1 - voice), voice])
        return cls(frames, np.asarray(shares, np.float32))

    def known(self) -> Floats:
        """What the network may see: the fields from ``LEVEL`` to ``SIDE``, float32 (n, BANDS, ENERGY)."""
        power = _power(self.frames)
        total = summed(power.sum(axis=1)) + np.float32(_TINY)
        fields = [np.log10(total)]
        for one, other in PAIRS:
            fields.append(summed((power * self.shares[one] * self.shares[other]).sum(axis=1)) / total)
        side = self.frames[:, 0] - self.frames[:, 1]
        fields.append(summed(_power(side)) / (2 * total))
        return np.stack(fields, axis=-1)

    def statistics(self, stems: tuple[Frames, ...]) -> NDArray[np.float16]:
        """All fields, (n, BANDS, FIELDS), for the true ``STEMS``: the decadic logarithm of the band's energy, and
        relative to that energy the inner products of the components, the energy of the side signal, the energies of
        the stems, and each stem's inner products with the components."""
        total = summed(_power(self.frames).sum(axis=1)) + np.float32(_TINY)
        energies, products = [], []
        for stem in stems:
            energies.append(summed(_power(stem).sum(axis=1)) / total)
            product = stem.real * self.frames.real + stem.imag * self.frames.imag
            products += [summed((product * share).sum(axis=1)) / total for share in self.shares]
        fields = np.concatenate([self.known(), np.stack([*energies, *products], axis=-1)], axis=-1)
        return np.asarray(np.clip(fields, -_RATIO_LIMIT, _RATIO_LIMIT), np.float16)


def _power(frames: Frames) -> Floats:
    return frames.real**2 + frames.imag**2
