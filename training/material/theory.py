"""Keys, chords, progressions and voicings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

Random = np.random.Generator

SCALES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "blues": (0, 3, 5, 6, 7, 10),
}
QUALITIES: Mapping[tuple[int, ...], str] = {
    (0, 4, 7): "",
    (0, 3, 7): "m",
    (0, 3, 6): "dim",
    (0, 4, 8): "aug",
    (0, 7): "5",
    (0, 5, 7): "sus4",
    (0, 2, 7): "sus2",
    (0, 4, 7, 10): "7",
    (0, 4, 7, 11): "maj7",
    (0, 3, 7, 10): "m7",
    (0, 3, 7, 11): "mM7",
    (0, 3, 6, 10): "m7b5",
    (0, 3, 6, 9): "dim7",
    (0, 4, 7, 9): "6",
    (0, 4, 8, 11): "maj7#5",
    (0, 4, 8, 10): "7#5",
    (0, 4, 7, 10, 14): "9",
    (0, 3, 7, 10, 14): "m9",
    (0, 4, 7, 11, 14): "maj9",
}
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True, slots=True)
class Key:
    """``tonic`` is a pitch class; ``mode`` a name of ``SCALES``."""

    tonic: int
    mode: str

    @property
    def scale(self) -> tuple[int, ...]:
        return SCALES[self.mode]

    @property
    def name(self) -> str:
        """``A minor``: modes are named by their third."""
        return f"{spelled(self.tonic, self)} {'minor' if 3 in self.scale else 'major'}"

    def moved(self, semitones: int) -> "Key":
        return replace(self, tonic=(self.tonic + semitones) % 12)

    def pitch_near(self, pitch: int) -> int:
        """The pitch of the scale that is nearest to ``pitch``."""
        for away in (0, -1, 1, -2, 2):
            if (pitch + away - self.tonic) % 12 in self.scale:
                return pitch + away
        return pitch

    def step(self, pitch: int, steps: int) -> int:
        """``steps`` degrees of the scale above (below) the degree nearest to ``pitch``."""
        pitch = self.pitch_near(pitch)
        octave, inside = divmod(pitch - self.tonic, 12)
        degree = self.scale.index(inside) + steps
        over, place = divmod(degree, len(self.scale))
        return self.tonic + 12 * (octave + over) + self.scale[place]


def spelled(pitch_class: int, key: Key) -> str:
    """A pitch class's name, with flats in flat keys."""
    relative = (key.tonic + (3 if 3 in key.scale else 0)) % 12
    return (FLATS if relative in (5, 10, 3, 8, 1) else SHARPS)[pitch_class % 12]


@dataclass(frozen=True, slots=True)
class Chord:
    """``root`` and ``bass`` are pitch classes, ``tones`` semitones above the root."""

    root: int
    tones: tuple[int, ...]
    bass: int

    def name(self, key: Key) -> str:
        over = f"/{spelled(self.bass, key)}" if self.bass != self.root else ""
        return spelled(self.root, key) + QUALITIES.get(self.tones, "") + over

    @property
    def classes(self) -> frozenset[int]:
        return frozenset((self.root + tone) % 12 for tone in self.tones)

    @property
    def is_minor(self) -> bool:
        return 3 in self.tones

    def moved(self, semitones: int) -> "Chord":
        return replace(self, root=(self.root + semitones) % 12, bass=(self.bass + semitones) % 12)


LOOPS: Mapping[str, tuple[str, ...]] = {
    "major": ("1546", "1645", "1564", "6415", "1415", "1451", "1625", "1364", "4156", "1454", "1164", "4516", "1141"),
    "minor": ("1637", "1674", "1476", "1167", "1415", "6741", "1376", "1646", "1127", "1657", "1345", "1116"),
    "dorian": ("1414", "1741", "1147", "1374"),
    "mixolydian": ("1741", "1747", "1174", "1477", "4171"),
    "phrygian": ("1121", "1261", "1267", "1321"),
    "harmonic minor": ("1451", "1645", "1415", "1654"),
    "lydian": ("1212", "1256"),
    "jazz": ("2511", "1625", "3625", "2536", "1425", "4736", "2514"),
    "blues": ("111144115411", "141144115415"),
}


def loop(rng: Random, key: Key, family: str, colour: str) -> list[Chord]:
    """A progression, a chord to a bar. ``family`` names the loops to choose from, by default those of the mode;
    ``colour``: ``triads``, ``sevenths``, ``ninths``, ``power`` or ``dominant`` (all chords are dominant sevenths)."""
    choices = LOOPS.get(family) or LOOPS.get(key.mode) or LOOPS["minor"]
    degrees = [int(sign) - 1 for sign in choices[int(rng.integers(len(choices)))]]
    if rng.random() < 0.12:
        degrees = [degrees[0]] + [int(rng.integers(0, 7)) for _ in degrees[1:]]
    return [_altered(rng, _degree_chord(key, degree, colour), key, colour) for degree in degrees]


def _degree_chord(key: Key, degree: int, colour: str) -> Chord:
    scale = key.scale if len(key.scale) == 7 else SCALES["minor" if 3 in key.scale else "major"]
    root = scale[degree % 7]
    count = {"triads": 3, "sevenths": 4, "ninths": 5}.get(colour, 3)
    tones = tuple(scale[(degree + 2 * order) % 7] + 12 * ((degree + 2 * order) // 7) - root for order in range(count))
    if colour == "power":
        tones = (0, 7)
    elif colour == "dominant":
        tones = (0, 4, 7, 10)
    elif len(tones) == 5 and tones not in QUALITIES:
        tones = tones[:4]
    if key.mode in ("minor", "harmonic minor") and degree == 4 and colour in ("sevenths", "ninths"):
        tones = (0, 4, 7, 10)
    pitch = (key.tonic + root) % 12
    return Chord(pitch, tones, pitch)


def _altered(rng: Random, found: Chord, key: Key, colour: str) -> Chord:
    """At times a suspension, an inversion, a borrowed or a secondary dominant chord."""
    chance = rng.random()
    if colour == "power" or colour == "dominant":
        return found
    if chance < 0.06 and found.tones == (0, 4, 7):
        return replace(found, tones=(0, 5, 7) if rng.random() < 0.6 else (0, 2, 7))
    if chance < 0.14:
        return replace(found, bass=(found.root + found.tones[1]) % 12)
    if chance < 0.18:
        return replace(found, bass=(found.root + 7) % 12)
    if chance < 0.23:
        return Chord(found.root, (0, 4, 7, 10), found.root)
    return found


def voicing(found: Chord, low: int, high: int, *, near: Sequence[int] = (), voices: int = 4) -> list[int]:
    """The chord's tones between ``low`` and ``high``, close to the chord ``near`` (voice leading)."""
    pool = [pitch for pitch in range(low, high + 1) if pitch % 12 in found.classes]
    if len(pool) <= voices:
        return pool
    starts = range(len(pool) - voices + 1)
    centre = float(np.mean(near)) if near else (low + high) / 2
    best = min(starts, key=lambda start: abs(float(np.mean(pool[start : start + voices])) - centre))
    return pool[best : best + voices]
