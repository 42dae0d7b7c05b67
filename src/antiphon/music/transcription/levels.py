"""Levels of a sound in thirds of semitones: a constant-Q transform whose windows are neither too long nor too short.

numpy alone, so that a product without torch computes the same. Each octave is heard in a signal of half the rate of
the octave above it (Brown, Puckette, "An efficient algorithm for the calculation of a constant Q transform", 1992;
Schörkhuber, Klapuri, "Constant-Q transform toolbox for music processing", 2010), as one product with a matrix of
windowed waves. There are two channels: long windows tell pitches apart, short ones tell when something begins.
"""

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 22_050
HOP = 256
"""Samples from one frame to the next, 11.6 ms."""
FRAMES_PER_STEP = 2
"""Frames that the network joins to one step of its output."""
STEP_SECONDS = FRAMES_PER_STEP * HOP / SAMPLE_RATE
"""23.2 ms."""
MIN_PITCH = 21
PITCHES = 88
SEMITONES = 100
"""Semitones from ``MIN_PITCH`` on whose levels are computed: twelve above the highest pitch."""
BINS_PER_SEMITONE = 3
BINS = SEMITONES * BINS_PER_SEMITONE
CHANNELS = 2
BINS_PER_OCTAVE = 12 * BINS_PER_SEMITONE
OCTAVES = -(-BINS // BINS_PER_OCTAVE)
QUALITY = 1 / (2 ** (1 / BINS_PER_OCTAVE) - 1)
"""Periods in a window that just tells two neighbouring bins apart."""
MIN_WINDOW, MAX_WINDOW = 0.022, (0.6, 0.1)
"""Seconds: no window is shorter, lest sound fall between two frames; the longest window of each channel."""
PERIODS = (1.0, 1 / 3)
"""Share of ``QUALITY`` of each channel."""
FLOOR_DB = -80.0
"""Level under the reference from which on everything is silence."""
RANGE_DB = 80.0
SILENCE_DB = -79.0
"""Lowest reference: a sound whose loud passages are quieter is silence."""
MARGIN = 0.35
"""Seconds of sound before and after a frame that it hears, decimation included."""

_TAPS, _BLOCK = 49, 16

Floats = NDArray[np.float32]


def frequencies(tuning_cents: float = 0.0) -> NDArray[np.float64]:
    """Hertz at the middle of each bin; the second of a semitone's three is in tune with an A of 440 Hz and so many
    cents."""
    steps = (np.arange(BINS) - 1) / BINS_PER_OCTAVE
    return np.asarray(440 * 2 ** ((MIN_PITCH - 69) / 12 + steps + tuning_cents / 1200))


@lru_cache(maxsize=2 * OCTAVES)
def _waves(octave: int, tuning_cents: float) -> Floats:
    """Windowed waves (samples, channels * bins * 2) at ``SAMPLE_RATE / 2**octave``, cosines and sines alternating, for
    the bins of an octave counted from above."""
    rate = SAMPLE_RATE / 2**octave
    last = BINS - octave * BINS_PER_OCTAVE
    hertz = frequencies(tuning_cents)[max(last - BINS_PER_OCTAVE, 0) : last]
    lengths = [
        np.clip(share * QUALITY / hertz, MIN_WINDOW, longest) * rate
        for share, longest in zip(PERIODS, MAX_WINDOW, strict=True)
    ]
    half = int(np.ceil(max(length.max() for length in lengths) / 2))
    time = np.arange(-half, half + 1)[:, None]
    waves = []
    for length in lengths:
        window = np.where(np.abs(time) < length / 2, 0.5 + 0.5 * np.cos(2 * np.pi * time / length), 0)
        window *= 2 / window.sum(axis=0)
        phase = 2 * np.pi * hertz / rate * time
        waves.append(np.stack([window * np.cos(phase), window * np.sin(phase)], axis=2))
    return np.concatenate(waves, axis=1).reshape(len(time), -1).astype(np.float32)


@cache
def _halving() -> Floats:
    """The low-pass before every second sample is taken, as a matrix to ``_BLOCK`` samples at a time."""
    time = np.arange(_TAPS) - _TAPS // 2
    taps = 0.5 * np.sinc(0.5 * time) * np.kaiser(_TAPS, 8)
    taps /= taps.sum()
    matrix = np.zeros((_TAPS + 2 * (_BLOCK - 1), _BLOCK), np.float32)
    for column in range(_BLOCK):
        matrix[2 * column : 2 * column + _TAPS, column] = taps
    return matrix


def _halved(samples: Floats) -> Floats:
    """``samples`` at half their rate: sample k of the answer lies at sample 2k."""
    count = -(-len(samples) // 2)
    matrix = _halving()
    blocks = -(-count // _BLOCK)
    needed = (blocks - 1) * 2 * _BLOCK + len(matrix)
    padded = np.zeros(needed, np.float32)
    first = _TAPS // 2
    padded[first : first + len(samples)] = samples[: needed - first]
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(matrix))[:: 2 * _BLOCK]
    return np.asarray((windows @ matrix).reshape(-1)[:count], np.float32)


def levels(samples: Floats, tuning_cents: float = 0.0) -> Floats:
    """Levels in dB re a sine of full scale, (CHANNELS, frames, BINS), of mono samples at ``SAMPLE_RATE``. Frame k is
    the sound around sample ``k * HOP``; before the beginning and after the end there is silence. The bins are tuned
    ``tuning_cents`` over A = 440 Hz."""
    frames = len(samples) // HOP + 1
    power = np.empty((CHANNELS, frames, BINS), np.float32)
    signal = np.asarray(samples, np.float32)
    for octave in range(OCTAVES):
        waves = _waves(octave, tuning_cents)
        half, hop = len(waves) // 2, HOP >> octave
        padded = np.pad(signal, (half, half + hop))
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(waves))[::hop][:frames]
        parts = np.square(windows @ waves).reshape(frames, CHANNELS, -1, 2).sum(axis=3)
        last = BINS - octave * BINS_PER_OCTAVE
        power[:, :, max(last - BINS_PER_OCTAVE, 0) : last] = parts.transpose(1, 0, 2)
        if octave + 1 < OCTAVES:
            signal = _halved(signal)
    np.maximum(power, 1e-16, out=power)
    np.log10(power, out=power)
    power *= 10
    return power


def reference(samples: Floats) -> float:
    """RMS level in dB of the loud passages, to which levels are scaled; that of silence is ``SILENCE_DB``."""
    block = SAMPLE_RATE // 10
    count = len(samples) // block
    if not count:
        return SILENCE_DB
    power = np.square(samples[: count * block].reshape(count, block)).mean(axis=1)
    return max(float(10 * np.log10(max(np.percentile(power, 95), 1e-12))), SILENCE_DB)


def scaled(level: Floats, reference_db: float) -> Floats:
    """Levels as the network gets them: 0 at ``FLOOR_DB`` under the reference and below, about 1 where it is loud."""
    return np.asarray(np.maximum(level - np.float32(reference_db + FLOOR_DB), 0) / np.float32(RANGE_DB), np.float32)
