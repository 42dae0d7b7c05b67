"""Bars: a count of the beats, by what is played on them.

A bar begins where harmony changes, the bass sets in, the kick drum and the crash are struck; in four the snare answers
on the second and fourth beat, in three on the second and third. Each beat is heard relative to the song's other beats;
the best path counts through the bars and may begin anew early, at a cost, where a bar is short.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.onsets import FRAME_RATE, RISE_LEAD_S
from antiphon.music.signal.viterbi import best_path
from antiphon.score.notes import InstrumentPart, Note

KICK, SNARE, CRASH = frozenset((35, 36)), frozenset((37, 38, 39, 40)), frozenset((49, 52, 55, 57))
BASSES, VOICES = range(32, 40), range(52, 55)

ACCENTS = {
    4: (
        (1.0, -0.6, 1.5, 0.8, 2.0),
        (-0.6, 1.0, -0.5, -0.4, -0.8),
        (0.3, -0.6, -0.5, 0.0, -0.4),
        (-0.7, 0.8, -0.5, -0.4, -0.8),
    ),
    3: (
        (1.0, -0.8, 1.2, 0.8, 2.0),
        (-0.5, 0.4, -0.6, -0.4, -1.0),
        (-0.5, 0.4, -0.6, -0.4, -1.0),
    ),
}
"""By meter, what speaks for each beat of the bar: kick, snare, crash, bass, change of harmony."""
FOUR_FOUR_BONUS = 0.1
"""How much more likely four is than three before anything is heard."""
STRESS_WEIGHTS = {"drum": 4.0, "bass": 2.0, "chord": 1.0}
"""What a loud note adds to the onset strength, which is 1 in the mean square."""
SHORT_BAR_COST = 10.0
"""Cost of a bar that ends early."""
MIN_SOUNDING_SHARE = 1e-6
"""The share of a beat under which a pitch class does not sound, but is an error of rounding."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bars:
    """``meter`` beats in a bar; ``positions`` (beats,) counts them from 0; ``score`` says how well it fits, for each
    beat."""

    meter: int
    positions: NDArray[np.intp]
    score: float


def count(beats: Frames, instruments: Sequence[InstrumentPart]) -> Bars:
    """The bars of a song with these ``beats`` in seconds and these notes."""
    heard = accents(beats, instruments)
    heard -= heard.mean(axis=0)
    found = [_counted(heard @ np.array(weights).T, meter) for meter, weights in ACCENTS.items()]
    return max(found, key=lambda bars: bars.score)


def accents(beats: Frames, instruments: Sequence[InstrumentPart]) -> Frames:
    """What is played on each beat: kick, snare, crash and bass from 0 to 1, and how much the harmony changes;
    (beats, 5)."""
    period = float(np.median(np.diff(beats)))
    found = np.zeros((len(beats), 5))
    for instrument in instruments:
        near = _Nearest(beats, max(0.05, 0.12 * period), instrument.notes)
        if instrument.is_drum:
            for column, keys in enumerate((KICK, SNARE, CRASH)):
                near.strongest(found[:, column], [note.velocity * (note.pitch in keys) for note in instrument.notes])
        elif instrument.program in BASSES:
            lengths = [min((note.end - note.start) / period, 1.0) for note in instrument.notes]
            near.strongest(found[:, 3], lengths)
    found[:, 4] = _changes(_chroma(beats, period, instruments))
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


def _chroma(beats: Frames, period: float, instruments: Sequence[InstrumentPart]) -> Frames:
    """How long and loud each pitch class sounds from each beat to the next, the bass twice; (beats, 12)."""
    borders = np.append(beats, beats[-1] + period)
    sounding = np.zeros((len(beats), 12))
    for instrument in instruments:
        if instrument.is_drum or instrument.program in VOICES or not instrument.notes:
            continue
        weight = 2.0 if instrument.program in BASSES else 1.0
        notes = np.array([(note.pitch % 12, note.start, note.end, weight * note.velocity) for note in instrument.notes])
        for pitch_class in range(12):
            _, starts, ends, loud = notes[notes[:, 0] == pitch_class].T
            sounding[:, pitch_class] += np.diff(_since(borders, starts, loud) - _since(borders, ends, loud)) / period
    return np.sqrt(np.where(sounding > MIN_SOUNDING_SHARE, sounding, 0.0))


def _since(moments: Frames, times: Frames, weights: Frames) -> Frames:
    """The time that has passed at each of the ``moments`` since those of the ``times`` that are over, weighted."""
    order = times.argsort()
    over = np.searchsorted(times[order], moments)
    weight, moment = (np.append(0.0, np.cumsum(one[order])) for one in (weights, weights * times))
    passed: Frames = moments * weight[over] - moment[over]
    return passed


def _changes(chroma: Frames) -> Frames:
    """How unlike the two beats from here the two before them are, 0 to 1; (beats,)."""
    pairs = chroma + np.pad(chroma[1:], ((0, 1), (0, 0)))
    before = np.pad(pairs, ((2, 0), (0, 0)))[: len(pairs)]
    before[1] = chroma[0]
    lengths = np.linalg.norm(pairs, axis=1), np.linalg.norm(before, axis=1)
    alike = (pairs * before).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-9)
    change = np.where(lengths[0] > 0, np.where(lengths[1] > 0, 1 - alike, 0.5), 0.0)
    found: Frames = np.sqrt(np.clip(change, 0, 1))
    return found


def _counted(evidence: Frames, meter: int) -> Bars:
    """The positions in bars of ``meter`` beats that the ``evidence`` (beats, positions) speaks for most."""
    moves = np.full((meter, meter), -np.inf)
    moves[:, 0] = -SHORT_BAR_COST
    moves[np.arange(meter), np.arange(1, meter + 1) % meter] = 0
    positions, score = best_path([evidence], moves)
    return Bars(meter, positions, score / len(evidence) + (FOUR_FOUR_BONUS if meter == 4 else 0.0))
