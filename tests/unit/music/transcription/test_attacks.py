"""Notes moved to where the string was plucked."""

import numpy as np

from antiphon.music.transcription.attacks import align, peaks, rise
from antiphon.music.transcription.notecreation import NoteEvent


def spans(events: list[NoteEvent]) -> list[tuple[int, int, int]]:
    return [(event.start, event.end, event.pitch) for event in events]


def test_what_grows_shows_around_the_middle_of_its_growth() -> None:
    values = np.concatenate([np.zeros(20), np.full(20, 6.0)])
    grown = rise(values, 4)
    assert np.flatnonzero(grown == 6).tolist() == [18, 19, 20, 21]
    assert grown.sum() == 24
    assert not rise(values[:3], 4).any()


def test_attacks_are_the_peaks_that_are_strong_and_apart() -> None:
    strength = np.zeros(200, np.float32)
    strength[[30, 32, 80, 120]] = [8, 6, 3, 5]
    assert peaks(strength, 4).tolist() == [30, 120]
    assert len(peaks(np.zeros(100, np.float32), 4)) == 0
    assert len(peaks(np.zeros(0, np.float32), 4)) == 0


def test_notes_that_wander_are_moved_to_their_attacks() -> None:
    events = [NoteEvent(36, 72, 40, 0.8), NoteEvent(73, 118, 43, 0.8)]
    assert spans(align(events, np.array([30, 80]))) == [(30, 72, 40), (80, 118, 43)]


def test_a_note_far_from_any_attack_stays_where_it_is() -> None:
    assert spans(align([NoteEvent(50, 90, 40, 0.8)], np.array([20, 120]))) == [(50, 90, 40)]


def test_a_note_struck_again_while_it_sounds_becomes_two() -> None:
    assert spans(align([NoteEvent(30, 120, 40, 0.8)], np.array([30, 80]))) == [(30, 80, 40), (80, 120, 40)]


def test_a_note_ends_where_the_next_one_was_moved_to() -> None:
    events = [NoteEvent(60, 84, 40, 0.8), NoteEvent(85, 120, 43, 0.8)]
    assert spans(align(events, np.array([60, 80]))) == [(60, 80, 40), (80, 120, 43)]


def test_a_note_that_the_next_one_squeezes_out_goes() -> None:
    events = [NoteEvent(60, 78, 40, 0.8), NoteEvent(78, 84, 47, 0.3), NoteEvent(85, 120, 43, 0.8)]
    assert spans(align(events, np.array([60, 80]))) == [(60, 78, 40), (80, 120, 43)]
