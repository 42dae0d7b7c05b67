"""Voices that sing, for the soundfonts have only choirs: the demo's singer with syllables and a throat by chance."""

from collections.abc import Sequence

import numpy as np
from voice import CONSONANTS, VOWELS, Syllable, sing

from training.separation.components import Floats
from training.separation.effects import Random

SHORTEST, GAP = 0.09, 0.02
"""Seconds of a syllable, and of the rest before the next one that cuts it off."""
_OCTAVE = 12
_COMFORTABLE = (43.0, 81.0)
_LAST_CONSONANTS = ("M", "N", "NG", "S", "T", "R", "K")


def sung(rng: Random, notes: Sequence[Sequence[float]], length: int) -> Floats:
    """A line of ``notes`` (start, end, pitch, velocity) as ``length`` samples of one to three singers, (length, 2)."""
    middle = float(np.median([note[2] for note in notes]))
    shift = _OCTAVE * int(rng.choice([-1, 0, 0, 0, 1]))
    if not _COMFORTABLE[0] < middle + shift < _COMFORTABLE[1] - 6:
        shift = 0
    syllables = _syllables(rng, notes, shift)
    throat = float(rng.uniform(0.82, 1.0) if middle + shift < 60 else rng.uniform(0.95, 1.2))
    singers = int(rng.choice([1, 2, 3], p=[0.75, 0.15, 0.1]))
    out = np.zeros((length, 2), np.float32)
    for number in range(singers):
        voice = sing(syllables, length, seed=int(rng.integers(2**31)), tract_scale=throat * (1 + 0.03 * number))
        place = 0.0 if singers == 1 else float(rng.uniform(-0.7, 0.7))
        out += voice[:, None].astype(np.float32) * np.array([1 - place, 1 + place], np.float32)
    return out


def _syllables(rng: Random, notes: Sequence[Sequence[float]], shift: int) -> list[Syllable]:
    """One voice: a note that another one interrupts ends there."""
    ordered = sorted(notes, key=lambda note: (note[0], -note[2]))
    tops = [note for i, note in enumerate(ordered) if i == 0 or note[0] - ordered[i - 1][0] > SHORTEST]
    held = ""
    made = []
    for i, (start, end, pitch, velocity) in enumerate(tops):
        following = tops[i + 1][0] - GAP if i + 1 < len(tops) else np.inf
        last = max(min(end, following), start + SHORTEST)
        if not held or rng.random() < 0.85:
            held = str(rng.choice(list(VOWELS)))
        phones = (*_onset(rng), held, *([str(rng.choice(_LAST_CONSONANTS))] if rng.random() < 0.25 else []))
        high = min(max(pitch + shift, _COMFORTABLE[0]), _COMFORTABLE[1])
        made.append(Syllable(start, last, round(high), float(np.clip(velocity, 0.3, 1)), phones))
    return made


def _onset(rng: Random) -> tuple[str, ...]:
    chance = rng.random()
    if chance < 0.15:
        return ()
    if chance < 0.25:
        return ("S", str(rng.choice(["T", "L", "K", "W"])))
    return (str(rng.choice(list(CONSONANTS))),)
