"""What happens to drums on their way to a listener: rooms, microphones, compressors, tape, codecs."""

import numpy as np
from scipy.signal import fftconvolve, lfilter

from training.drums.patterns import Random
from training.drums.samples import RATE, Mono


def equalised(rng: Random, samples: Mono, *, depth: float = 6.0) -> Mono:
    """Through a smooth random equaliser whose bands deviate by ``depth`` dB."""
    points = np.geomspace(30, 20_000, 9)
    gains = rng.normal(0, depth, len(points)) * 0.6 + np.linspace(-1, 1, len(points)) * rng.normal(0, depth * 0.6)
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    curve = np.interp(np.log(np.maximum(hertz, 20)), np.log(points), gains)
    if rng.random() < 0.3:
        curve -= 24 * np.clip(np.log2(rng.uniform(30, 90) / np.maximum(hertz, 1)), 0, None)
    if rng.random() < 0.35:
        curve -= 60 * np.clip(np.log2(np.maximum(hertz, 1) / rng.uniform(7_000, 17_000)), 0, None)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (curve / 20), len(samples)), np.float32)


def compressed(rng: Random, samples: Mono) -> Mono:
    """Through a compressor with random threshold, ratio, attack and release."""
    attack, release = np.exp(rng.uniform(np.log(0.0005), np.log(0.03))), np.exp(rng.uniform(np.log(0.03), np.log(0.4)))
    step = 16
    padded = np.pad(np.abs(samples), (0, -len(samples) % step)).reshape(-1, step).max(axis=1)
    slow = lfilter([1 - (keep := np.exp(-step / (release * RATE)))], [1, -keep], padded)
    fast = lfilter([1 - (keep := np.exp(-step / (attack * RATE)))], [1, -keep], padded)
    level = 20 * np.log10(np.maximum(slow * 2, fast) + 1e-6)
    threshold = np.percentile(level, 97) - rng.uniform(3, 20)
    reduction = np.maximum(level - threshold, 0) * (1 - 1 / rng.uniform(1.5, 10))
    gain = np.interp(np.arange(len(samples)), np.arange(len(level)) * step, 10 ** (-reduction / 20))
    return np.asarray(samples * gain, np.float32)


def saturated(rng: Random, samples: Mono) -> Mono:
    top = float(np.abs(samples).max()) or 1.0
    drive = float(np.exp(rng.uniform(np.log(0.5), np.log(6))))
    return np.asarray(np.tanh(samples / top * drive) / np.tanh(drive) * top, np.float32)


def in_a_room(rng: Random, samples: Mono) -> Mono:
    """With the reverberation of a random room: early reflections, then noise that dies sooner the higher it is."""
    seconds = float(np.exp(rng.uniform(np.log(0.12), np.log(1.2))))
    length = round(seconds * RATE)
    time = np.arange(length) / RATE
    response = rng.normal(0, 1, length) * np.exp(-6.9 * time / seconds)
    dark = np.exp(-rng.uniform(0.3, 2.5))
    response = lfilter([1 - dark], [1, -dark], response) + rng.uniform(0, 0.3) * response
    response[: round(rng.uniform(0.001, 0.02) * RATE)] = 0
    for _ in range(6):
        response[int(rng.integers(40, min(1800, length)))] += rng.normal(0, 4) * np.abs(response).max() * 0.5
    response /= np.sqrt(np.sum(response**2)) + 1e-9
    wet = np.asarray(fftconvolve(samples, response)[: len(samples)], np.float32)
    return samples + np.float32(rng.uniform(0.05, 0.7)) * wet


def produced(rng: Random, samples: Mono) -> Mono:
    """A random chain of all that."""
    if rng.random() < 0.6:
        samples = in_a_room(rng, samples)
    samples = equalised(rng, samples, depth=float(rng.choice([2.0, 4.0, 7.0])))
    if rng.random() < 0.5:
        samples = compressed(rng, samples)
    if rng.random() < 0.3:
        samples = saturated(rng, samples)
    if rng.random() < 0.3:
        hiss = rng.normal(0, 1, len(samples)).astype(np.float32)
        samples = samples + hiss * np.float32(np.abs(samples).max() * 10 ** rng.uniform(-5, -2.2))
    return samples


def steady(rng: Random, length: int) -> Mono:
    """Noise of some colour that comes and goes slowly, a tone, a hum: nothing that is struck."""
    time = np.arange(length) / RATE
    sound = np.zeros(length)
    if rng.random() < 0.7:
        sound += equalised(rng, rng.normal(0, 1, length).astype(np.float32), depth=10.0)
    if rng.random() < 0.5 or not sound.any():
        pitch = float(np.exp(rng.uniform(np.log(40), np.log(4_000)))) * (1 + rng.uniform(0, 0.1) * np.sin(time))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        sound += sum(np.sin(order * phase) / order for order in range(1, int(rng.integers(2, 8)))) * rng.uniform(0.1, 3)
    slow = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.02, 0.4) * time + rng.uniform(0, 6))
    return np.asarray(sound * slow, np.float32)
