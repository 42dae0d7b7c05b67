"""What a musician would find wrong with a transcription, beyond notes that are missing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from antiphon.score.notes import InstrumentPart, Note
from bench.eval_midi.families import family

TOLERANCE = 0.05
"""Seconds by which an onset may be off."""
MIN_VELOCITY_NOTES = 10
"""Notes of one player that are needed to compare how hard they are struck."""
PROGRAMS_OF_A_FAMILY = 8
"""General MIDI programs of one family: pianos, organs, guitars, …"""


def restrikes(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> float:
    """Share of the pitched notes found that begin anew while a true note of their pitch goes on, and none begins."""
    spans: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for _, note in _notes(truth):
        spans[note.pitch].append((note.start, note.end))
    notes = [note for _, note in _notes(found)]
    false = 0
    for note in notes:
        same = spans[note.pitch]
        begins = any(abs(note.start - start) <= TOLERANCE for start, _ in same)
        false += not begins and any(start < note.start < end - TOLERANCE for start, end in same)
    return false / len(notes) if notes else 0.0


def phantoms(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> int:
    """Notes of families that do not play at all."""
    there = {family(instrument) for instrument in truth}
    return sum(len(instrument.notes) for instrument in found if family(instrument) not in there)


def phantom_instruments(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> int:
    """Instruments of families that do not play at all."""
    there = {family(instrument) for instrument in truth}
    return len({family(instrument) for instrument in found} - there)


def count_error(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> int:
    """By how many the instruments found differ in number from those that play; two of one name are one."""
    return abs(len({one.name for one in truth}) - len({one.name for one in found}))


def naming(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> tuple[int, int]:
    """Notes of the accompaniment that are found and whose instrument is named by its General MIDI family, and all that
    are found."""
    pairs = [
        (played.program // PROGRAMS_OF_A_FAMILY, named.program // PROGRAMS_OF_A_FAMILY)
        for played, _, named, _ in _pairs(truth, found)
        if family(played) == "other" == family(named)
    ]
    return sum(one == other for one, other in pairs), len(pairs)


def velocity_correlation(truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]) -> float | None:
    """Correlation of velocities of the accompaniment's notes, the mean over its players; None where nobody plays enough
    notes, or all alike."""
    of_player: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for played, true, named, note in _pairs(truth, found):
        if family(played) == "other" == family(named):
            of_player[id(played)].append((true.velocity, note.velocity))
    correlations = []
    for rows in of_player.values():
        table = np.array(rows).T
        if len(rows) >= MIN_VELOCITY_NOTES and table.std(axis=1).min() > 1e-3:
            correlations.append(float(np.corrcoef(table)[0, 1]))
    return float(np.mean(correlations)) if correlations else None


def _notes(instruments: Sequence[InstrumentPart]) -> Iterator[tuple[InstrumentPart, Note]]:
    for instrument in instruments:
        if not instrument.is_drum:
            for note in instrument.notes:
                yield instrument, note


def _pairs(
    truth: Sequence[InstrumentPart], found: Sequence[InstrumentPart]
) -> Iterator[tuple[InstrumentPart, Note, InstrumentPart, Note]]:
    """Notes of the truth with the found note of their pitch that begins nearest, within the tolerance."""
    by_pitch: dict[int, list[tuple[InstrumentPart, Note]]] = defaultdict(list)
    for named, note in _notes(found):
        by_pitch[note.pitch].append((named, note))
    for played, true in _notes(truth):
        near = [pair for pair in by_pitch[true.pitch] if abs(pair[1].start - true.start) <= TOLERANCE]
        if near:
            named, note = min(near, key=lambda pair: abs(pair[1].start - true.start))
            yield played, true, named, note
