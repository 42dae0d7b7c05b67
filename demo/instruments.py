"""The band, synthesised: each function renders one note as mono samples at 44.1 kHz, peak about ``velocity``.

Nothing is sampled from anywhere, so that the result is free of other people's rights.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Random = np.random.Generator

RATE = 44_100


def hertz(pitch: float) -> float:
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def clock(seconds: float) -> Samples:
    """The times of ``seconds`` of samples."""
    return np.arange(int(seconds * RATE)) / RATE


def faded(tone: Samples, attack: float, release: float) -> Samples:
    """A raised-cosine start and end, in seconds, so that no note clicks."""
    for seconds, part in ((attack, slice(None)), (release, slice(None, None, -1))):
        count = min(len(tone), max(2, int(seconds * RATE)))
        tone[part][:count] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)
    return tone


def band(noise: Samples, low: float, high: float) -> Samples:
    """Keeps ``low``–``high`` Hz with slopes of 12 dB per octave, in the frequency domain."""
    frequency = np.fft.rfftfreq(len(noise), 1 / RATE) + 1e-9
    gain = 1 / (1 + (low / frequency) ** 2) / (1 + (frequency / high) ** 2)
    return np.fft.irfft(np.fft.rfft(noise) * gain, len(noise))


def string(frequency: float, seconds: float, excitation: Samples, *, damping: float, loss: float) -> Samples:
    """A plucked string (Karplus & Strong 1983; tuned as by Jaffe & Smith 1983): a period of ``excitation`` goes
    round a delay line through a short low-pass. ``damping`` 0–0.5 is how dull the loop is, ``loss`` the
    factor that is left of the fundamental after one second."""
    period = RATE / frequency
    whole = int(period - 1.5)
    # Three taps of low-pass, then a linear fraction of a sample that brings the loop to the exact period.
    fraction = period - 1 - whole
    low_pass = np.array([damping, 1 - 2 * damping, damping])
    offset = int(fraction)
    fraction -= offset
    taps = np.convolve(low_pass, [1 - fraction, fraction]) * loss ** (1 / frequency)
    lag = whole + offset
    count = int(seconds * RATE)
    line = np.zeros(count + lag + 8)
    start = lag + 4
    line[start : start + min(len(excitation), count)] = excitation[:count][: len(line) - start]
    step = lag - 1
    for begin in range(start + lag, len(line), step):
        end = min(begin + step, len(line))
        window = line[begin - lag - 3 : end - lag + 1]
        line[begin:end] += np.convolve(window, taps, mode="valid")[: end - begin]
    return line[start : start + count]


def guitar(pitch: int, seconds: float, velocity: float, random: Random) -> Samples:
    """A steel string picked a seventh of the way along, in a wooden body of four resonances."""
    frequency = hertz(pitch)
    period = round(RATE / frequency)
    pluck = band(random.uniform(-1, 1, period + 64), 60, 2200 + 4500 * velocity)[:period]
    pluck -= pluck.mean()
    pluck -= 0.8 * np.roll(pluck, period // 7)
    tone = string(frequency, seconds + 0.12, pluck, damping=0.12, loss=0.35)
    spectrum = np.fft.rfft(tone)
    at = np.fft.rfftfreq(len(tone), 1 / RATE)
    body = np.ones_like(spectrum)
    for centre, width, gain in ((105, 40, 0.9), (210, 60, 1.1), (420, 120, 0.6), (2600, 1400, 0.5)):
        body += gain * (1j * at * width) / (centre**2 - at**2 + 1j * at * width + 1e-9)
    tone = np.fft.irfft(spectrum * body, len(tone))
    return faded(_to_peak(tone, velocity), 0.0012, 0.1)


def bass(pitch: int, seconds: float, velocity: float, random: Random) -> Samples:
    """A finger on a heavy string: a dull pluck, its fundamental held up, gently overdriven."""
    frequency = hertz(pitch)
    period = round(RATE / frequency)
    pluck = band(random.uniform(-1, 1, period + 256), 30, 700 + 1300 * velocity)[:period]
    pluck -= pluck.mean()
    tone = _to_peak(string(frequency, seconds + 0.06, pluck, damping=0.22, loss=0.3), 1)
    t = clock(seconds + 0.06)[: len(tone)]
    tone = 0.8 * tone + 0.4 * np.sin(2 * np.pi * frequency * t) * np.exp(-0.9 * t)
    return faded(_to_peak(np.tanh(1.6 * tone), velocity), 0.004, 0.055)


def electric_piano(pitch: int, seconds: float, velocity: float, random: Random) -> Samples:
    """Frequency modulation (Chowning 1973): a soft bark at 1:1 and the tine's short ring far above."""
    frequency = hertz(pitch)
    t = clock(seconds + 0.22)
    turn = 2 * np.pi * frequency * t
    bark = (0.35 + 1.5 * velocity) * np.exp(-t * 2.6) * np.sin(turn)
    ring = 0.14 * velocity * np.exp(-t * 14) * np.sin(turn * min(14.0, 9000 / frequency))
    tone = (np.sin(turn + bark) + ring + 0.12 * np.sin(2 * turn)) * np.exp(-t * (0.55 + pitch / 90))
    tone *= 1 + 0.12 * np.sin(2 * np.pi * 4.8 * t + random.uniform(0, 6.28))
    return faded(0.8 * velocity * tone, 0.003, 0.2)


def vibraphone(pitch: int, seconds: float, velocity: float, random: Random) -> Samples:
    """A struck bar: partials at 1, 4 and 10 times the fundamental, and the turning discs' tremolo."""
    frequency = hertz(pitch)
    t = clock(seconds + 0.9)
    tone = np.sin(2 * np.pi * frequency * t) * np.exp(-t * 1.1)
    for ratio, level, decay in ((3.99, 0.28, 5.0), (9.9, 0.1, 22.0)):
        if ratio * frequency < 16_000:
            tone += level * velocity * np.sin(2 * np.pi * ratio * frequency * t) * np.exp(-t * decay)
    mallet = band(random.normal(size=len(t)), 600, 3500) * np.exp(-t * 260) * 0.25
    tremolo = 1 - 0.22 * (0.5 - 0.5 * np.cos(2 * np.pi * 5.2 * t))
    return faded(0.8 * velocity * (tone + mallet) * tremolo, 0.0012, 0.85)


def pad(pitch: int, seconds: float, velocity: float, random: Random) -> Samples:
    """Five slightly detuned sawtooths summed from their harmonics, none above 5 kHz."""
    t = clock(seconds + 0.7)
    tone = np.zeros(len(t))
    for cents in (-9, -4, 0, 5, 10):
        frequency = hertz(pitch + cents / 100)
        start = random.uniform(0, 2 * np.pi)
        for order in range(1, int(5000 / frequency) + 1):
            level = 1 / order / (1 + (order * frequency / 1100) ** 2)
            tone += level * np.sin(order * (2 * np.pi * frequency * t + start))
    return faded(0.3 * velocity * tone, 0.22, 0.65)


def kick(velocity: float, random: Random) -> Samples:
    """A skin whose pitch falls from 170 to 50 Hz, and the beater's click."""
    t = clock(0.42)
    skin = np.sin(2 * np.pi * (50 * t + 120 / 38 * (1 - np.exp(-38 * t)))) * np.exp(-t * 9.5)
    click = band(random.normal(size=len(t)), 1200, 6000) * np.exp(-t * 330)
    return faded(_to_peak(np.tanh(1.5 * (skin + 0.7 * click)), velocity), 0.0006, 0.1)


def snare(velocity: float, random: Random) -> Samples:
    """Two modes of the skin and the wires' noise."""
    t = clock(0.34)
    skin = sum(
        level * np.sin(2 * np.pi * (f * t + 0.9 * (1 - np.exp(-60 * t)))) * np.exp(-t * d)
        for f, level, d in ((186.0, 0.8, 22.0), (331.0, 0.45, 30.0))
    )
    wires = band(random.normal(size=len(t)), 1500, 9500) * np.exp(-t * (21 - 6 * velocity))
    crack = band(random.normal(size=len(t)), 2500, 7000) * np.exp(-t * 160)
    return faded(_to_peak(skin + 0.75 * wires + 0.7 * crack, velocity), 0.0006, 0.08)


def tom(frequency: float) -> Callable[[float, Random], Samples]:
    def hit(velocity: float, random: Random) -> Samples:
        t = clock(0.55)
        skin = np.sin(2 * np.pi * (frequency * t + frequency * 0.55 / 24 * (1 - np.exp(-24 * t))))
        skin += 0.35 * np.sin(2 * np.pi * frequency * 1.59 * t) * np.exp(-t * 8)
        stick = band(random.normal(size=len(t)), 900, 5000) * np.exp(-t * 220)
        return faded(_to_peak(skin * np.exp(-t * 7.5) + 0.3 * stick, velocity), 0.0006, 0.12)

    return hit


def cymbal(seconds: float, decay: float, low: float) -> Callable[[float, Random], Samples]:
    """Bronze: six square waves whose pitches share no fundamental, ring-modulated, with noise, high-passed."""

    def hit(velocity: float, random: Random) -> Samples:
        t = clock(seconds)
        metal = np.zeros(len(t))
        for f in (2050.0, 3190.0, 3677.0, 5223.0, 5402.0, 8003.0):
            for order in (1, 3):
                if f * order < 18_000:
                    metal += np.sin(2 * np.pi * f * order * t + random.uniform(0, 6.28)) / order
        tone = band(0.25 * metal * (1 + 0.5 * np.sin(2 * np.pi * 1437 * t)) + random.normal(size=len(t)), low, 14_000)
        tone *= np.exp(-t * decay) + 0.5 * np.exp(-t * decay * 5)
        return faded(_to_peak(tone, velocity), 0.0005, seconds / 3)

    return hit


DRUMS: dict[int, Callable[[float, Random], Samples]] = {
    36: kick,
    38: snare,
    42: cymbal(0.09, 48, 7500),
    46: cymbal(0.5, 7, 6500),
    49: cymbal(2.6, 1.7, 3500),
    45: tom(98),
    47: tom(131),
    50: tom(174),
}


def _to_peak(tone: Samples, peak: float) -> Samples:
    return tone * (peak / max(1e-9, float(np.abs(tone).max())))
