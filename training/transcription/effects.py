"""What happens to a sound before it is transcribed: rooms, equalisers, amplifiers, noise, a separation's mask."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d
from scipy.signal import fftconvolve, istft, stft

from antiphon.music.transcription.levels import SAMPLE_RATE, Floats

Random = np.random.Generator

WINDOW, STEP = 2048, 512


def gain_of(decibels: float) -> np.float32:
    return np.float32(10 ** (decibels / 20))


def rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + 1e-9


def equalised(rng: Random, sound: Floats) -> Floats:
    """Through a random equaliser: a smooth curve, at times without the lowest or highest, at times with a notch."""
    length = next_fast_len(len(sound), real=True)
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    octave = np.log2(np.maximum(hertz, 20))
    points = np.linspace(np.log2(40), np.log2(11_000), 8)
    curve = np.interp(octave, points, rng.normal(0, 4, 8))
    if rng.random() < 0.25:
        curve -= 24 * np.clip(np.log2(rng.uniform(60, 260)) - octave, 0, 3)
    if rng.random() < 0.25:
        curve -= 36 * np.clip(octave - np.log2(rng.uniform(2_500, 9_000)), 0, 2)
    if rng.random() < 0.15:
        curve -= rng.uniform(12, 30) * np.exp(-(((octave - rng.uniform(7, 12)) / rng.uniform(0.1, 0.5)) ** 2))
    return np.asarray(irfft(rfft(sound, length) * 10 ** (curve / 20), length)[: len(sound)], np.float32)


def in_a_room(rng: Random, sound: Floats) -> Floats:
    """With the reverberation of a random room: noise that dies away, sooner where it is higher."""
    seconds = float(np.exp(rng.uniform(np.log(0.15), np.log(1.6))))
    time = np.arange(round(min(seconds, 1.2) * SAMPLE_RATE)) / SAMPLE_RATE
    bright = rng.normal(0, 1, len(time)) * 10 ** (-6 * time / seconds)
    dark = uniform_filter1d(rng.normal(0, 1, len(time)), 5) * 10 ** (-3 * time / seconds)
    response = rng.uniform(0.1, 1) * bright + 2 * dark
    response[: round(rng.uniform(0.001, 0.03) * SAMPLE_RATE)] = 0
    wet = fftconvolve(sound, response)[: len(sound)].astype(np.float32)
    return np.asarray(sound + wet * np.float32(rms(sound) / rms(wet)) * gain_of(rng.uniform(-24, -5)), np.float32)


def driven(rng: Random, sound: Floats) -> Floats:
    """Through an amplifier that is driven too hard, evenly or to one side."""
    drive = np.float32(np.exp(rng.uniform(np.log(0.7), np.log(25))) / (3 * rms(sound)))
    bias = np.float32(rng.uniform(-0.3, 0.3))
    out = np.tanh(sound * drive + bias) - np.tanh(bias)
    return np.asarray(out * np.float32(rms(sound) / rms(out)), np.float32)


def noise(rng: Random, length: int) -> Floats:
    """Noise of some colour, at times with a hum, of RMS 1."""
    fast = next_fast_len(length, real=True)
    hertz = np.maximum(np.fft.rfftfreq(fast, 1 / SAMPLE_RATE), 20)
    white = rfft(rng.standard_normal(fast, np.float32))
    sound = irfft(white * (hertz / 1000) ** rng.uniform(-1, 0.3), fast)[:length]
    sound /= sound.std() + 1e-9
    if rng.random() < 0.15:
        time = np.arange(length) / SAMPLE_RATE
        hum = sum(np.sin(2 * np.pi * rng.choice([50, 60]) * order * time) / order for order in (1, 2, 3))
        sound += hum * rng.uniform(0.1, 1)
    return np.asarray(sound / (sound.std() + 1e-9), np.float32)


def unmixed(rng: Random, wanted: Floats, rest: Floats) -> Floats:
    """``wanted`` as a separation gives it out of its sum with ``rest``: the sum under a mask that is right on the
    whole, but coarse, late and mistaken here and there."""
    mixed = _spectrum(wanted + rest)
    mine, other = np.abs(_spectrum(wanted)), np.abs(_spectrum(rest))
    power = rng.uniform(1, 2)
    doubt = np.exp(rng.normal(0, rng.uniform(0, 0.7), (mixed.shape[0] // 16 + 2, mixed.shape[1] // 8 + 2)))
    mine *= np.repeat(np.repeat(doubt, 16, axis=0), 8, axis=1)[: mixed.shape[0], : mixed.shape[1]]
    wide, long = int(rng.integers(1, 12)), int(rng.integers(1, 6))
    mine, other = (uniform_filter1d(uniform_filter1d(one**power, wide, axis=0), long, axis=1) for one in (mine, other))
    mask = mine / (mine + other * np.exp(rng.normal(0, 0.5)) + 1e-9)
    mask = np.maximum(mask, gain_of(rng.uniform(-40, -15)))
    _, out = istft(mixed * mask, SAMPLE_RATE, nperseg=WINDOW, noverlap=WINDOW - STEP)
    return np.asarray(np.pad(out, (0, max(len(wanted) - len(out), 0)))[: len(wanted)], np.float32)


def _spectrum(sound: Floats) -> NDArray[np.complex64]:
    _, _, spectrum = stft(sound, SAMPLE_RATE, nperseg=WINDOW, noverlap=WINDOW - STEP)
    return np.asarray(spectrum, np.complex64)
