"""How well a network finds notes in pieces of the validation, played by other sounds than the training's."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from antiphon.music.transcription.decoding import peaks, times
from antiphon.music.transcription.levels import MIN_PITCH, SAMPLE_RATE, Floats
from training.transcription.bank import INSTRUMENTAL, ONSET, OTHER, PITCH, UNPITCHED, Recording

TOLERANCE = 0.05
THRESHOLDS = tuple(round(0.2 + 0.1 * step, 1) for step in range(7))


@dataclass(frozen=True)
class Case:
    """A sound (n,) and the ``notes`` (n, 2) in it: seconds and MIDI pitch. ``kind`` is ``stem`` for the true
    accompaniment without bass and voice, ``bass`` and ``voice`` for those, ``other`` and ``instrumental`` for what our
    separation makes of the mix, and ``mix`` for that."""

    kind: str
    style: str
    sound: Floats
    notes: Floats


def cases(recording: Recording, first: float, seconds: float) -> Iterator[Case]:
    """What there is to listen to in a part of a recording, in tune."""
    families = recording.families
    pitched = [row for row, family in enumerate(families) if family not in UNPITCHED]
    own = [row for row in pitched if families[row] not in ("bass", "voice")]
    rows: dict[str, tuple[Sequence[int | None], Sequence[int]]] = {
        "stem": (own, own),
        "bass": ([row for row in pitched if families[row] == "bass"],) * 2,
        "voice": ([row for row in pitched if families[row] == "voice"],) * 2,
        OTHER: ([recording.separated(OTHER)], own),
        INSTRUMENTAL: ([recording.separated(INSTRUMENTAL)], [row for row in pitched if families[row] != "voice"]),
        "mix": (list(range(len(families))), pitched),
    }
    ratio = 2 ** (-recording.cents / 1200)
    for kind, (heard, wanted) in rows.items():
        notes = _notes([recording.notes[row] for row in wanted], first, seconds)
        notes[:, 0] /= np.float32(ratio)
        present = [row for row in heard if row is not None]
        if present and len(notes):
            begin, count = round(first * SAMPLE_RATE), round(seconds * SAMPLE_RATE)
            sound = np.sum([recording.cut(row, begin, count) for row in present], axis=0)
            tuned = np.asarray(soxr.resample(sound, SAMPLE_RATE * ratio, SAMPLE_RATE), np.float32)
            yield Case(kind, recording.style, tuned, notes)


def _notes(tables: Sequence[Floats], first: float, seconds: float) -> Floats:
    """Onsets and pitches; what two parts play together counts once."""
    table = np.concatenate(tables)[:, [ONSET, PITCH]] if tables else np.zeros((0, 2), np.float32)
    table = table[(table[:, 0] >= first) & (table[:, 0] < first + seconds - 0.1)]
    table[:, 0] -= np.float32(first)
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    again = (np.diff(table[:, 1]) == 0) & (np.diff(table[:, 0]) < TOLERANCE / 2)
    return np.concatenate([table[:1], table[1:][~again]])


Hear = Callable[[Floats], Floats]
"""Onset activations (steps, PITCHES) of a sound."""


def matches(truth: Sequence[float], found: Sequence[float]) -> int:
    """How many pairs within ``TOLERANCE`` there are at most between two ascending lists."""
    count = at = 0
    for time in truth:
        while at < len(found) and found[at] < time - TOLERANCE:
            at += 1
        if at < len(found) and found[at] <= time + TOLERANCE:
            count += 1
            at += 1
    return count


def counted(truth: Floats, found: Floats) -> NDArray[np.int64]:
    """Notes that are right, in truth, and found, of onsets and pitches (n, 2)."""
    by_pitch: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for side, table in enumerate((truth, found)):
        for time, pitch in sorted(map(tuple, table.tolist())):
            by_pitch[int(pitch)][side].append(time)
    return np.array([sum(matches(*pair) for pair in by_pitch.values()), len(truth), len(found)])


def sweep(onset: Floats, truth: Floats) -> NDArray[np.int64]:
    """``counted`` at each of ``THRESHOLDS``."""
    steps, columns = peaks(onset, THRESHOLDS[0])
    strength = onset[steps, columns]
    table = np.stack([times(onset, steps, columns), columns + float(MIN_PITCH)], axis=1).astype(np.float32)
    return np.stack([counted(truth, table[strength >= threshold]) for threshold in THRESHOLDS])


def f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of counts (..., 3)."""
    return np.asarray(2 * counts[..., 0] / np.maximum(counts[..., 1] + counts[..., 2], 1), np.float64)


def summary(hear: Hear, found: Sequence[Case]) -> Mapping[str, tuple[float, float]]:
    """For each kind of case the threshold with the highest mean F1 over the cases, and that F1."""
    scores: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for case in found:
        scores[case.kind].append(f1(sweep(hear(case.sound), case.notes)))
    result = {}
    for kind, rows in scores.items():
        mean = np.mean(rows, axis=0)
        result[kind] = THRESHOLDS[int(mean.argmax())], round(float(mean.max()), 4)
    return result
