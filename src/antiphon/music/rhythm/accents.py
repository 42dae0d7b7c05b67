"""What notes say about beats: accents on them, and the stress that they add to onsets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.onsets import FRAME_RATE, RISE_LEAD_S
from antiphon.score.notes import InstrumentPart, Note

KICK, SNARE, CRASH = frozenset((35, 36)), frozenset((37, 38, 39, 40)), frozenset((49, 52, 55, 57))
BASSES, VOICES = range(32, 40), range(52, 55)
ACCENTS = 4
"""Kick, snare, crash, bass."""
STRESS_WEIGHTS = {"drum": 4.0, "bass": 2.0, "chord": 1.0}
"""What a loud note adds to the onset strength, which is 1 in the mean square."""
MIN_REACH_S, REACH_BEATS = 0.05, 0.12
"""How far from a beat a note may begin that is on it, in seconds and in beats; the larger counts."""

Frames = NDArray[np.float64]


def accents(beats: Frames, instruments: Sequence[InstrumentPart]) -> Frames:
    """Kick, snare, crash and bass on each of the ``beats`` (in seconds, two at least), from 0 to 1;
    (beats, ACCENTS)."""
    period = float(np.median(np.diff(beats)))
    found = np.zeros((len(beats), ACCENTS))
    for instrument in instruments:
        near = _Nearest(beats, max(MIN_REACH_S, REACH_BEATS * period), instrument.notes)
        if instrument.is_drum:
            for column, keys in enumerate((KICK, SNARE, CRASH)):
                near.strongest(found[:, column], [note.velocity * (note.pitch in keys) for note in instrument.notes])
        elif instrument.program in BASSES:
            lengths = [min((note.end - note.start) / period, 1.0) for note in instrument.notes]
            near.strongest(found[:, 3], lengths)
    return found


def stressed(strength: Frames, instruments: Sequence[InstrumentPart]) -> Frames:
    """An onset ``strength`` (frames,) with what makes a beat put above the rest: kick, snare, bass and chords."""
    notes = np.zeros(len(strength))
    for instrument in instruments:
        if instrument.program in VOICES and not instrument.is_drum:
            continue
        for note in instrument.notes:
            frame = round((note.start - RISE_LEAD_S) * FRAME_RATE)
            if 0 <= frame < len(notes):
                notes[frame] = max(notes[frame], _stress(instrument, note.pitch) * note.velocity)
    stressed: Frames = strength + np.convolve(notes, [0.25, 0.75, 1.0, 0.75, 0.25], mode="same")
    return stressed


def _stress(instrument: InstrumentPart, pitch: int) -> float:
    if instrument.is_drum:
        return STRESS_WEIGHTS["drum"] if pitch in KICK | SNARE else 0.0
    return STRESS_WEIGHTS["bass"] if instrument.program in BASSES else STRESS_WEIGHTS["chord"]


class _Nearest:
    """Notes that begin near a beat, and that beat."""

    def __init__(self, beats: Frames, reach: float, notes: Sequence[Note]) -> None:
        starts = np.array([note.start for note in notes])
        after = np.clip(np.searchsorted(beats, starts), 1, len(beats) - 1)
        self._beat = after - (starts - beats[after - 1] < beats[after] - starts)
        self._near = np.abs(beats[self._beat] - starts) < reach

    def strongest(self, column: Frames, values: Sequence[float]) -> None:
        """Raises ``column`` (beats,) to the largest of the ``values`` (notes,) at each beat."""
        np.maximum.at(column, self._beat[self._near], np.array(values)[self._near])
