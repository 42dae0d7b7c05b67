"""Instruments without samples: plucked strings, analogue and FM synthesisers, organs, deep basses.

Every patch is drawn from a random generator, so that no two songs have the same one. Strings are Karplus & Strong's
(1983) with Jaffe & Smith's extensions: a delay line with a damping filter, plucked at a point of the string.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.signal import lfilter

from training.material.corpus import RATE, Note
from training.material.theory import Random

Mono = NDArray[np.float32]


def hertz(pitch: float, cents: float) -> float:
    return float(440.0 * 2 ** ((pitch - 69 + cents / 100) / 12))


@njit(cache=True)
def _string(burst, period, damping, decay, length, stop, muted):  # type: ignore[no-untyped-def]
    """A string that ``burst`` sets in motion; from sample ``stop`` on a hand lies on it."""
    whole = int(period - damping)
    part = period - damping - whole
    allpass = (1 - part) / (1 + part)
    size = whole + 1
    line = np.zeros(size)
    out = np.zeros(length, np.float32)
    last, before, after = 0.0, 0.0, 0.0
    at = 0
    loss = decay
    for index in range(length):
        if index == stop:
            loss = muted
        value = line[at]
        smooth = (1 - damping) * value + damping * last
        last = value
        tuned = allpass * smooth + before - allpass * after
        before, after = smooth, tuned
        feed = tuned * loss
        if index < len(burst):
            feed += burst[index]
        line[at] = feed
        at += 1
        if at == whole:
            at = 0
        out[index] = feed
    return out


@dataclass(frozen=True, slots=True)
class Strings:
    """``bright`` of the pluck, ``damping`` of the highs in each round (0–0.5), ``ring`` seconds to fall by 60 dB,
    ``place`` of the pluck as a share of the string, ``body`` how much of a wooden body is heard, ``snap`` how hard
    the string hits the frets."""

    bright: tuple[float, float]
    damping: tuple[float, float]
    ring: tuple[float, float]
    place: tuple[float, float] = (0.08, 0.3)
    body: float = 0.0
    snap: float = 0.0
    release: float = 0.06


STRINGS: Mapping[str, Strings] = {
    "guitar_acoustic": Strings((0.5, 0.95), (0.12, 0.4), (2.5, 6), body=1.0),
    "guitar_nylon": Strings((0.2, 0.5), (0.3, 0.5), (1.2, 3), body=1.0),
    "guitar_clean": Strings((0.4, 0.9), (0.1, 0.35), (3, 8)),
    "guitar_jazz": Strings((0.15, 0.4), (0.3, 0.5), (2, 5)),
    "guitar_muted": Strings((0.3, 0.7), (0.3, 0.5), (0.15, 0.4)),
    "guitar_overdriven": Strings((0.4, 0.9), (0.1, 0.3), (4, 9)),
    "guitar_distorted": Strings((0.4, 0.95), (0.1, 0.3), (5, 10)),
    "banjo": Strings((0.7, 1.0), (0.05, 0.25), (0.4, 1.0), body=0.6),
    "harp": Strings((0.2, 0.6), (0.25, 0.5), (2, 5), place=(0.3, 0.5), body=0.4, release=0.6),
    "bass_finger": Strings((0.08, 0.35), (0.3, 0.5), (3, 7), place=(0.15, 0.35)),
    "bass_pick": Strings((0.4, 0.9), (0.1, 0.4), (3, 7), place=(0.06, 0.2)),
    "bass_fretless": Strings((0.06, 0.25), (0.35, 0.5), (4, 8), place=(0.2, 0.4)),
    "bass_slap": Strings((0.6, 1.0), (0.05, 0.25), (3, 6), place=(0.05, 0.15), snap=1.0),
    "bass_acoustic": Strings((0.05, 0.25), (0.4, 0.5), (1, 2.5), place=(0.2, 0.45), body=0.7),
    "harpsichord": Strings((0.8, 1.0), (0.05, 0.2), (1.5, 4), place=(0.1, 0.2), body=0.5),
    "clavinet": Strings((0.6, 1.0), (0.1, 0.3), (1, 3), place=(0.05, 0.2)),
}


def plucked(cls: str) -> Callable[[Random, Sequence[Note], int, float], Mono]:
    """A stringed instrument of one class; each patch is another instrument of it."""
    made = STRINGS[cls]

    def play(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
        bright, damping = float(rng.uniform(*made.bright)), float(rng.uniform(*made.damping))
        ring, place = float(rng.uniform(*made.ring)), float(rng.uniform(*made.place))
        sound = np.zeros(length, np.float32)
        for note in notes:
            first = round(note.start * RATE)
            left = length - first
            if left < 64:
                continue
            frequency = hertz(note.pitch, cents + float(rng.normal(0, 2)))
            held = max(round((note.end - note.start) * RATE), 64)
            count = min(held + round(made.release * 4 * RATE), left)
            burst = _pluck(rng, frequency, note.velocity, bright, place)
            period = RATE / frequency
            fall = ring * (110 / max(frequency, 30)) ** 0.4
            decay, muted = (float(0.001 ** (period / RATE / seconds)) for seconds in (fall, made.release))
            tone = _string(burst, period, damping, decay, count, held, muted)
            if made.snap:
                tone = np.tanh(tone * np.float32(1 + 3 * made.snap * note.velocity**2)).astype(np.float32)
            sound[first : first + count] += tone * np.float32(note.velocity**1.3)
        return _bodied(rng, sound, made.body) if made.body else sound

    return play


def _pluck(rng: Random, frequency: float, velocity: float, bright: float, place: float) -> Mono:
    """A round of the string's noise, darker when plucked softly, with the comb of the plucking point."""
    period = max(int(RATE / frequency), 8)
    noise = rng.uniform(-1, 1, period)
    ramp = np.concatenate([np.linspace(0, 1, max(int(period * place), 1)), np.linspace(1, 0, period)])[:period] - 0.4
    shape = 0.55 * noise + 0.9 * ramp
    keep = float(np.clip(1 - bright * (0.35 + 0.65 * velocity), 0.02, 0.95))
    shape = lfilter([1 - keep], [1, -keep], shape)
    shift = max(int(period * place), 1)
    shape[shift:] -= 0.85 * shape[:-shift]
    return np.asarray(shape / (np.abs(shape).max() + 1e-9), np.float32)


def _bodied(rng: Random, sound: Mono, amount: float) -> Mono:
    made = sound.copy()
    for centre in (rng.uniform(95, 125), rng.uniform(180, 230), rng.uniform(350, 480), rng.uniform(700, 1500)):
        radius = float(np.exp(-np.pi * centre / rng.uniform(6, 18) / RATE))
        angle = 2 * np.pi * centre / RATE
        gain = amount * rng.uniform(0.15, 0.6) * (1 - radius)
        made += lfilter([gain, 0, -gain], [1, -2 * radius * np.cos(angle), radius**2], sound).astype(np.float32) * 2
    return made


@njit(cache=True)
def _analogue(  # type: ignore[no-untyped-def]
    steps, phases, gains, square, width, length, held, envelope, cutoff, resonance, sweep, fall, sub, vibrato, rate
):
    """Saw or pulse oscillators (corrected for aliasing) into a filter that an envelope opens; all rates per sample."""
    attack, decay, sustain, release = envelope
    out = np.zeros(length, np.float32)
    low, band = 0.0, 0.0
    level = 0.0
    under = 0.0
    phase = phases.copy()
    base = steps[0]
    for index in range(length):
        wobble = 1.0 + vibrato * np.sin(2 * np.pi * rate * index)
        value = 0.0
        for voice in range(len(phase)):
            step = steps[voice] * wobble
            place = phase[voice] + step
            if place >= 1:
                place -= 1
            phase[voice] = place
            saw = 2 * place - 1
            if place < step:
                t = place / step
                saw -= t + t - t * t - 1
            elif place > 1 - step:
                t = (place - 1) / step
                saw -= t * t + t + t + 1
            if square:
                other = place + width
                if other >= 1:
                    other -= 1
                second = 2 * other - 1
                if other < step:
                    t = other / step
                    second -= t + t - t * t - 1
                elif other > 1 - step:
                    t = (other - 1) / step
                    second -= t * t + t + t + 1
                saw = (saw - second) * 0.7
            value += gains[voice] * saw
        under += base * 0.5
        if under >= 1:
            under -= 1
        value += sub * np.sin(2 * np.pi * under)
        if index < held:
            rising = index < attack
            level = index / attack if rising else sustain + (1 - sustain) * np.exp(-(index - attack) / decay)
        else:
            level *= np.exp(-1.0 / release)
        opened = cutoff * (1 + sweep * np.exp(-index / fall))
        f = 2 * np.sin(np.pi * min(opened, 9000.0) / 88200)
        for _ in range(2):
            low += f * band
            high = value - low - resonance * band
            band += f * high
        out[index] = low * level
    return out


@dataclass(frozen=True, slots=True)
class Analogue:
    """``voices`` detuned by ``detune`` cents; attack, decay, sustain, release; filter's cutoff as a multiple of the
    pitch, how far and how long an envelope opens it; share of a sine an octave below."""

    voices: tuple[int, ...]
    detune: tuple[float, float]
    attack: tuple[float, float]
    decay: tuple[float, float]
    sustain: tuple[float, float]
    release: tuple[float, float]
    cutoff: tuple[float, float]
    sweep: tuple[float, float]
    sub: tuple[float, float] = (0.0, 0.0)
    vibrato: float = 0.0


ANALOGUE: Mapping[str, Analogue] = {
    "bass_synth": Analogue(
        (1, 1, 2, 3), (2, 18), (0.001, 0.01), (0.08, 0.8), (0.2, 1), (0.02, 0.12), (2, 14), (0, 8), (0, 0.3)
    ),
    "synth_lead": Analogue(
        (1, 2, 3, 7), (4, 25), (0.002, 0.03), (0.1, 1), (0.5, 1), (0.04, 0.3), (3, 20), (0, 4), vibrato=0.006
    ),
    "synth_pluck": Analogue(
        (1, 2, 3, 5), (3, 20), (0.001, 0.004), (0.06, 0.4), (0, 0.15), (0.05, 0.3), (2, 8), (2, 12)
    ),
    "synth_pad": Analogue(
        (2, 3, 5), (5, 22), (0.03, 0.35), (0.5, 2), (0.7, 1), (0.2, 0.9), (2, 8), (0, 2), vibrato=0.002
    ),
    "synth_brass": Analogue((2, 3), (4, 14), (0.015, 0.06), (0.2, 1), (0.6, 1), (0.05, 0.2), (2, 5), (1, 3)),
    "strings_synth": Analogue(
        (3, 5), (6, 16), (0.03, 0.2), (0.5, 2), (0.8, 1), (0.15, 0.6), (3, 9), (0, 0.5), vibrato=0.003
    ),
}


def analogue(cls: str) -> Callable[[Random, Sequence[Note], int, float], Mono]:
    """A subtractive synthesiser; each patch is drawn anew."""
    made = ANALOGUE[cls]

    def play(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
        voices, detune = int(rng.choice(made.voices)), float(rng.uniform(*made.detune))
        square, width = bool(rng.random() < 0.35), float(rng.uniform(0.1, 0.5))
        attack, decay, sustain, release = (
            float(rng.uniform(*of)) for of in (made.attack, made.decay, made.sustain, made.release)
        )
        cutoff, sweep, sub = (float(rng.uniform(*of)) for of in (made.cutoff, made.sweep, made.sub))
        resonance, fall = float(rng.uniform(0.25, 1.4)), float(rng.uniform(0.05, 0.5))
        vibrato = made.vibrato * float(rng.random() < 0.5)
        spread = np.linspace(-1, 1, voices) if voices > 1 else np.zeros(1)
        gains = np.full(voices, 1 / np.sqrt(voices))
        sound = np.zeros(length, np.float32)
        for note in notes:
            first = round(note.start * RATE)
            held = max(round((note.end - note.start) * RATE), 64)
            count = min(held + round(release * 5 * RATE), length - first)
            if count < 64:
                continue
            base = hertz(note.pitch, cents)
            steps = base * 2 ** (detune * spread / 1200) / RATE
            shape = (max(attack * RATE, 1.0), decay * RATE, sustain, release * RATE)
            opened = max(base * cutoff * (0.6 + 0.6 * note.velocity), 120.0)
            tone = _analogue(
                steps, rng.random(voices), gains, square, width, count, held, shape, opened, resonance, sweep,
                fall * RATE, sub, vibrato, 5.3 / RATE,
            )  # fmt: skip
            sound[first : first + count] += tone * np.float32(note.velocity)
        return sound

    return play


def deep_bass(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
    """An 808: a sine that falls to its pitch and is bent a little."""
    drop, fall = float(rng.uniform(0, 14)), float(rng.uniform(0.01, 0.05))
    ring, drive = float(rng.uniform(0.6, 3)), float(rng.uniform(0.5, 4))
    sound = np.zeros(length, np.float32)
    for note in notes:
        first = round(note.start * RATE)
        count = min(round((note.end - note.start + 0.03) * RATE), length - first)
        if count < 64:
            continue
        time = np.arange(count) / RATE
        pitch = hertz(note.pitch, cents) * 2 ** (drop * np.exp(-time / fall) / 12)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-time / ring)
        fade = np.minimum(np.minimum(time / 0.002, 1), np.linspace(count / RATE / 0.02, 0, count))
        sound[first : first + count] += (np.tanh(drive * tone) / np.tanh(drive) * np.clip(fade, 0, 1)).astype(
            np.float32
        ) * np.float32(note.velocity)
    return sound


FM: Mapping[str, tuple[tuple[float, ...], tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "electric_piano": ((1.0, 14.0, 1.0), (0.2, 2.0), (0.1, 0.6), (1.0, 3.0)),
    "vibraphone": ((4.0, 1.0), (0.2, 1.0), (0.1, 0.5), (1.5, 4.0)),
    "marimba": ((4.0, 3.9), (0.3, 1.2), (0.02, 0.08), (0.2, 0.5)),
    "glockenspiel": ((2.76, 5.4), (0.5, 2.0), (0.2, 0.8), (0.6, 1.6)),
    "celesta": ((4.0, 3.0), (0.3, 1.2), (0.1, 0.4), (0.6, 1.5)),
    "bass_synth": ((1.0, 2.0, 0.5), (1.0, 4.0), (0.1, 0.6), (0.8, 4.0)),
    "synth_pluck": ((1.0, 2.0, 3.0, 7.0), (1.0, 5.0), (0.05, 0.3), (0.3, 1.2)),
    "synth_lead": ((1.0, 2.0, 3.0), (1.0, 3.0), (0.5, 3.0), (4.0, 12.0)),
    "synth_brass": ((1.0,), (2.0, 5.0), (0.5, 3.0), (4.0, 12.0)),
}
"""Ratios of modulator to carrier, the index, the seconds in which it falls, and those in which the tone does."""


def modulated(cls: str) -> Callable[[Random, Sequence[Note], int, float], Mono]:
    """Frequency modulation with two operators (Chowning 1973)."""
    ratios, indices, bends, rings = FM[cls]

    def play(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
        ratio, index = float(rng.choice(ratios)), float(rng.uniform(*indices))
        bend, ring = float(rng.uniform(*bends)), float(rng.uniform(*rings))
        trembling, rate = float(rng.choice([0, 0, 0.3])), float(rng.uniform(3, 7))
        sound = np.zeros(length, np.float32)
        for note in notes:
            first = round(note.start * RATE)
            held = note.end - note.start
            count = min(round((held + 0.25) * RATE), length - first)
            if count < 64:
                continue
            time = np.arange(count, dtype=np.float32) / np.float32(RATE)
            turn = np.float32(2 * np.pi * hertz(note.pitch, cents)) * time
            depth = index * note.velocity * np.exp(-time / np.float32(bend))
            tone = np.sin(turn + depth * np.sin(ratio * turn)) * np.exp(-time / np.float32(ring))
            tone *= np.minimum(time / 0.002, 1) * np.exp(-np.maximum(time - held, 0) / 0.05)
            tone *= 1 - trembling * np.sin(2 * np.pi * rate * time)
            sound[first : first + count] += (tone * note.velocity).astype(np.float32)
        return sound

    return play


DRAWBARS = (0.5, 1.5, 1, 2, 3, 4, 5, 6, 8)
REGISTRATIONS: tuple[tuple[int, ...], ...] = (
    (8, 8, 8, 0, 0, 0, 0, 0, 0),
    (8, 0, 8, 8, 0, 0, 0, 0, 0),
    (8, 8, 8, 8, 8, 8, 8, 8, 8),
)
REGISTRATIONS += ((0, 0, 8, 8, 6, 0, 0, 0, 0), (6, 8, 8, 6, 0, 0, 0, 4, 8), (8, 3, 8, 0, 0, 3, 0, 0, 0))


def organ(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Mono:
    """Tone wheels through drawbars, a key click and a rotating loudspeaker."""
    drawn = REGISTRATIONS[int(rng.integers(len(REGISTRATIONS)))]
    bars = np.array([int(bar) for bar in drawn]) + rng.integers(-1, 2, 9)
    levels = np.where(bars > 0, 10 ** (-3 * (8 - np.clip(bars, 0, 8)) / 20), 0)
    click, speed = float(rng.uniform(0, 0.5)), float(rng.choice([0.8, 6.5]))
    depth = float(rng.uniform(0.1, 0.35))
    sound = np.zeros(length, np.float32)
    for note in notes:
        first = round(note.start * RATE)
        count = min(round((note.end - note.start + 0.01) * RATE), length - first)
        if count < 64:
            continue
        time = np.arange(count, dtype=np.float32) / np.float32(RATE)
        turn = np.float32(2 * np.pi * hertz(note.pitch, cents)) * time
        tone = np.zeros(count, np.float32)
        for ratio, gain in zip(DRAWBARS, levels.tolist(), strict=True):
            if gain and ratio * hertz(note.pitch, cents) < 6000:
                tone += np.float32(gain) * np.sin(np.float32(ratio) * turn + np.float32(rng.uniform(0, 6)))
        ends = min(count // 2, 200)
        tone[:ends] *= np.linspace(0, 1, ends, dtype=np.float32)
        tone[-ends:] *= np.linspace(1, 0, ends, dtype=np.float32)
        tone[: min(count, 300)] += click * rng.normal(0, 1, min(count, 300)).astype(np.float32) * 0.3
        sound[first : first + count] += tone
    slow = (1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * speed * np.arange(length) / RATE))).astype(np.float32)
    bent = np.tanh(sound * np.float32(rng.uniform(0.05, 0.4))) * slow
    wander = 0.0006 * RATE * np.sin(2 * np.pi * speed * np.arange(length) / RATE) * (depth > 0.15)
    return np.asarray(np.interp(np.arange(length) - 30 - wander, np.arange(length), bent), np.float32)
