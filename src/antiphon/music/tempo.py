"""Estimates how fast a song goes and where its beats fall.

One tempo for the whole song: the onset strength is compared with itself at every lag (autocorrelation), lags are
weighed by how likely people are to tap at that tempo (Ellis, "Beat Tracking by Dynamic Programming", JNMR 2007:
log-normal around 120 beats a minute), and the beats are the comb of that period that gathers the most onset strength.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio

SAMPLE_RATE = 22_050
HOP = 256
WINDOW = 1_024
FRAME_RATE = SAMPLE_RATE / HOP
SLOWEST, FASTEST = 40.0, 220.0
FAVOURITE = 120.0
OCTAVES = 0.9
"""Standard deviation of the tempo prior in octaves."""
DEFAULT = 120.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """``bpm`` in beats a minute, ``phase`` the time of the first beat in seconds, ``confidence`` 0–1: how much of the
    onset strength repeats after one beat. Without any rhythm: 120, 0 and 0."""

    bpm: float
    phase: float
    confidence: float


def onset_strength(path: Path) -> NDArray[np.float32]:
    """Mean rise of 32 log-spaced bands in dB, ``FRAME_RATE`` times a second, shape (frames,). The audio is streamed."""
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    edges = np.geomspace(30, SAMPLE_RATE / 2, 33)
    bands = np.array([(hertz >= low) & (hertz < high) for low, high in pairwise(edges)])
    weights = bands[bands.any(axis=1)].T.astype(np.float32)
    shape = np.hanning(WINDOW).astype(np.float32)
    held = np.zeros(WINDOW // 2, np.float32)
    before = np.zeros((0, weights.shape[1]), np.float32)
    rises = []
    for block in audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=512 * HOP):
        held = np.concatenate([held, block[:, 0]])
        count = (len(held) - WINDOW) // HOP + 1
        if count < 1:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::HOP][:count] * shape
        held = held[count * HOP :]
        power = np.square(np.abs(np.fft.rfft(frames, axis=1))).astype(np.float32) @ weights
        level = 10 * np.log10(power + 1e-3)
        level = np.concatenate([before if len(before) else level[:1], level])
        rises.append(np.maximum(np.diff(level, axis=0), 0).mean(axis=1))
        before = level[-1:]
    return np.concatenate(rises) if rises else np.zeros(0, np.float32)


def analyse(path: Path) -> Tempo:
    """The tempo of a song, or better of its drum stem."""
    return of_onsets(onset_strength(path))


def estimate(path: Path) -> float:
    """The tempo of a song, or better of its drum stem, in beats a minute."""
    return analyse(path).bpm


def of_onsets(strength: NDArray[np.float32], frame_rate: float = FRAME_RATE) -> Tempo:
    """The tempo behind an onset strength with ``frame_rate`` values a second."""
    longest = int(frame_rate * 60 / SLOWEST) + 1
    if len(strength) < 2 * longest or float(strength.std()) < 1e-6:
        return Tempo(DEFAULT, 0.0, 0.0)
    clear = np.clip(strength - _around(strength, round(frame_rate)), 0, None)
    echo = _autocorrelation(clear, 4 * longest)
    periods = frame_rate * 60 / np.geomspace(FASTEST, SLOWEST, 400)
    lags = np.arange(len(echo))
    # A real beat also repeats after two and four of it, which half of it or two thirds of it do not do as well.
    score = sum(np.interp(times * periods, lags, echo) / times**0.5 for times in (1, 2, 4))
    prior = np.exp(-0.5 * (np.log2(60 * frame_rate / periods / FAVOURITE) / OCTAVES) ** 2)
    coarse = float(periods[int(np.argmax(score * prior))])
    period, phase = _comb(clear, coarse)
    return Tempo(60 * frame_rate / period, phase / frame_rate, float(np.clip(np.interp(coarse, lags, echo), 0, 1)))


def _around(values: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """Running mean over ``2 * width + 1`` values."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    first = np.maximum(np.arange(len(values)) - width, 0)
    last = np.minimum(np.arange(len(values)) + width + 1, len(values))
    mean: NDArray[np.float64] = (total[last] - total[first]) / (last - first)
    return mean


def _autocorrelation(values: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Autocorrelation at lags 0 … ``lags``, 1 at lag 0, with the mean removed and shorter overlaps made up for."""
    centred = values - values.mean()
    lags = min(lags, len(values) // 2)
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    raw = np.fft.irfft(np.square(np.abs(spectrum)))[: lags + 1]
    fair: NDArray[np.float64] = raw / (len(values) - np.arange(lags + 1)) * len(values) / raw[0]
    return fair


def _comb(values: NDArray[np.float64], period: float) -> tuple[float, float]:
    """The period near ``period`` and the phase, both in frames, of the comb that gathers the most of ``values``.

    Read from the spectrum: a comb's strength is that of its first harmonics at the frequency of the beat. Over a long
    song the peak is narrow, so the search keeps to a window of two minutes."""
    piece = values[: round(120 * FRAME_RATE)]
    length = 32 * len(piece)
    spectrum = np.abs(np.fft.rfft(piece, length))
    frequencies = np.linspace(0.97, 1.03, 2_001) / period
    harmonics = frequencies[:, None] * np.array([1, 2, 4])
    strength = np.interp(harmonics * length, np.arange(len(spectrum)), spectrum).sum(axis=1)
    frequency = float(frequencies[int(np.argmax(strength))])
    phases = np.arange(0, 1 / frequency, 0.25)
    beats = np.arange(0, len(piece) - 1 / frequency, 1 / frequency)
    smooth = np.convolve(piece, [0.25, 0.5, 0.25], mode="same")
    gathered = np.interp(phases[:, None] + beats, np.arange(len(piece)), smooth).sum(axis=1)
    return 1 / frequency, float(phases[int(np.argmax(gathered))])
