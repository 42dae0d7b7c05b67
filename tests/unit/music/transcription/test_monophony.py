"""One note at a time."""

import numpy as np

from antiphon.music.transcription.monophony import join, keep_one
from antiphon.music.transcription.notecreation import Event


def activations(*events: Event) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    array = np.zeros((200, 88), np.float32)
    for event in events:
        array[event.start : event.end, event.pitch - 21] = event.activation
    return array


def test_notes_that_follow_each_other_stay_as_they_are() -> None:
    melody = [Event(10, 40, 60, 0.8), Event(40, 70, 62, 0.6), Event(90, 120, 60, 0.7)]
    assert keep_one(melody, activations(*melody)) == melody


def test_the_stronger_of_two_notes_at_once_stays() -> None:
    sung, octave = Event(10, 60, 60, 0.8), Event(15, 55, 72, 0.5)
    assert keep_one([sung, octave], activations(sung, octave)) == [sung]


def test_a_weaker_note_keeps_the_part_in_which_it_is_alone() -> None:
    weak, strong = Event(10, 60, 60, 0.5), Event(40, 90, 64, 0.9)
    kept = keep_one([weak, strong], activations(weak, strong))
    assert [(event.start, event.end, event.pitch) for event in kept] == [(10, 40, 60), (40, 90, 64)]


def test_a_sliver_is_dropped() -> None:
    weak, strong = Event(10, 60, 60, 0.5), Event(13, 90, 64, 0.9)
    assert keep_one([weak, strong], activations(weak, strong)) == [strong]


def test_no_notes_stay_no_notes() -> None:
    assert keep_one([], activations()) == []


def test_the_pieces_of_a_held_note_become_one_and_a_note_sung_again_does_not() -> None:
    pieces = [Event(10, 40, 60, 0.6), Event(44, 70, 60, 0.8), Event(72, 100, 60, 0.7), Event(100, 130, 62, 0.7)]
    onsets = np.zeros((200, 88), np.float32)
    onsets[44, 60 - 21] = 0.5
    onsets[72, 60 - 21] = 0.9
    held = join(pieces, onsets)
    assert [(event.start, event.end, event.pitch) for event in held] == [(10, 70, 60), (72, 100, 60), (100, 130, 62)]
    assert held[0].activation == 0.8


def test_a_note_after_a_rest_is_a_new_one() -> None:
    notes = [Event(10, 40, 60, 0.6), Event(60, 90, 60, 0.6)]
    assert join(notes, np.zeros((200, 88), np.float32)) == notes
