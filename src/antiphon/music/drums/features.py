"""Input of the drum network: levels of 80 mel bands, 100 times a second."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.bands import BandPower
from antiphon.music.signal.framing import Samples

SAMPLE_RATE = 44_100
HOP = 441
WINDOW = 2_048
BANDS = 80
MIN_BAND_HZ, MAX_BAND_HZ = 25.0, 18_000.0
"""Hz, of the outer edges of the lowest and the highest band."""
FLOOR_DB = -85.0
"""dB re full scale; nothing is heard below."""
TARGET_LOUD_DB = -12.0
"""Level in dB to which the loud moments of a song are brought before the network hears it."""
MAX_GAIN_DB = 30.0
"""dB; what is quieter still is leakage, which must not be made into a song."""
LOUD_PERCENTILE = 95.0

Levels = NDArray[np.float32]


def _edges() -> NDArray[np.float64]:
    """Hz at which the bands begin, are centred and end: (BANDS + 2,), on the mel scale of O'Shaughnessy (1987)."""
    lowest, highest = (2595 * float(np.log10(1 + hertz / 700)) for hertz in (MIN_BAND_HZ, MAX_BAND_HZ))
    mel = np.linspace(lowest, highest, BANDS + 2)
    return np.asarray(700 * (10 ** (mel / 2595) - 1))


def band_centres() -> NDArray[np.float64]:
    """Hz, (BANDS,)."""
    return _edges()[1:-1]


def filters() -> Levels:
    """Triangular filters (bins, BANDS), each of area 1 in bins."""
    edges = _edges()
    bins = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)[:, np.newaxis]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    shape = np.clip(np.minimum(rise, fall), 0, None)
    return np.asarray(shape / np.maximum(shape.sum(axis=0), 1e-9), np.float32)


class MelLevels:
    """Levels of the mel bands of mono samples that come in blocks; frame k is centred on sample ``k * HOP``."""

    def __init__(self) -> None:
        self._power = BandPower(filters() * np.float32(16 / WINDOW**2), HOP)

    def push(self, samples: Samples) -> Levels:
        """The frames (n, BANDS) in dB re full scale that ``samples`` complete; maybe none."""
        return _decibels(self._power.push(samples))

    def finish(self) -> Levels:
        """The frames whose centre the samples reached but whose end they did not."""
        return _decibels(self._power.finish())


def _decibels(power: Levels) -> Levels:
    return np.asarray(10 * np.log10(power + np.float32(1e-12)), np.float32)


def levels(blocks: Iterable[Samples]) -> Iterator[Levels]:
    """The levels of mono ``blocks`` at 44.1 kHz."""
    analysis = MelLevels()
    for block in blocks:
        yield analysis.push(block)
    yield analysis.finish()


def gain(song: NDArray[np.float16] | Levels) -> float:
    """dB that bring the loud moments of ``song`` (frames, BANDS) to ``TARGET_LOUD_DB``; at most ``MAX_GAIN_DB``."""
    if not len(song):
        return 0.0
    loudest = np.concatenate([song[at : at + 65_536].max(axis=1) for at in range(0, len(song), 65_536)])
    return min(TARGET_LOUD_DB - float(np.percentile(loudest.astype(np.float32), LOUD_PERCENTILE)), MAX_GAIN_DB)


def scaled(song: NDArray[np.float16] | Levels, amplification: float) -> Levels:
    """``song`` amplified by that many dB, from 0 at ``FLOOR_DB`` to about 1 for the loudest."""
    louder = song.astype(np.float32) + np.float32(amplification)
    floor = np.float32(FLOOR_DB)
    return np.asarray((np.maximum(louder, floor) - floor) / -floor, np.float32)
