"""The measures, each a function of truth and result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mir_eval
import numpy as np
from numpy.typing import NDArray

from antiphon.score.notes import InstrumentPart, Note
from bench.eval_midi.families import Onset, onsets

TOLERANCE = 0.05
"""Seconds by which an onset may be off."""
DRUM_KEYS = {
    "KD": frozenset((35, 36)),
    "SD": frozenset((37, 38, 39, 40)),
    "HH": frozenset((42, 44, 46)),
    "TT": frozenset((41, 43, 45, 47, 48, 50)),
    "CY": frozenset((49, 51, 52, 53, 55, 57, 59)),
}
"""The General MIDI percussion keys of the classes of MDB Drums."""
CORE = ("KD", "SD", "HH")


@dataclass(frozen=True, slots=True)
class Counts:
    """Notes that are right, notes of the truth, notes found."""

    right: int = 0
    true: int = 0
    found: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.true + other.true, self.found + other.found)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """1 where there was nothing to find and nothing was found."""
        return 2 * self.right / (self.true + self.found) if self.true + self.found else 1.0


def total(several: Iterable[Counts]) -> Counts:
    return sum(several, Counts())


def events(true: Sequence[float], found: Sequence[float]) -> Counts:
    """Onsets of one kind, matched one to one within the tolerance (mir_eval, as many as can be)."""
    pairs = mir_eval.util.match_events(np.array(true), np.array(found), TOLERANCE) if true and found else ()
    return Counts(len(pairs), len(true), len(found))


def by_kind(true: Sequence[Onset], found: Sequence[Onset]) -> dict[str, Counts]:
    """Counts by family and class of drum, for the kinds that either side has: pitch, kind and time must agree."""
    keys = sorted({onset[:2] for onset in (*true, *found)})
    counts: dict[str, Counts] = {}
    for kind, pitch in keys:
        pair = [[time for *key, time in side if key == [kind, pitch]] for side in (true, found)]
        counts[kind] = counts.get(kind, Counts()) + events(*pair)
    return counts


def multi(true: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> dict[str, Counts]:
    """By family and class of drum; their total's F1 is the multi-instrument onset F1."""
    return by_kind(onsets(true), onsets(found))


def without_family(true: Sequence[InstrumentPart], found: Sequence[Note]) -> Counts:
    """For a transcriber that names no instruments: each of its notes may be any family's, whichever fits best, one note
    for one; drums, which it does not write down, are missed."""
    wanted = onsets(true)
    pitched = [("", pitch, start) for _, pitch, start in wanted if pitch]
    heard = [("", note.pitch, note.start) for note in found]
    counts = total(by_kind(sorted(pitched), sorted(heard)).values())
    return counts + Counts(true=sum(not pitch for _, pitch, _ in wanted))


def one_family(true: Sequence[InstrumentPart], found: Sequence[Note], kind: str) -> Counts:
    """The same, all of its notes taken for one instrument of the family ``kind``."""
    return total(by_kind(onsets(true), sorted((kind, note.pitch, note.start) for note in found)).values())


def notes_agree(true: Sequence[Note], found: Sequence[Note], *, offsets: bool) -> Counts:
    """Notes of one pitch whose onsets lie within the tolerance; with ``offsets`` their ends within the larger of
    the tolerance and a fifth of the note, too (Raffel et al. 2014, mir_eval.transcription)."""
    if not true or not found:
        return Counts(0, len(true), len(found))
    spans, pitches = zip(*(_intervals(side) for side in (true, found)), strict=True)
    pairs = mir_eval.transcription.match_notes(
        spans[0],
        pitches[0],
        spans[1],
        pitches[1],
        onset_tolerance=TOLERANCE,
        offset_ratio=0.2 if offsets else None,
        offset_min_tolerance=TOLERANCE,
    )
    return Counts(len(pairs), len(true), len(found))


def _intervals(notes: Sequence[Note]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spans = np.array([(note.start, max(note.end, note.start + 1e-3)) for note in notes])
    return spans, mir_eval.util.midi_to_hz(np.array([note.pitch for note in notes], float))


def drum_truth(path: Path) -> dict[str, list[float]]:
    """Onsets in seconds by class, of an annotation of MDB Drums."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {kind: sorted(float(time) for time, name in lines if name == kind) for kind in DRUM_KEYS}


def drums(path: Path, found: Sequence[InstrumentPart]) -> dict[str, Counts]:
    """Hits by class against the annotation ``path``."""
    notes = [note for instrument in found if instrument.is_drum for note in instrument.notes]
    truth = drum_truth(path)
    return {
        kind: events(truth[kind], sorted(note.start for note in notes if note.pitch in keys))
        for kind, keys in DRUM_KEYS.items()
    }


@dataclass(frozen=True, slots=True)
class Sung:
    """Shares of frames: raw pitch accuracy, overall accuracy, and of the voiced (unvoiced) ones those without (with) a
    note."""

    rpa: float
    oa: float
    missed: float
    false_alarm: float


def vocals(path: Path, notes: Sequence[Note]) -> Sung:
    """``notes`` against the pitch annotation ``path`` (time, f0 in Hz of one or two singers, 0 unvoiced).

    A voiced frame is right if the sounding note, the loudest if several, is within a semitone of a singer; an
    unvoiced one if there is none. Raw pitch accuracy is over the voiced frames, overall accuracy over all."""
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    times, hertz = rows[:, 0], rows[:, 1:]
    sounding = _sounding(notes, times)
    voiced = (hertz > 0).any(axis=1)
    pitch = np.where(hertz > 0, 69 + 12 * np.log2(np.maximum(hertz, 1) / 440), -999.0)
    silent = sounding < 0
    right = ~silent & (np.abs(pitch - sounding[:, None]) <= 1.0).any(axis=1) & voiced
    return Sung(
        rpa=float(right[voiced].mean()),
        oa=float((right | (silent & ~voiced)).mean()),
        missed=float(silent[voiced].mean()),
        false_alarm=float((~silent[~voiced]).mean()),
    )


def _sounding(notes: Sequence[Note], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pitch of the loudest note at each time, -1 where there is none."""
    pitch, loudest = np.full(len(times), -1.0), np.zeros(len(times))
    for note in notes:
        span = slice(*np.searchsorted(times, (note.start, note.end)))
        louder = note.velocity > loudest[span]
        pitch[span][louder] = note.pitch
        loudest[span][louder] = note.velocity
    return pitch


def beats(true: Sequence[float], found: Sequence[float]) -> float:
    """F measure within 70 ms (mir_eval.beat); nothing is trimmed off, for the songs are short."""
    if not len(true) or not len(found):
        return 0.0
    return float(mir_eval.beat.f_measure(np.array(true), np.array(found)))
