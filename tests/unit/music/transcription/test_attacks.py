"""Notes moved to where the string was plucked."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.attacks import align, attacks
from antiphon.music.transcription.notecreation import Event


def plucked(*frames: int, length: int = 200) -> NDArray[np.float32]:
    """A level that jumps at each of ``frames`` and decays after it."""
    level = np.full(length, 1e-4)
    for frame in frames:
        level[frame:] = np.exp(-np.arange(length - frame) / 40) * 0.3
    return level.astype(np.float32)


def spans(events: list[Event]) -> list[tuple[int, int, int]]:
    return [(event.start, event.end, event.pitch) for event in events]


def test_attacks_are_where_the_level_jumps() -> None:
    found = attacks(plucked(30, 80, 120))
    assert np.abs(found - [30, 80, 120]).max() <= 1


def test_a_steady_level_has_no_attacks() -> None:
    assert len(attacks(np.full(100, 0.1, np.float32))) == 0
    assert len(attacks(np.zeros(100, np.float32))) == 0
    assert len(attacks(np.zeros(2, np.float32))) == 0


def test_notes_that_wander_are_moved_to_their_attacks() -> None:
    events = [Event(36, 72, 40, 0.8), Event(73, 118, 43, 0.8)]
    assert spans(align(events, np.array([30, 80]))) == [(30, 72, 40), (80, 118, 43)]


def test_a_note_far_from_any_attack_stays_where_it_is() -> None:
    assert spans(align([Event(50, 90, 40, 0.8)], np.array([20, 120]))) == [(50, 90, 40)]


def test_a_note_struck_again_while_it_sounds_becomes_two() -> None:
    assert spans(align([Event(30, 120, 40, 0.8)], np.array([30, 80]))) == [(30, 80, 40), (80, 120, 40)]


def test_a_note_ends_where_the_next_one_was_moved_to() -> None:
    events = [Event(60, 84, 40, 0.8), Event(85, 120, 43, 0.8)]
    assert spans(align(events, np.array([60, 80]))) == [(60, 80, 40), (80, 120, 43)]


def test_a_note_that_the_next_one_squeezes_out_goes() -> None:
    events = [Event(60, 78, 40, 0.8), Event(78, 84, 47, 0.3), Event(85, 120, 43, 0.8)]
    assert spans(align(events, np.array([60, 80]))) == [(60, 78, 40), (80, 120, 43)]
