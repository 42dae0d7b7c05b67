"""Songs that are played here: drums, bass and chords on given beats, as sound in stems and as notes."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm import HeardSong
from antiphon.music.rhythm.listening import RhythmListener
from antiphon.music.rhythm.onsets import BLOCK_SAMPLES
from antiphon.score.notes import InstrumentPart, Note

RATE = 22_050
KICK, SNARE, HAT, CRASH = 36, 38, 42, 49
MAJOR, MINOR, SEVENTH = (0, 4, 7), (0, 3, 7), (0, 4, 7, 10)
Times = NDArray[np.floating[Any]]
Sound = NDArray[np.float32]
Hits = Mapping[int, Sequence[float]]
Chords = Sequence[tuple[float, float, int, tuple[int, ...]]]
"""Start and end in seconds, root as a pitch class, and the tones above it."""


def silence(seconds: float) -> Sound:
    """Not quite: a little hiss."""
    return np.random.default_rng(0).normal(0, 3e-4, round(seconds * RATE)).astype(np.float32)


def _add(sound: Sound, start: float, piece: NDArray[np.floating[Any]]) -> None:
    first = round(start * RATE)
    end = min(first + len(piece), len(sound))
    if 0 <= first < end:
        sound[first:end] += piece[: end - first].astype(np.float32)


def drums(hits: Hits, seconds: float) -> Sound:
    """A thud for the kick, a burst of noise for the snare, a shorter and brighter one for the hat, a long one for the
    crash."""
    sound = silence(seconds)
    time = np.arange(RATE) / RATE
    noise = np.random.default_rng(1).normal(0, 1, RATE)
    bright = np.diff(noise, prepend=0.0)
    strokes = {
        KICK: 0.8 * np.sin(2 * np.pi * 55 * time) * np.exp(-time * 18),
        SNARE: (0.25 * noise + 0.3 * np.sin(2 * np.pi * 190 * time)) * np.exp(-time * 22),
        HAT: 0.12 * bright * np.exp(-time * 60),
        CRASH: 0.2 * bright * np.exp(-time * 4),
    }
    for key, times in hits.items():
        for start in times:
            _add(sound, start, strokes[key])
    return sound


def tones(chords: Chords, seconds: float, *, octave: int = 60, loud: float = 0.1, cents: float = 0.0) -> Sound:
    """Plucked tones with six harmonics."""
    sound = silence(seconds)
    for start, end, root, above in chords:
        time = np.arange(round((end - start) * RATE)) / RATE
        shape = np.minimum(time * 200, 1) * np.exp(-time * 1.2) * np.minimum((end - start - time) * 50, 1)
        for tone in above:
            hertz = 440 * 2 ** ((octave + root + tone - 69 + cents / 100) / 12)
            waves = sum(np.sin(2 * np.pi * hertz * part * time) / part**1.5 for part in range(1, 7))
            _add(sound, start, loud * shape * waves)
    return sound


def of(stems: Mapping[str, Sound], instruments: Sequence[InstrumentPart] = ()) -> HeardSong:
    """The song as the product hears it."""
    listener = RhythmListener(list(stems))
    for first in range(0, max(map(len, stems.values())), BLOCK_SAMPLES):
        listener.push({name: sound[first : first + BLOCK_SAMPLES] for name, sound in stems.items()})
    return HeardSong.of(listener.finish(), instruments)


def drum_notes(hits: Hits) -> InstrumentPart:
    notes = sorted((time, key) for key, times in hits.items() for time in times)
    return InstrumentPart("Drums", 0, True, tuple(Note(key, time, time + 0.1, 0.8) for time, key in notes))


def bass_notes(chords: Chords) -> InstrumentPart:
    return InstrumentPart("Electric Bass (finger)", 33, False, tuple(Note(36 + r, s, e, 0.8) for s, e, r, _ in chords))


def chord_notes(chords: Chords) -> InstrumentPart:
    notes = tuple(Note(60 + root + tone, start, end, 0.7) for start, end, root, above in chords for tone in above)
    return InstrumentPart("Acoustic Grand Piano", 0, False, notes)


def band(
    beats: Times,
    *,
    meter: int = 4,
    parts: int = 2,
    first: int = 0,
    drummer: bool = True,
    seconds: float | None = None,
    roots: Sequence[int] = (0, 9, 5, 7),
    decibels: float = 0.0,
) -> HeardSong:
    """A band on ``beats``, each of ``parts`` strokes of the hat: bars of ``meter`` begin with beat ``first``, each with
    a chord of its own. The snare answers in the middle of a bar, or on every second beat of four."""
    seconds = float(beats[-1]) + 1.5 if seconds is None else seconds
    place = (np.arange(len(beats)) - first) % meter
    between = np.interp(np.arange(0, len(beats) - 1, 1 / parts), np.arange(len(beats)), beats)
    snares = {2: (1,), 3: (1, 2), 4: (1, 3), 5: (3,), 7: (2, 4)}[meter]
    kicks = {2: (0,), 3: (0,), 4: (0, 2), 5: (0,), 7: (0,)}[meter]
    hits = {
        KICK: beats[np.isin(place, kicks)].tolist(),
        SNARE: beats[np.isin(place, snares)].tolist(),
        HAT: between.tolist(),
    }
    lines = [*beats[place == 0].tolist(), seconds]
    chords = [
        (start, end, roots[bar % len(roots)], MINOR if roots[bar % len(roots)] == 9 else MAJOR)
        for bar, (start, end) in enumerate(itertools.pairwise(lines))
    ]
    stroked = [
        (float(start), float(end), *next((r, t) for s, e, r, t in chords if s - 1e-6 <= start < e))
        for start, end in itertools.pairwise(beats)
        if start >= lines[0] - 1e-6
    ]
    bass = [(start, end, root, (0,)) for start, end, root, _ in chords]
    stems = {"bass": tones(bass, seconds, octave=36, loud=0.25), "other": tones(stroked, seconds)}
    notes = [bass_notes(bass), chord_notes(stroked)]
    if drummer:
        stems["drums"] = drums(hits, seconds)
        notes.append(drum_notes(hits))
    return of({name: sound * np.float32(10 ** (decibels / 20)) for name, sound in stems.items()}, notes)
