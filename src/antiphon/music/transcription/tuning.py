"""Tuning of a song: how far its notes lie from those of A = 440 Hz.

The partials of the notes are the peaks of the spectrum; how far each lies from the next semitone is an angle, a
semitone being the whole turn, and the song's tuning is the mean of the angles (on circular means see Mardia and Jupp,
"Directional Statistics", 2000). Drums and noise have peaks anywhere, which cancel each other out.
"""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.framing import Framer, Samples
from antiphon.music.signal.peaks import local_maxima

SAMPLE_RATE = 22_050
WINDOW, HOP = 8192, 4096
"""Samples of a spectrum (0.37 s), and from one to the next."""
MIN_PARTIAL_HZ, MAX_PARTIAL_HZ = 110.0, 1320.0
"""Hertz between which partials are looked at: lower ones are measured badly, higher ones are sharp or belong to no
semitone."""
MAX_BELOW_LOUDEST_DB = 30.0
"""How far a partial may be below the loudest of its spectrum."""
MIN_OVER_AROUND_DB = 4.0
"""How far a partial stands out of the mean around it; noise hardly does."""
AROUND_BINS = 12
"""Bins on either side that are around a peak."""
NEAR_CENTS = 22.0
"""Cents around the first estimate within which partials count for the second, so that strays do not pull at it."""
MIN_PARTIALS, MIN_CONCENTRATION = 20, 0.2
"""Partials, and length of their mean (0: evenly spread, 1: all alike), without which nothing is known of the tuning."""


class TuningMeter:
    """The tuning of mono sound at ``SAMPLE_RATE`` that comes in blocks."""

    def __init__(self) -> None:
        self._framer = Framer(WINDOW, HOP, lead=WINDOW // 2)
        self._taper = np.hanning(WINDOW).astype(np.float32)
        resolution = SAMPLE_RATE / WINDOW
        self._bins = slice(int(MIN_PARTIAL_HZ / resolution), int(MAX_PARTIAL_HZ / resolution))
        self._cents: list[NDArray[np.float64]] = []
        self._weights: list[NDArray[np.float64]] = []

    def push(self, samples: Samples) -> None:
        windows = self._framer.push(samples)
        if not len(windows):
            return
        power = np.abs(np.fft.rfft(windows * self._taper, axis=1)[:, self._bins]) ** 2
        for spectrum in power:
            self._take(10 * np.log10(spectrum + 1e-12), spectrum)

    def _take(self, decibels: NDArray[np.float64], power: NDArray[np.float64]) -> None:
        """The partials of one spectrum."""
        around = np.convolve(power, np.ones(2 * AROUND_BINS + 1) / (2 * AROUND_BINS + 1), "same")
        loud = decibels > decibels.max() - MAX_BELOW_LOUDEST_DB
        clear = decibels > 10 * np.log10(around + 1e-12) + MIN_OVER_AROUND_DB
        peaks = np.flatnonzero(local_maxima(decibels, 2) & loud & clear)
        peaks = peaks[(peaks > 0) & (peaks < len(decibels) - 1)]
        before, at, after = (decibels[peaks + offset] for offset in (-1, 0, 1))
        offset = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-6)
        hertz = (peaks + self._bins.start + offset) * SAMPLE_RATE / WINDOW
        self._cents.append(1200 * np.log2(hertz / 440) % 100)
        self._weights.append(np.sqrt(power[peaks] / max(float(power.max()), 1e-12)))

    def cents(self) -> float:
        """Cents over A = 440 Hz, more than -50 and at most 50; 0 where nothing is known of it."""
        cents = np.concatenate(self._cents) if self._cents else np.zeros(0)
        if len(cents) < MIN_PARTIALS:
            return 0.0
        weights = np.concatenate(self._weights)
        middle, concentration = _mean(cents, weights)
        if concentration < MIN_CONCENTRATION:
            return 0.0
        near = np.abs((cents - middle + 50) % 100 - 50) < NEAR_CENTS
        middle, _ = _mean(cents[near], weights[near])
        return round(50 - (50 - middle) % 100, 1)


def _mean(cents: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """The mean on a circle of 100 cents, and its length 0–1."""
    whole = complex((weights * np.exp(2j * np.pi * cents / 100)).sum() / max(float(weights.sum()), 1e-12))
    return float(np.angle(whole) / (2 * np.pi) * 100), abs(whole)
