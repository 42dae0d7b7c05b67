"""Quantisation of notes to a grid of note values on the song's own beats."""

from collections.abc import Iterable
from dataclasses import replace

from antiphon.score.notes import InstrumentPart, Note
from antiphon.score.tempomap import TempoMap

GRIDS = {"1/4": 1, "1/8": 2, "1/8T": 3, "1/16": 4, "1/16T": 6, "1/32": 8}
"""Steps of a beat by the note value's name; T stands for triplets."""


def quantize(instruments: Iterable[InstrumentPart], tempo_map: TempoMap, grid: str) -> list[InstrumentPart]:
    """Instruments whose notes start and end on a grid.

    A note lasts a step at least; a drum's keeps its length. Of notes that fall on one another the loudest stays, as
    long as the longest.

    Args:
        tempo_map: The beats that the grid divides.
        grid: A note value, one of ``GRIDS``.
    """
    step = tempo_map.resolution / GRIDS[grid]
    origin = tempo_map.first_bar % tempo_map.resolution

    def nearest(second: float) -> float:
        steps = round((tempo_map.tick(second) - origin) / step)
        # What is before the first step would be before the start of the song.
        return origin + step * (steps if origin + step * steps >= 0 else steps + 1)

    def moved(note: Note, is_drum: bool) -> Note:
        tick = nearest(note.start)
        start = tempo_map.second(tick)
        if is_drum:
            return replace(note, start=start, end=start + note.end - note.start)
        return replace(note, start=start, end=tempo_map.second(max(nearest(note.end), tick + step)))

    return [
        replace(instrument, notes=_once(moved(note, instrument.is_drum) for note in instrument.notes))
        for instrument in instruments
    ]


def _once(notes: Iterable[Note]) -> tuple[Note, ...]:
    """In order of start and pitch, each start and pitch once."""
    kept: dict[tuple[float, int], Note] = {}
    for note in notes:
        key = (note.start, note.pitch)
        other = kept.get(key, note)
        louder = max(note, other, key=lambda one: one.velocity)
        kept[key] = replace(louder, end=max(note.end, other.end))
    return tuple(kept[key] for key in sorted(kept))
