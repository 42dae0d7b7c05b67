"""One note at a time."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.monophony import sing


def sung(*parts: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.concatenate(parts).astype(np.float32)


def held(pitch: float, frames: int) -> NDArray[np.float64]:
    return np.full(frames, pitch)


REST = held(np.nan, 20)


def spans(pitch: NDArray[np.float32], onsets: NDArray[np.float32] | None = None) -> list[tuple[int, int, int]]:
    """(start, end, pitch) of the notes of a line over the piano's 88 keys."""
    quiet = np.zeros((len(pitch), 88), np.float32)
    events = sing(pitch, quiet + np.float32(0.6), quiet if onsets is None else onsets)
    assert all(event.activation == np.float32(0.6) for event in events)
    return [(event.start, event.end, event.pitch) for event in events]


def test_a_line_becomes_the_notes_it_rests_on() -> None:
    line = sung(held(60.2, 40), held(62.1, 30), REST, held(58.9, 30))
    assert spans(line) == [(0, 40, 60), (40, 70, 62), (90, 120, 59)]


def test_vibrato_of_a_semitone_to_either_side_is_one_note() -> None:
    line = 64 + np.sin(2 * np.pi * 5.5 * np.arange(170) / 86)
    assert spans(sung(line)) == [(0, 170, 64)]


def test_a_glide_makes_no_notes_of_the_semitones_it_passes() -> None:
    notes = spans(sung(held(55, 40), np.linspace(55, 62, 10), held(62, 40)))
    assert [pitch for *_, pitch in notes] == [55, 62]
    assert abs(notes[1][0] - 45) <= 3


def test_a_slip_of_a_few_frames_belongs_to_the_note_around_it() -> None:
    assert spans(sung(held(60, 40), held(61.4, 4), held(60, 40))) == [(0, 84, 60)]


def test_a_note_that_is_too_short_and_alone_is_dropped() -> None:
    assert spans(sung(held(60, 40), REST, held(70, 4), REST)) == [(0, 40, 60)]


def test_a_note_that_the_network_hears_begin_again_is_sung_anew() -> None:
    onsets = np.zeros((100, 88), np.float32)
    onsets[50, 60 - 21], onsets[75, 60 - 21] = 0.9, 0.4
    assert spans(sung(held(60, 100)), onsets) == [(0, 50, 60), (50, 100, 60)]


def test_an_onset_at_the_very_start_or_end_of_a_note_does_not_split_it() -> None:
    onsets = np.zeros((100, 88), np.float32)
    onsets[[3, 98], 60 - 21] = 0.9
    assert spans(sung(held(60, 100)), onsets) == [(0, 100, 60)]


def test_a_line_without_a_sound_has_no_notes() -> None:
    assert spans(sung(REST)) == []
    assert spans(sung(REST[:0])) == []
