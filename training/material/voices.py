"""Singers: a glottal pulse and breath through the moving resonances of a vocal tract, with consonants between notes.

Source and filter after Fant (1960); the pulse is Rosenberg's (1971), the resonances are in parallel. Vowels are
rounded from Peterson & Barney (1952).
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from training.material.corpus import RATE, Note
from training.material.theory import Random

Mono = NDArray[np.float32]
HOP = 64
VOWELS = np.array(
    [
        (730, 1090, 2440),
        (570, 840, 2410),
        (300, 870, 2240),
        (530, 1840, 2480),
        (270, 2290, 3010),
        (660, 1720, 2410),
        (440, 1020, 2240),
        (390, 1990, 2550),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    float,
)
"""Resonances in Hz."""
OOH, AAH = 2, 0
FRICTION = ((6500.0, 2500.0), (3500.0, 1500.0), (5000.0, 4000.0), (1800.0, 800.0), (8000.0, 2000.0))
"""Centre and width in Hz of consonants' noise."""


@njit(cache=True)
def _sung(frequency, tract, widths, gains, voiced, breath, noise, opened, length):  # type: ignore[no-untyped-def]
    """Controls are given every ``HOP`` samples: ``frequency``, ``tract`` (n, 5) in Hz, loudness of voice and breath."""
    out = np.zeros(length, np.float32)
    first = np.zeros(5)
    second = np.zeros(5)
    phase = 0.0
    before = 0.0
    poles = np.zeros((5, 3))
    for index in range(length):
        frame = index // HOP
        part = (index - frame * HOP) / HOP
        if index % HOP == 0:
            for pole in range(5):
                radius = np.exp(-np.pi * widths[pole] / 44100.0)
                centre = min(tract[frame, pole], 15000.0)
                poles[pole, 0] = 2 * radius * np.cos(2 * np.pi * centre / 44100.0)
                poles[pole, 1] = -radius * radius
                poles[pole, 2] = gains[pole] * (1 - radius) * 6
        pitch = frequency[frame] * (1 - part) + frequency[frame + 1] * part
        phase += pitch / 44100.0
        if phase >= 1:
            phase -= 1
        rise = opened * 0.7
        if phase < rise:
            flow = 0.5 * (1 - np.cos(np.pi * phase / rise))
        elif phase < opened:
            flow = np.cos(np.pi * 0.5 * (phase - rise) / (opened - rise))
        else:
            flow = 0.0
        pulse = (flow - before) * 44100.0 / (pitch * 60.0)
        before = flow
        loud = voiced[frame] * (1 - part) + voiced[frame + 1] * part
        air = breath[frame] * (1 - part) + breath[frame + 1] * part
        source = pulse * loud + noise[index] * air * (0.4 + 0.6 * flow)
        total = 0.0
        for pole in range(5):
            value = poles[pole, 2] * source + poles[pole, 0] * first[pole] + poles[pole, 1] * second[pole]
            second[pole] = first[pole]
            first[pole] = value
            total += value if pole % 2 == 0 else -value
        out[index] = total
    return out


def sing(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
    """One singer, or several where ``notes`` sound together: words, vibrato, slides and breath are the singer's own."""
    lines = _lines(notes)
    words, choral = int(rng.integers(2**31)), len(lines) > 1
    sound = np.zeros(length, np.float32)
    for line in lines:
        sound += _singer(rng, np.random.default_rng(words), line, length, cents, choral=choral)
    return sound


def ensemble(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
    """Two to four singers on each line, none of them quite together."""
    sound = np.zeros(length, np.float32)
    words = int(rng.integers(2**31))
    for line in _lines(notes):
        for _ in range(int(rng.integers(2, 4))):
            late = float(rng.normal(0, 0.02))
            moved = [note._replace(start=max(note.start + late, 0), end=note.end + late) for note in line]
            away = cents + float(rng.normal(0, 8))
            sound += _singer(rng, np.random.default_rng(words), moved, length, away, choral=True)
    return sound


def _lines(notes: Sequence[Note]) -> list[list[Note]]:
    """Notes as melodies of one voice each."""
    lines: list[list[Note]] = []
    for note in sorted(notes):
        free = [line for line in lines if line[-1].end <= note.start + 0.03]
        if free:
            min(free, key=lambda line: abs(line[-1].pitch - note.pitch)).append(note)
        else:
            lines.append([note])
    return lines


def _singer(rng: Random, words: Random, notes: Sequence[Note], length: int, cents: float, *, choral: bool) -> Mono:
    count = length // HOP + 3
    pitch, voiced, breath = np.full(count, np.nan), np.zeros(count), np.zeros(count)
    vibrato, vowels = np.zeros(count), np.full((count, 3), np.nan)
    size, airy = float(np.exp(rng.normal(0.05, 0.09))), float(rng.uniform(0.01, 0.12))
    consonants = np.zeros(length, np.float32)
    plain = choral and words.random() < 0.6
    steady = int(words.choice([OOH, AAH, 1]))
    previous = -9.0
    for note in notes:
        first, last = round(note.start * RATE / HOP), min(round(note.end * RATE / HOP), count - 1)
        if last - first < 2:
            continue
        time = np.arange(last - first) * HOP / RATE
        slide = float(rng.uniform(0.2, 1.5)) if note.start - previous > 0.2 else float(rng.uniform(0, 0.6))
        pitch[first:last] = note.pitch - slide * np.exp(-time / rng.uniform(0.02, 0.06))
        vibrato[first:last] = np.clip((time - 0.15) / 0.3, 0, 1)
        swell = 1 + 0.2 * np.sin(np.pi * time / (time[-1] + 1e-6))
        ends = np.minimum(time / 0.015, 1) * np.clip((time[-1] - time) / 0.05, 0, 1)
        voiced[first:last] = (0.25 + 0.75 * note.velocity) * swell * ends
        breath[first:last] = airy * ends
        vowels[first:last] = VOWELS[steady if plain else int(words.integers(len(VOWELS)))]
        if not plain and words.random() < 0.6:
            _consonant(rng, words, consonants, note)
        previous = note.end
    if not np.isfinite(pitch).any():
        return np.zeros(length, np.float32)
    rate, depth = float(rng.uniform(4.6, 6.4)), float(rng.uniform(0.05, 0.55))
    wander = uniform_filter1d(rng.normal(0, 1, count), 200) * 1.5
    bent = _filled(pitch) + depth * vibrato * np.sin(2 * np.pi * rate * np.arange(count) * HOP / RATE) + 0.15 * wander
    bent = uniform_filter1d(bent, round(rng.uniform(0.02, 0.07) * RATE / HOP))
    frequency = 440 * 2 ** ((bent - 69 + cents / 100) / 12)
    tract = np.stack([uniform_filter1d(_filled(vowels[:, order]), 35) for order in range(3)], axis=1) * size
    tract[:, 0] = np.maximum(tract[:, 0], frequency * 1.05)
    upper = np.stack([np.full(count, rng.uniform(2900, 3600)), np.full(count, rng.uniform(3800, 5000))], axis=1) * size
    widths = np.array([80, 100, 130, 200, 300]) * rng.uniform(0.8, 1.5)
    gains = np.array([1.0, 0.6, 0.35, rng.uniform(0.15, 0.6), rng.uniform(0.05, 0.3)])
    noise = rng.normal(0, 1, length)
    opened = float(rng.uniform(0.45, 0.75))
    sound = _sung(
        frequency, np.concatenate([tract, upper], axis=1), widths, gains, voiced, breath, noise, opened, length
    )
    top = float(np.sqrt(np.mean(np.square(sound)))) + 1e-9
    return np.asarray(sound / np.float32(top) + consonants * np.float32(rng.uniform(0.4, 1.4)), np.float32)


def _consonant(rng: Random, words: Random, sound: Mono, note: Note) -> None:
    """Noise before the vowel."""
    centre, width = FRICTION[int(words.integers(len(FRICTION)))]
    seconds = float(words.choice([0.02, 0.05, 0.09, 0.12]))
    start = max(round((note.start - seconds) * RATE), 0)
    count = min(round(seconds * 1.1 * RATE), len(sound) - start)
    if count < 32:
        return
    radius = float(np.exp(-np.pi * width / RATE))
    turn = 2 * np.pi * centre / RATE
    burst = lfilter([1 - radius, 0, radius - 1], [1, -2 * radius * np.cos(turn), radius**2], rng.normal(0, 1, count))
    shape = np.sin(np.linspace(0, np.pi, count)) ** 0.5
    sound[start : start + count] += (burst * shape * (0.3 + 0.7 * note.velocity)).astype(np.float32)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaps take the next known value, or the last one."""
    known = np.flatnonzero(~np.isnan(values))
    following = np.minimum(np.searchsorted(known, np.arange(len(values))), len(known) - 1)
    return np.asarray(values[known[following]])
