"""Notes go to the stem in which they sound."""

import numpy as np

from antiphon.music.transcription.leakage import Salience, owned
from antiphon.music.transcription.notecreation import NoteEvent

NOTE = NoteEvent(10, 40, 60, 0.8)


def stem(activation: float, level: float, *, pitch: int = 60) -> Salience:
    notes = np.zeros((100, 88), np.uint8)
    notes[10:40, pitch - 21] = round(activation * 255)
    return Salience(notes, np.full(100, level, np.float32))


def test_a_note_stays_where_it_is_most_salient() -> None:
    assert owned([NOTE], stem(0.8, 0.1), [stem(0.4, 0.1)], margin=1.0) == [NOTE]
    assert owned([NOTE], stem(0.4, 0.1), [stem(0.8, 0.1)], margin=1.0) == []


def test_of_two_stems_that_are_as_sure_the_louder_one_has_the_note() -> None:
    assert owned([NOTE], stem(0.7, 0.1), [stem(0.7, 0.01)], margin=1.0) == [NOTE]
    assert owned([NOTE], stem(0.7, 0.01), [stem(0.7, 0.1)], margin=1.0) == []


def test_another_pitch_at_that_time_takes_no_note_away() -> None:
    assert owned([NOTE], stem(0.4, 0.01), [stem(0.9, 0.5, pitch=64)], margin=1.0) == [NOTE]


def test_a_voice_keeps_what_the_rest_has_a_little_more_of() -> None:
    assert owned([NOTE], stem(0.4, 0.1), [stem(0.8, 0.1)], margin=3.0) == [NOTE]
    assert owned([NOTE], stem(0.2, 0.1), [stem(0.8, 0.1)], margin=3.0) == []


def test_a_pitch_known_from_elsewhere_needs_no_activation_but_a_loud_stem() -> None:
    unheard = stem(0.0, 0.1)
    assert owned([NOTE], unheard, [stem(0.8, 0.1)], margin=2.0, heard_elsewhere=True) == [NOTE]
    assert owned([NOTE], stem(0.0, 0.005), [stem(0.8, 0.1)], margin=2.0, heard_elsewhere=True) == []


def test_stems_may_end_before_one_another() -> None:
    late = NoteEvent(150, 180, 60, 0.8)
    assert owned(
        [late], Salience(np.full((200, 88), 200, np.uint8), np.full(200, 0.1, np.float32)), [stem(1, 1)], margin=1
    )
