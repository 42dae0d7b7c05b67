"""Notes on the grid."""

import pytest

from antiphon.contract.kinds import GridName
from antiphon.score.notes import InstrumentPart, Note
from antiphon.score.quantize import GRIDS, quantize
from antiphon.score.tempomap import TempoMap

STEADY = TempoMap.steady(120)


def piano(*notes: Note) -> InstrumentPart:
    return InstrumentPart("Acoustic Grand Piano", 0, False, notes)


def spans(tempo_map: TempoMap, grid: str, *notes: tuple[float, float]) -> list[tuple[float, float]]:
    played = piano(*(Note(60 + order, *note, 0.5) for order, note in enumerate(notes)))
    (moved,) = quantize([played], tempo_map, grid)
    return [(note.start, note.end) for note in moved.notes]


@pytest.mark.parametrize(
    ("grid", "start", "end"),
    [
        ("1/4", 0.5, 1.0),
        ("1/8", 0.5, 1.0),
        ("1/8T", 2 / 3, 5 / 6),
        ("1/16", 0.625, 0.875),
        ("1/16T", 7 / 12, 11 / 12),
        ("1/32", 0.5625, 0.875),
    ],
)
def test_notes_start_and_end_on_the_note_value(grid: str, start: float, end: float) -> None:
    ((found_start, found_end),) = spans(STEADY, grid, (0.59, 0.89))
    assert found_start == pytest.approx(start)
    assert found_end == pytest.approx(end)


def test_the_grid_is_that_of_the_songs_own_beats() -> None:
    beats = [0.3, 0.8, 1.3, 1.8, 2.4, 3.0, 3.6, 4.2]
    tempo_map = TempoMap.of_beats(beats, [1, 2, 3, 4] * 2)
    found = spans(tempo_map, "1/8", (0.34, 0.6), (1.26, 1.5), (2.67, 3.05))
    assert found == [pytest.approx(span, abs=0.02) for span in [(0.3, 0.55), (1.3, 1.55), (2.7, 3.0)]]


def test_a_note_lasts_a_step_at_least() -> None:
    assert spans(STEADY, "1/8", (1.01, 1.03)) == [(1.0, 1.25)]


def test_a_drum_keeps_its_length() -> None:
    hits = InstrumentPart("Drums", 0, True, (Note(36, 0.52, 0.6, 0.9),))
    (moved,) = quantize([hits], STEADY, "1/4")
    assert moved.notes[0].start == 0.5
    assert moved.notes[0].end == pytest.approx(0.58)


def test_of_notes_that_fall_on_one_another_the_loudest_stays_as_long_as_the_longest() -> None:
    played = piano(Note(60, 0.48, 0.7, 0.3), Note(60, 0.53, 1.0, 0.8), Note(62, 0.5, 0.7, 0.2))
    (moved,) = quantize([played], STEADY, "1/4")
    assert moved.notes == (Note(60, 0.5, 1.0, 0.8), Note(62, 0.5, 1.0, 0.2))


def test_no_note_is_moved_before_the_start() -> None:
    tempo_map = TempoMap.of_beats([0.25 + order * 0.5 for order in range(8)], [1, 2, 3, 4] * 2)
    assert all(start >= 0 for start, _ in spans(tempo_map, "1/4", (0.0, 0.1), (0.05, 0.2), (0.2, 0.3)))


def test_the_api_offers_the_grids_that_there_are() -> None:
    assert set(GridName.__args__) == set(GRIDS)  # type: ignore[attr-defined]
