"""What the separation network sees and says: a mix as three components in 128 bands.

The components are what the vocal network takes for the voice, and the percussive and the harmonic part of the rest
by median filters (Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010). They are shares of
the mix, bin by bin; the network shares each of them out to the stems, band by band.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
LEVEL, GRAM, SIDE = 0, 1, 7
KNOWN = 8
"""Fields of a band: its level, six inner products, the side signal."""
TINY = 1e-12

Floats = NDArray[np.float32]


def _edges() -> NDArray[np.int64]:
    upper = np.geomspace(SINGLE_BINS, GRID.bins, BANDS - SINGLE_BINS + 1)
    return np.concatenate([np.arange(SINGLE_BINS), np.rint(upper).astype(np.int64)])


EDGES = _edges()
"""The first bin of each band, and behind the last one the number of bins: (BANDS + 1,)."""


def summed(values: Floats) -> Floats:
    """(…, bins) summed over each band: (…, BANDS)."""
    return np.add.reduceat(values, EDGES[:-1], axis=-1)


def spread(values: Floats) -> Floats:
    """(…, BANDS) repeated for each bin of a band: (…, bins)."""
    return np.repeat(values, np.diff(EDGES), axis=-1)


def power(frames: Frames) -> Floats:
    return frames.real**2 + frames.imag**2


@dataclass(frozen=True, slots=True)
class Mixture:
    """``frames`` (n, 2, bins) of a mix, the share of the ``voice`` (n, 2, bins) in them, and how ``percussive``
    (n, 1, bins) the rest is; all shares 0–1."""

    frames: Frames
    voice: Floats
    percussive: Floats

    @classmethod
    def split(cls, frames: Frames, voice: Floats) -> "Mixture":
        """All of a mix at once."""
        return cls(frames, voice, percussive_share(frames, voice))

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, part: slice) -> "Mixture":
        return Mixture(self.frames[part], self.voice[part], self.percussive[part])

    def joined(self, after: "Mixture") -> "Mixture":
        return Mixture(
            np.concatenate([self.frames, after.frames]),
            np.concatenate([self.voice, after.voice]),
            np.concatenate([self.percussive, after.percussive]),
        )

    def shares(self) -> tuple[Floats, Floats, Floats]:
        """Of each component: real, 0–1, with the sum 1."""
        rest = 1 - self.voice
        return self.percussive * rest, (1 - self.percussive) * rest, self.voice

    def known(self) -> Floats:
        """What the network sees, (n, BANDS, KNOWN): the decadic logarithm of each band's energy, and relative to that
        energy the inner products of the components and the energy of the side signal."""
        energy, shares = power(self.frames), self.shares()
        total = summed(energy.sum(axis=1)) + np.float32(TINY)
        fields = [np.log10(total)]
        for one, other in PAIRS:
            fields.append(summed((energy * shares[one] * shares[other]).sum(axis=1)) / total)
        fields.append(summed(power(self.frames[:, 0] - self.frames[:, 1])) / (2 * total))
        return np.stack(fields, axis=-1)


def percussive_share(frames: Frames, voice: Floats) -> Floats:
    """(n, 1, bins), one for both channels."""
    magnitude = np.sqrt(np.mean(((1 - voice) * np.abs(frames)) ** 2, axis=1))
    harmonic = _median_rows(np.ascontiguousarray(magnitude.T), TIME_KERNEL).T ** 2
    percussive = _median_rows(magnitude, BIN_KERNEL) ** 2
    share = percussive / (harmonic + percussive + np.float32(TINY))
    return np.asarray(share[:, np.newaxis], np.float32)


def mixtures(source: Iterator[tuple[Frames, Floats]]) -> Iterator[Mixture]:
    """Frames and their voice, as they come, with what is percussive in them. A frame waits until the median over time
    has seen what follows it."""
    reach = TIME_KERNEL // 2
    held: tuple[Frames, Floats] | None = None
    before = 0
    for frames, voice in source:
        held = (frames, voice) if held is None else (_joined(held[0], frames), _joined(held[1], voice))
        ready = len(held[0]) - reach
        if ready <= before:
            continue
        yield Mixture(*held, percussive_share(*held))[before:ready]
        start = max(ready - reach, 0)
        held, before = (held[0][start:], held[1][start:]), ready - start
    if held is not None and len(held[0]) > before:
        yield Mixture(*held, percussive_share(*held))[before:]


def _joined(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([before, after])


def _median_rows(values: Floats, size: int) -> Floats:
    """Running median along each row. One pass over the rows laid end to end is ten times as fast as SciPy's filter
    in two dimensions; mirrored edges keep the rows apart."""
    reach = size // 2
    padded = np.pad(values, ((0, 0), (reach, reach)), mode="symmetric")
    filtered = median_filter(padded.ravel(), size=size).reshape(padded.shape)
    return np.ascontiguousarray(filtered[:, reach:-reach])
