"""A voice that sings syllables: glottal harmonics and breath through the resonances of a vocal tract.

The source–filter model (Fant 1960): harmonics of a glottal pulse, which fall by about 6 dB per octave once they have
left the mouth, are weighted by a cascade of five resonances (Klatt 1980). Vowels' resonances are rounded from
Peterson & Barney's (1952) averages. Because every harmonic is a sine of its own, nothing aliases, and the pitch
may glide and tremble freely.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE = 44_100
HOP = 128  # samples between two control points, 2.9 ms
MAX_HARMONIC_HZ = 12_000.0  # no harmonic above, in Hz
SLOPE = 0.8  # of the source, 1 is 6 dB per octave: a bright, well projected voice
BANDWIDTHS = (80.0, 95.0, 130.0, 190.0, 260.0)

VOWELS: dict[str, tuple[float, float, float]] = {
    "AA": (800, 1180, 2700),
    "AE": (780, 1850, 2650),
    "AH": (690, 1290, 2600),
    "AO": (570, 880, 2600),
    "EH": (580, 1950, 2650),
    "ER": (480, 1420, 1850),
    "IH": (420, 2150, 2800),
    "IY": (320, 2450, 3050),
    "UW": (370, 900, 2450),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of a consonant: seconds, the tract's resonances (None: those of the neighbouring vowel), the
    loudness of voice, breath and friction, and the friction's centre and width in Hz."""

    seconds: float
    tract: tuple[float, float, float] | None = None
    voice: float = 0.0
    breath: float = 0.0
    friction: float = 0.0
    centre: float = 5000.0
    width: float = 2000.0


CONSONANTS: dict[str, tuple[Sound, ...]] = {
    "M": (Sound(0.07, (290, 1050, 2300), voice=0.4),),
    "N": (Sound(0.065, (290, 1600, 2500), voice=0.4),),
    "NG": (Sound(0.08, (290, 2000, 2500), voice=0.4),),
    "L": (Sound(0.065, (360, 1150, 2700), voice=0.55),),
    "R": (Sound(0.065, (360, 1100, 1600), voice=0.55),),
    "W": (Sound(0.07, (330, 680, 2300), voice=0.5),),
    "Y": (Sound(0.06, (300, 2400, 3100), voice=0.5),),
    "DH": (Sound(0.05, (330, 1500, 2600), voice=0.35, friction=0.05, centre=6000, width=3000),),
    "HH": (Sound(0.07, breath=0.5),),
    "S": (Sound(0.1, friction=0.42, centre=7500, width=2200),),
    "SH": (Sound(0.11, friction=0.5, centre=3600, width=1500),),
    "F": (Sound(0.08, friction=0.14, centre=7000, width=4500),),
    "K": (Sound(0.045), Sound(0.02, friction=0.5, centre=2000, width=700), Sound(0.03, breath=0.3)),
    "T": (Sound(0.04), Sound(0.018, friction=0.5, centre=5200, width=2500), Sound(0.025, breath=0.25)),
    "B": (Sound(0.045, (300, 900, 2300), voice=0.15), Sound(0.01, friction=0.2, centre=1200, width=900)),
    "D": (Sound(0.04, (300, 1700, 2600), voice=0.15), Sound(0.012, friction=0.3, centre=4200, width=1800)),
}


@dataclass(frozen=True, slots=True)
class Syllable:
    """``start`` is where the vowel begins, in seconds; consonants before it sound earlier."""

    start: float
    end: float
    pitch: int
    loudness: float
    phones: tuple[str, ...]


@dataclass(slots=True)
class Control:
    """What the singer does, every ``HOP`` samples. ``tract`` is (points, 3) in Hz, ``pitch`` in semitones."""

    pitch: Samples
    tract: Samples
    voice: Samples
    breath: Samples
    friction: Samples
    centre: Samples
    width: Samples


def sing(syllables: Sequence[Syllable], length: int, *, seed: int, tract_scale: float = 1.0) -> Samples:
    """One singer's line, ``length`` samples at 44.1 kHz, peak about 1. ``tract_scale`` above 1 is a shorter
    vocal tract, another person."""
    random = np.random.default_rng(seed)
    control = _perform(syllables, length // HOP + 2, random)
    control.tract *= tract_scale
    out = _voiced(control, length, random) + _noise(control, length, random)
    return out / max(1e-9, float(np.percentile(np.abs(out[np.abs(out) > 1e-4]), 99.5)))


def _perform(syllables: Sequence[Syllable], points: int, random: np.random.Generator) -> Control:
    control = Control(
        pitch=np.full(points, np.nan),
        tract=np.full((points, 3), np.nan),
        voice=np.zeros(points),
        breath=np.zeros(points),
        friction=np.zeros(points),
        centre=np.full(points, 5000.0),
        width=np.full(points, 2000.0),
    )
    vibrato = np.zeros(points)
    for i, syllable in enumerate(syllables):
        first = i == 0 or syllable.start - syllables[i - 1].end > 0.25
        _write(control, vibrato, syllable, scoop=first)
    pitch = _smooth(_filled(control.pitch), 0.085)
    phase = 2 * np.pi * np.cumsum(5.5 * (1 + 0.06 * _wander(points, 1.5, random))) * HOP / RATE
    control.pitch = pitch + _smooth(vibrato, 0.15) * np.sin(phase) + 0.1 * _wander(points, 3.5, random)
    control.tract = np.stack([_smooth(_filled(control.tract[:, i]), 0.055) for i in range(3)], axis=1)
    # Singers open the mouth so that the lowest resonance does not fall below the fundamental (Sundberg 1987).
    control.tract[:, 0] = np.maximum(control.tract[:, 0], 1.02 * _hertz(control.pitch))
    control.voice = _smooth(control.voice, 0.035) * (1 + 0.05 * _wander(points, 6, random))
    control.breath, control.friction = _smooth(control.breath, 0.02), _smooth(control.friction, 0.012)
    return control


def _write(control: Control, vibrato: Samples, syllable: Syllable, *, scoop: bool) -> None:
    names = syllable.phones
    vowels = [i for i, name in enumerate(names) if name in VOWELS]
    onset = [sound for name in names[: vowels[0]] for sound in CONSONANTS[name]]
    coda = [sound for name in names[vowels[-1] + 1 :] for sound in CONSONANTS[name]]
    near, far = VOWELS[names[vowels[0]]], VOWELS[names[vowels[-1]]]
    begin = syllable.start - sum(sound.seconds for sound in onset)
    for sound in onset:
        begin = _write_sound(control, begin, sound, near, syllable)
    end = syllable.end - sum(sound.seconds for sound in coda)
    a, b = _points(syllable.start, end, len(control.voice))
    t = np.linspace(0, end - syllable.start, b - a, endpoint=False)
    glide = np.clip((t - 0.62 * t[-1]) / (0.3 * t[-1] + 1e-9), 0, 1)[:, None]
    control.tract[a:b] = (1 - glide) * np.array(near) + glide * np.array(far)
    fade = 0.25 if t[-1] > 0.7 and not coda else 0.09
    swell = 1 + 0.25 * np.sin(np.pi * t / (t[-1] + 1e-9)) if t[-1] > 0.7 else np.full_like(t, 1.05)
    control.voice[a:b] = syllable.loudness * swell * np.clip((t[-1] - t) / fade + 0.25, 0, 1)
    control.breath[a:b] = 0.07 * syllable.loudness
    control.friction[a:b] = 0
    # A voice slides into each note and lets it sink at its end; held perfectly, it is taken for a synthesiser.
    control.pitch[a:b] = syllable.pitch - (1.2 if scoop else 0.6) * np.exp(-t / 0.06)
    control.pitch[a:b] -= 0.5 * np.clip(1 - (t[-1] - t) / 0.07, 0, 1)
    vibrato[a:b] = 0.4 * np.clip((t - 0.05) / 0.25, 0, 1)
    for sound in coda:
        end = _write_sound(control, end, sound, far, syllable)


def _write_sound(
    control: Control, begin: float, sound: Sound, vowel: tuple[float, float, float], syllable: Syllable
) -> float:
    a, b = _points(begin, begin + sound.seconds, len(control.voice))
    control.tract[a:b] = sound.tract or vowel
    control.voice[a:b] = sound.voice * syllable.loudness
    control.breath[a:b] = sound.breath * syllable.loudness
    control.friction[a:b] = sound.friction * syllable.loudness
    control.centre[a:b], control.width[a:b] = sound.centre, sound.width
    control.pitch[a:b] = syllable.pitch
    return begin + sound.seconds


def _voiced(control: Control, length: int, random: np.random.Generator) -> Samples:
    """Sum of harmonics; each point's loudness is evened out, for open vowels are far louder than closed ones."""
    fundamental = _hertz(control.pitch)
    count = int(MAX_HARMONIC_HZ / fundamental.min())
    orders = np.arange(1, count + 1)
    frequency = fundamental[:, None] * orders
    response = _resonance(control.tract, frequency)
    bright = 1 / np.sqrt(1 + (frequency / (1800 + 3600 * control.voice[:, None])) ** 2)
    level = np.abs(response) / orders**SLOPE * bright * (frequency < MAX_HARMONIC_HZ)
    level /= np.sqrt((level**2).sum(axis=1, keepdims=True)) ** 0.75
    level *= control.voice[:, None]
    # The resonances' phases, summed one by one, are continuous from order to order and need no unwrapping.
    bend = _resonance_phase(control.tract, frequency)
    at, points = np.arange(length) / HOP, np.arange(len(fundamental))
    jitter = 1 + 0.0025 * np.interp(at, np.arange(0, len(points), 0.5), random.normal(size=2 * len(points)))
    phase = 2 * np.pi * np.cumsum(np.interp(at, points, fundamental) * jitter) / RATE
    out = np.zeros(length)
    live = np.interp(at, points, control.voice) > 1e-4
    where, turn = at[live], phase[live]
    for order in orders:
        amplitude = np.interp(where, points, level[:, order - 1])
        out[live] += amplitude * np.sin(order * turn + np.interp(where, points, bend[:, order - 1]))
    return out


def _noise(control: Control, length: int, random: np.random.Generator) -> Samples:
    """Breath through the same tract, friction as a bell-shaped band: white noise, shaped frame by frame."""
    size = 4 * HOP
    frames = len(control.voice)
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size)
    white = random.normal(size=(frames + 4) * HOP + size)
    frequency = np.broadcast_to(np.fft.rfftfreq(size, 1 / RATE), (frames, size // 2 + 1))
    tract = np.abs(_resonance(control.tract, frequency)) / (1 + (frequency / 6000) ** 2)
    tract *= np.minimum(1, frequency / 700)
    band = np.exp(-0.5 * ((frequency - control.centre[:, None]) / control.width[:, None]) ** 2)
    gain = 0.35 * control.breath[:, None] * tract + control.friction[:, None] * band
    out = np.zeros(length + 2 * size)
    for i in np.flatnonzero((control.breath > 1e-4) | (control.friction > 1e-4)):
        begin = i * HOP
        if begin + size > len(out):
            break
        spectrum = np.fft.rfft(white[begin : begin + size] * window) * gain[i]
        out[begin : begin + size] += 0.5 * window * np.fft.irfft(spectrum, size)
    return out[size // 2 : size // 2 + length]


def _tract(tract: Samples) -> list[tuple[Samples, float]]:
    upper = tract[:, 2] / 2600
    resonances = [tract[:, 0], tract[:, 1], tract[:, 2], 3450 * upper**0.3, 4500 * upper**0.2]
    return list(zip(resonances, BANDWIDTHS, strict=True))


def _resonance(tract: Samples, frequency: Samples) -> NDArray[np.complex128]:
    response = np.ones_like(frequency, dtype=np.complex128)
    for centre, bandwidth in _tract(tract):
        squared = centre[:, None] ** 2
        response *= squared / (squared - frequency**2 + 1j * frequency * bandwidth)
    # What the resonances above the fifth would add (Klatt's higher-pole correction, in a simple form).
    return response * (1 + (frequency / 4200) ** 2) ** 1.6


def _resonance_phase(tract: Samples, frequency: Samples) -> Samples:
    phase = np.zeros_like(frequency)
    for centre, bandwidth in _tract(tract):
        phase -= np.arctan2(frequency * bandwidth, centre[:, None] ** 2 - frequency**2)
    return phase


def _points(begin: float, end: float, count: int) -> tuple[int, int]:
    a = min(count - 2, max(0, round(begin * RATE / HOP)))
    return a, min(count, max(a + 2, round(end * RATE / HOP)))


def _hertz(pitch: Samples) -> Samples:
    return np.asarray(440.0 * 2 ** ((pitch - 69) / 12))


def _filled(values: Samples) -> Samples:
    """Gaps take the next known value, so that a voice prepares its sound before it starts."""
    known = np.flatnonzero(~np.isnan(values))
    following = np.searchsorted(known, np.arange(len(values)))
    return values[known[np.minimum(following, len(known) - 1)]]


def _smooth(values: Samples, seconds: float) -> Samples:
    width = max(3, round(seconds * RATE / HOP) | 1)
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(values, width // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _wander(points: int, rate: float, random: np.random.Generator) -> Samples:
    """Slow random movement, about 1 in size, ``rate`` turns per second."""
    knots = random.normal(size=int(points * HOP / RATE * rate * 2) + 3)
    walk = np.interp(np.linspace(0, len(knots) - 1, points), np.arange(len(knots)), knots)
    return _smooth(walk, 0.5 / rate)
