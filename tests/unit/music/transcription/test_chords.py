"""What is struck with the drums, and belongs to the rest."""

import numpy as np

from antiphon.music.transcription.chords import SAME_ONSET_FRAMES, chords, with_struck
from antiphon.music.transcription.leakage import Salience
from antiphon.music.transcription.network import Posteriorgram
from antiphon.music.transcription.notecreation import NoteEvent

FRAMES = 200


def heard(*notes: tuple[int, int, int, bool]) -> Posteriorgram:
    """Notes (start, end, pitch, whether their onset is heard)."""
    activations, onsets = np.zeros((FRAMES, 88), np.float16), np.zeros((FRAMES, 88), np.float16)
    for start, end, pitch, struck in notes:
        # Without an onset a note grows slowly, or its rise would be taken for one.
        slow = np.linspace(0.01, 0.8, end - start).astype(np.float16)
        activations[start:end, pitch - 21] = 0.8 if struck else slow
        onsets[start, pitch - 21] = 0.9 if struck else 0
    # A click on the lowest key, too short for a note: rises are measured against the steepest one.
    activations[190, 0] = onsets[190, 0] = 0.9
    return Posteriorgram(activations, onsets, np.full(FRAMES, 0.1, np.float32))


def sounding(pitch: int, activation: float) -> Salience:
    notes = np.zeros((FRAMES, 88), np.uint8)
    notes[:, pitch - 21] = round(255 * activation)
    return Salience(notes, np.full(FRAMES, 0.1, np.float32))


def test_a_short_note_counts_if_it_is_struck() -> None:
    assert [event.pitch for event in chords(heard((20, 30, 60, True)))] == [60]
    assert chords(heard((20, 40, 60, False))) == []
    assert [event.pitch for event in chords(heard((20, 180, 60, False)))] == [60]


def test_a_note_struck_with_the_drums_counts_where_the_stem_sounds() -> None:
    beside = heard((50, 80, 60, True), (50, 80, 64, True))
    assert [event.pitch for event in with_struck([], sounding(60, 0.3), beside)] == [60]
    assert with_struck([], sounding(72, 0.9), beside) == []


def test_a_harmonic_of_what_begins_with_it_is_no_note() -> None:
    own = sounding(60, 0.8)
    own.notes[:, 72 - 21] = round(255 * 0.3)
    own.notes[:, 67 - 21] = round(255 * 0.3)
    beside = heard((50, 80, 60, True), (50, 80, 67, True), (50, 80, 72, True))
    assert [event.pitch for event in with_struck([], own, beside)] == [60, 67]


def test_what_the_stem_has_itself_is_not_doubled() -> None:
    own = NoteEvent(50 + SAME_ONSET_FRAMES, 90, 60, 0.7)
    assert with_struck([own], sounding(60, 0.7), heard((50, 80, 60, True))) == [own]


def test_a_note_ends_where_the_drums_tell_that_it_is_struck_again() -> None:
    events = with_struck([NoteEvent(20, 120, 60, 0.7)], sounding(60, 0.7), heard((70, 110, 60, True)))
    assert [(event.start, event.end) for event in events] == [(20, 70), (70, 110)]
