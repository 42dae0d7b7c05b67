"""Which notes of a band are the bass's."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.bassnotes import line, split
from antiphon.music.transcription.notecreation import NoteEvent

FRAMES = 800
Played = list[tuple[int, int, int]]


def activations(notes: Played) -> tuple[list[NoteEvent], NDArray[np.uint8], NDArray[np.uint8]]:
    """Events, and what the network says of them, of notes (start, end, pitch)."""
    sounding, onsets = np.zeros((FRAMES, 88), np.uint8), np.zeros((FRAMES, 88), np.uint8)
    events = []
    for start, end, pitch in notes:
        sounding[start:end, pitch - 21] = 230
        onsets[start : start + 2, pitch - 21] = 220
        events.append(NoteEvent(start, end, pitch, 0.9))
    return sorted(events), sounding, onsets


WALK: Played = [(start, start + 40, 33 + step % 5) for step, start in enumerate(range(0, 800, 40))]
CHORDS: Played = [(start, start + 150, pitch) for start in range(0, 800, 160) for pitch in (60, 64, 67)]


def test_the_low_line_under_chords_is_the_bass() -> None:
    bass, rest = split(*activations(WALK + CHORDS))
    assert [event.pitch for event in bass] == [pitch for _, _, pitch in WALK]
    assert {event.pitch for event in rest} == {60, 64, 67}


def test_chords_alone_have_no_bass() -> None:
    events, sounding, onsets = activations(CHORDS)
    assert split(events, sounding, onsets) == ([], events)


def test_a_few_low_notes_in_a_long_song_are_no_bass() -> None:
    events, sounding, onsets = activations([*WALK[:2], *CHORDS])
    assert split(events, sounding, onsets) == ([], events)


def test_a_line_has_one_note_at_a_time_the_stronger_of_two_that_begin_at_once() -> None:
    low, octave, following = NoteEvent(0, 50, 33, 0.9), NoteEvent(1, 50, 45, 0.4), NoteEvent(30, 60, 36, 0.8)
    found = line([low, octave, following], [0.9, 0.4, 0.8])
    assert [(event.start, event.end, event.pitch) for event in found] == [(0, 30, 33), (30, 60, 36)]
