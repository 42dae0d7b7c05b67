"""What a part goes through before it is on a record: amplifiers, rooms, equalisers, compressors, consoles.

Sounds are (samples, 2), float32, at 44.1 kHz.
"""

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, oaconvolve

from training.separation.components import SAMPLE_RATE, Floats

Random = np.random.Generator
_STEP = 32
_TINY = 1e-7


def rms(sound: Floats) -> float:
    """Never quite 0."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float32)))) + _TINY


def gain(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def log_uniform(rng: Random, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def equaliser(rng: Random, depth: float) -> Floats:
    """Gains at ``CURVE_HERTZ``, in dB, smooth, with that standard deviation."""
    return np.asarray(rng.normal(0, depth, 8) + np.linspace(-1, 1, 8) * rng.normal(0, depth * 0.7), np.float32)


CURVE_HERTZ = np.geomspace(30, 18_000, 8)


def shaped(sound: Floats, curve: Floats, *, lowest: float = 0.0, highest: float = 0.0) -> Floats:
    """Through an equaliser of zero phase with ``curve`` as ``equaliser`` gives it, and steep filters that cut below
    ``lowest`` and above ``highest`` Hz where these are given."""
    size = scipy.fft.next_fast_len(len(sound) + SAMPLE_RATE // 10, real=True)
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 1)
    decibels = np.interp(np.log(hertz), np.log(CURVE_HERTZ), curve)
    if lowest:
        decibels -= 18 * np.clip(np.log2(lowest / hertz), 0, None)
    if highest:
        decibels -= 90 * np.clip(np.log2(hertz / highest), 0, None)
    response = (10 ** (decibels / 20)).astype(np.float32)[:, np.newaxis]
    spectrum = scipy.fft.rfft(sound, size, axis=0) * response
    return np.asarray(scipy.fft.irfft(spectrum, size, axis=0)[: len(sound)], np.float32)


def compression(rng: Random, sound: Floats, *, depth: float) -> Floats:
    """The gain (samples, 1) of a compressor that takes up to about ``depth`` dB off the loudest moments."""
    attack, release = log_uniform(rng, 0.0005, 0.04), log_uniform(rng, 0.03, 0.5)
    loud = np.abs(sound).max(axis=1)
    padded = np.pad(loud, (0, -len(loud) % _STEP)).reshape(-1, _STEP).max(axis=1)
    slow = _follow(padded, release)
    level = 20 * np.log10(np.maximum(_follow(padded, attack), 0.5 * slow) + 1e-5)
    threshold = np.percentile(level, 98) - depth
    reduction = np.maximum(level - threshold, 0) * (1 - 1 / rng.uniform(1.5, 12))
    curve = np.interp(np.arange(len(sound)), np.arange(len(level)) * _STEP, 10 ** (-reduction / 20))
    return np.asarray(curve, np.float32)[:, np.newaxis]


def _follow(values: NDArray[np.float32], seconds: float) -> NDArray[np.float64]:
    keep = np.exp(-_STEP / (seconds * SAMPLE_RATE))
    return np.asarray(lfilter([1 - keep], [1, -keep], values))


def saturation(sound: Floats, drive: float) -> Floats:
    """The gain (samples, 2), at most 1, of a soft clipper that is driven to ``drive`` times its knee by the peak."""
    driven = sound * np.float32(drive / (float(np.abs(sound).max()) + _TINY))
    with np.errstate(invalid="ignore", divide="ignore"):
        bent = np.tanh(driven) / driven
    return np.where(np.abs(driven) < 1e-4, np.float32(1), bent)


def amplified(rng: Random, sound: Floats, *, cabinet: tuple[float, float]) -> Floats:
    """Overdriven, through a loudspeaker that passes ``cabinet`` Hz; as loud as before. Blended with the clean sound
    in part."""
    tightened = lfilter(*butter(1, rng.uniform(60, 300), "high", fs=SAMPLE_RATE), sound, axis=0)
    drive = log_uniform(rng, 3, 60)
    pushed = tightened * (drive / (float(np.percentile(np.abs(tightened[::17]), 99.5)) + 1e-4))
    bias = rng.uniform(0, 0.3)
    bent = np.tanh(pushed + bias) - np.tanh(bias)
    bent = lfilter(*butter(2, [cabinet[0], cabinet[1] * rng.uniform(0.7, 1.4)], "band", fs=SAMPLE_RATE), bent, axis=0)
    wet = np.asarray(bent, np.float32) * np.float32(rms(sound) / rms(np.asarray(bent, np.float32)))
    share = np.float32(rng.choice([1.0, rng.uniform(0.3, 1.0)]))
    return np.asarray(wet * share + sound * (1 - share), np.float32)


def in_a_room(rng: Random, sound: Floats) -> Floats:
    """With the reverberation of a random room, different on either side: early reflections, then noise that dies
    sooner the higher it is."""
    seconds = log_uniform(rng, 0.15, 2.0)
    length = round(seconds * SAMPLE_RATE)
    time = np.arange(length)[:, np.newaxis] / SAMPLE_RATE
    noise = rng.standard_normal((length, 2), np.float32) * np.exp(-6.9 * time / seconds)
    dark = float(np.exp(-rng.uniform(0.2, 2.5)))
    response = lfilter([1 - dark], [1, -dark], noise, axis=0) + rng.uniform(0, 0.3) * noise
    response[: round(rng.uniform(0.001, 0.03) * SAMPLE_RATE)] = 0
    for _ in range(8):
        response[int(rng.integers(40, min(2400, length))), int(rng.integers(2))] += rng.normal(0, 2)
    response /= np.sqrt(np.mean(np.sum(response**2, axis=0))) + _TINY
    wet = oaconvolve(sound, response.astype(np.float32), axes=0)[: len(sound)]
    return np.asarray(sound + np.float32(log_uniform(rng, 0.05, 0.9)) * wet, np.float32)


def narrowed(sound: Floats, width: float) -> Floats:
    """With the difference of the channels times ``width``: 0 is mono, 1 as it was."""
    middle = sound.mean(axis=1, keepdims=True)
    return np.asarray(middle + (sound - middle) * np.float32(width), np.float32)


def panned(sound: Floats, place: float) -> Floats:
    """Moved to one side, ``place`` in −1…1, by balance."""
    left, right = np.cos((place + 1) * np.pi / 4), np.sin((place + 1) * np.pi / 4)
    return np.asarray(sound * (np.array([left, right]) * np.sqrt(2)), np.float32)
