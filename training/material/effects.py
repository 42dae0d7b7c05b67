"""What is done to instruments on their way onto a record: amplifiers, cabinets, equalisers, compressors, rooms."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pedalboard as pb
import soxr
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import firwin2, lfilter, oaconvolve

from training.material.corpus import RATE, Sound
from training.material.theory import Random

Mono = NDArray[np.float32]


def through(sound: Sound | Mono, *plugins: pb.Plugin) -> NDArray[np.float32]:
    """``sound`` (n, 2) or (n,) through effects one after the other."""
    if not plugins:
        return sound
    flat = np.ascontiguousarray(sound.T if sound.ndim == 2 else sound[None], np.float32)
    made = np.asarray(pb.Pedalboard(list(plugins))(flat, RATE, reset=True), np.float32)
    return np.ascontiguousarray(made.T) if sound.ndim == 2 else made[0]


def equaliser(rng: Random, depth: float = 3.0, *, low_cut: float | None = None) -> list[pb.Plugin]:
    """A mixing desk's channel: shelves, one or two bells, perhaps a low cut."""
    bands: list[pb.Plugin] = [
        pb.LowShelfFilter(float(rng.uniform(70, 300)), float(rng.normal(0, depth)), 0.7),
        pb.HighShelfFilter(float(rng.uniform(2500, 9000)), float(rng.normal(0, depth)), 0.7),
    ]
    for _ in range(int(rng.integers(0, 3))):
        centre = float(np.exp(rng.uniform(np.log(150), np.log(7000))))
        bands.append(pb.PeakFilter(centre, float(rng.normal(0, depth)), float(rng.uniform(0.5, 2))))
    if low_cut is not None:
        bands.append(pb.HighpassFilter(low_cut))
    if rng.random() < 0.12:
        bands.append(pb.LowpassFilter(float(rng.uniform(5000, 14000))))
    return bands


def compressor(rng: Random, level_db: float) -> pb.Plugin:
    """A compressor that works where the part is loud; ``level_db`` is the part's RMS level."""
    return pb.Compressor(
        level_db + float(rng.uniform(-8, 6)),
        float(rng.uniform(1.8, 6)),
        float(np.exp(rng.uniform(np.log(1), np.log(30)))),
        float(np.exp(rng.uniform(np.log(50), np.log(300)))),
    )


def mono(sound: NDArray[np.float32]) -> Mono:
    """The middle of stereo sound; (n,)."""
    return sound if sound.ndim == 1 else np.float32(0.5) * (sound[:, 0] + sound[:, 1])


def level(sound: NDArray[np.float32]) -> float:
    """RMS in dB of what is not silence."""
    size = 4096 * sound.ndim
    flat = sound.reshape(-1)
    rows = flat[: len(flat) // size * size].reshape(-1, size)
    frames = np.einsum("ij,ij->i", rows, rows) / size
    if not len(frames) or frames.max() <= 1e-12:
        return -120.0
    return float(10 * np.log10(frames[frames > frames.max() * 1e-3].mean()))


@cache
def _grid() -> NDArray[np.float64]:
    return np.geomspace(20, 20_000, 80)


def cabinet(rng: Random, *, bass: bool = False) -> Mono:
    """The impulse response of a loudspeaker with a microphone before it: a band with a hump, dips and a steep end."""
    hertz = _grid()
    low, high = (
        (rng.uniform(35, 60), rng.uniform(2500, 5500)) if bass else (rng.uniform(70, 120), rng.uniform(4000, 6500))
    )
    gain = -24 * np.clip(np.log2(low / hertz), 0, None) - rng.uniform(24, 48) * np.clip(np.log2(hertz / high), 0, None)
    gain += rng.uniform(1, 6) * np.exp(-0.5 * (np.log2(hertz / rng.uniform(1800, 3800)) / 0.6) ** 2)
    gain += rng.uniform(0, 5) * np.exp(-0.5 * (np.log2(hertz / rng.uniform(90, 160)) / 0.5) ** 2)
    gain -= rng.uniform(0, 6) * np.exp(-0.5 * (np.log2(hertz / rng.uniform(350, 900)) / 0.6) ** 2)
    for _ in range(6):
        gain += rng.normal(0, 2) * np.exp(
            -0.5 * (np.log2(hertz / np.exp(rng.uniform(np.log(200), np.log(5000)))) / 0.15) ** 2
        )
    points = np.concatenate([[0], hertz, [RATE / 2]])
    gains = 10 ** (np.clip(np.concatenate([[-60], gain, [-80]]), -80, 20) / 20)
    linear = firwin2(1023, points, gains, fs=RATE)
    return _minimum_phase(linear)[:700]


def _minimum_phase(response: NDArray[np.float64]) -> Mono:
    size = 4096
    magnitude = np.maximum(np.abs(np.fft.fft(response, size)), 1e-6)
    cepstrum = np.fft.ifft(np.log(magnitude)).real
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    return np.asarray(np.fft.ifft(np.exp(np.fft.fft(cepstrum))).real, np.float32)


def amplified(rng: Random, sound: Mono, drive_db: float, *, bass: bool = False) -> Mono:
    """A part through a preamplifier that clips, and a loudspeaker. ``drive_db`` over the point where it begins to."""
    loud = 10 ** ((drive_db - level(sound)) / 20)
    signal = through(sound, pb.HighpassFilter(float(rng.uniform(30, 60) if bass else rng.uniform(80, 200))))
    if drive_db > -6:
        high = np.asarray(soxr.resample(signal, RATE, 2 * RATE, quality="MQ"), np.float32)
        high = _clipped(high * np.float32(loud), float(rng.uniform(0, 0.35)), hard=bool(rng.random() < 0.4))
        if drive_db > 14 and rng.random() < 0.6:
            high = _clipped(high * np.float32(rng.uniform(1.5, 4)), float(rng.uniform(-0.2, 0.2)), hard=False)
        signal = np.asarray(soxr.resample(high, 2 * RATE, RATE, quality="MQ"), np.float32)
        signal = np.pad(signal, (0, max(len(sound) - len(signal), 0)))[: len(sound)]
        signal = through(signal, pb.HighpassFilter(30.0))
    tone = [
        pb.LowShelfFilter(float(rng.uniform(100, 200)), float(rng.normal(0, 3)), 0.7),
        pb.PeakFilter(float(rng.uniform(400, 900)), float(rng.normal(0, 4)), 0.7),
        pb.HighShelfFilter(float(rng.uniform(2000, 4000)), float(rng.normal(0, 3)), 0.7),
    ]
    signal = through(signal, *tone)
    return np.asarray(oaconvolve(signal, cabinet(rng, bass=bass))[: len(sound)], np.float32)


def _clipped(signal: Mono, bias: float, *, hard: bool) -> Mono:
    shifted = signal + np.float32(bias)
    bent = shifted / np.sqrt(np.sqrt(1 + np.square(np.square(shifted)))) if hard else np.tanh(shifted)
    return np.asarray(bent - np.float32(np.tanh(bias)), np.float32)


def saturated(sound: NDArray[np.float32], drive_db: float) -> NDArray[np.float32]:
    """Softly bent like tape; ``drive_db`` is the part's peak over full scale."""
    top = max(float(np.abs(sound).max()), 1e-6)
    drive = np.float32(10 ** (drive_db / 20))
    return np.asarray(np.tanh(sound / top * drive) / np.tanh(drive) * top, np.float32)


def impulse(rng: Random, seconds: float, *, predelay: float = 0.0) -> Sound:
    """A stereo room: early reflections, then noise that dies sooner the higher it is. Its energy is 1."""
    length = round(seconds * 1.1 * RATE)
    time = np.arange(length) / RATE
    response = np.empty((length, 2), np.float32)
    for side in (0, 1):
        noise = rng.normal(0, 1, length).astype(np.float32)
        bright = noise * np.exp(-6.9 * time / (seconds * rng.uniform(0.35, 0.6)))
        keep = float(np.exp(-rng.uniform(0.15, 0.6)))
        dark = lfilter([1 - keep], [1, -keep], noise) * np.exp(-6.9 * time / seconds) * rng.uniform(1.5, 3)
        response[:, side] = bright + dark
    first = max(round(predelay * RATE), 1)
    response = np.concatenate([np.zeros((first, 2), np.float32), response])[:length]
    for _ in range(7):
        at = first + int(rng.integers(20, 1500))
        if at < length:
            response[at] += rng.normal(0, 6, 2).astype(np.float32)
    response *= np.float32(1 / np.sqrt(np.square(response).sum(axis=0).mean()))
    return response


def reverberated(sound: Sound, response: Sound, wet_db: float) -> Sound:
    """``sound`` with its reverberation, ``wet_db`` against the dry sound."""
    gain = np.float32(10 ** (wet_db / 20))
    wet = np.stack([oaconvolve(sound[:, side], response[:, side])[: len(sound)] for side in (0, 1)], axis=1)
    return (sound + gain * wet).astype(np.float32)


def echoed(rng: Random, sound: Sound, beat: float) -> Sound:
    """Repeats in time with the beat, by turns left and right."""
    seconds = beat * float(rng.choice([0.5, 0.75, 1.0]))
    step, gain = round(seconds * RATE), float(rng.uniform(0.12, 0.4))
    made = sound.copy()
    repeat = through(sound, pb.LowpassFilter(float(rng.uniform(2000, 6000))), pb.HighpassFilter(200.0))
    for count in range(1, 5):
        repeat = repeat[:, ::-1] * np.float32(gain if count == 1 else 0.45)
        if count * step >= len(made):
            break
        made[count * step :] += repeat[: len(made) - count * step]
    return made


def placed(sound: NDArray[np.float32], pan: float) -> Sound:
    """Mono or stereo sound at ``pan`` -1 to 1, at equal power."""
    if sound.ndim == 1:
        angle = (pan + 1) * np.pi / 4
        return np.stack([sound * np.float32(np.cos(angle)), sound * np.float32(np.sin(angle))], axis=1)
    gains = np.array([min(1 - pan, 1.0), min(1 + pan, 1.0)], np.float32)
    return (sound * gains).astype(np.float32)


def ducking(length: int, times: Sequence[float], depth_db: float, seconds: float) -> Mono:
    """The gain of a side-chained compressor that a bass drum at ``times`` triggers."""
    gain = np.ones(length, np.float32)
    size = round(seconds * RATE)
    shape = 1 - (1 - 10 ** (-depth_db / 20)) * (1 - np.linspace(0, 1, size, dtype=np.float32)) ** 1.5
    shape[:200] = np.linspace(1, shape[0], 200)
    for time in times:
        start = max(round(time * RATE), 0)
        part = shape[: max(length - start, 0)].astype(np.float32)
        gain[start : start + len(part)] = np.minimum(gain[start : start + len(part)], part)
    return gain


def limiter_gain(mix: Sound, ceiling: float) -> Mono:
    """The gain curve that keeps ``mix`` under ``ceiling``: looks ahead 3 ms, lets go in about 80 ms."""
    size, step = 128, 32
    peak = np.maximum(np.abs(mix[:, 0]), np.abs(mix[:, 1]))
    blocks = np.pad(peak, (0, -len(peak) % step)).reshape(-1, step).max(axis=1)
    needed = np.minimum(1, ceiling / np.maximum(blocks, 1e-9))
    held = minimum_filter1d(needed, size=2 * (size // step) + 1)
    slow = minimum_filter1d(held, size=83, origin=0)
    slow = uniform_filter1d(slow, size=41)
    fast = uniform_filter1d(held, size=size // step + 1)
    gain = np.minimum(fast, np.maximum(slow, fast * 0.98))
    return np.asarray(np.interp(np.arange(len(mix)), (np.arange(len(gain)) + 0.5) * step, gain), np.float32)


def compressor_gain(mix: Sound, threshold_db: float, ratio: float, attack: float, release: float) -> Mono:
    """The gain curve of a compressor on the sum, to be applied to all that is in it."""
    step = 64
    power = 0.5 * (np.square(mix[:, 0]) + np.square(mix[:, 1]))
    blocks = np.pad(power, (0, -len(power) % step)).reshape(-1, step).mean(axis=1)
    keep = float(np.exp(-step / (0.01 * RATE)))
    loudness = 10 * np.log10(lfilter([1 - keep], [1, -keep], blocks) + 1e-9)
    wanted = -np.maximum(loudness - threshold_db, 0) * (1 - 1 / ratio)
    keep_a, keep_r = (float(np.exp(-step / (seconds * RATE))) for seconds in (attack, release))
    slow = lfilter([1 - keep_r], [1, -keep_r], wanted)
    quick = lfilter([1 - keep_a], [1, -keep_a], wanted)
    gain = 10 ** (np.minimum(slow, quick * 0.8) / 20)
    return np.asarray(np.interp(np.arange(len(mix)), np.arange(len(gain)) * step, gain), np.float32)
