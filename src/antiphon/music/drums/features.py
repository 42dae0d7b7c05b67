"""What the drum network looks at: the level of 80 mel bands, a hundred times a second."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
HOP = 441
WINDOW = 2_048
BANDS = 80
MIN_BAND_HZ, MAX_BAND_HZ = 25.0, 18_000.0
"""Hz, of the outer edges of the lowest and the highest band."""
FLOOR = -85.0
"""dB re full scale; nothing is heard below."""
LOUD = -12.0
"""Level in dB to which the loud moments of a song are brought before the network hears it."""
MAX_GAIN_DB = 30.0
"""dB; what is quieter still is leakage, which must not be made into a song."""
LOUD_PERCENTILE = 95.0

Levels = NDArray[np.float32]
Samples = NDArray[np.float32]


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


class Analysis:
    """Turns samples, as they come, into levels; frame k is centred on sample ``k * HOP``."""

    def __init__(self) -> None:
        self._held = np.zeros(WINDOW // 2, np.float32)
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._filters = filters() * np.float32(16 / WINDOW**2)

    def push(self, samples: Samples) -> Levels:
        """The frames (n, BANDS) in dB re full scale that ``samples`` (mono) complete; maybe none."""
        held = np.concatenate([self._held, samples])
        count = max((len(held) - WINDOW) // HOP + 1, 0)
        self._held = held[count * HOP :].copy()
        if not count:
            return np.zeros((0, BANDS), np.float32)
        views = np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::HOP][:count]
        spectrum = np.fft.rfft(views * self._shape, axis=1)
        power = (np.square(spectrum.real) + np.square(spectrum.imag)) @ self._filters
        return np.asarray(10 * np.log10(power + np.float32(1e-12)), np.float32)

    def finish(self) -> Levels:
        """The frames whose centre the samples reached but whose end they did not."""
        return self.push(np.zeros(WINDOW // 2, np.float32))


def levels(blocks: Iterable[Samples]) -> Iterator[Levels]:
    """The levels of mono ``blocks`` at 44.1 kHz."""
    analysis = Analysis()
    for block in blocks:
        yield analysis.push(block)
    yield analysis.finish()


def gain(song: NDArray[np.float16] | Levels) -> float:
    """dB that bring the loud moments of ``song`` (frames, BANDS) to ``LOUD``; at most ``MAX_GAIN_DB``."""
    if not len(song):
        return 0.0
    loudest = np.concatenate([song[at : at + 65_536].max(axis=1) for at in range(0, len(song), 65_536)])
    return min(LOUD - float(np.percentile(loudest.astype(np.float32), LOUD_PERCENTILE)), MAX_GAIN_DB)


def scaled(song: NDArray[np.float16] | Levels, amplification: float) -> Levels:
    """``song`` amplified by that many dB, from 0 at ``FLOOR`` to about 1 for the loudest."""
    louder = song.astype(np.float32) + np.float32(amplification)
    return np.asarray((np.maximum(louder, np.float32(FLOOR)) - np.float32(FLOOR)) / np.float32(-FLOOR), np.float32)
