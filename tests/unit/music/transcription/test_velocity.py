"""Velocity from loudness."""

import numpy as np
import pytest

from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.velocity import MIN_VELOCITY, velocities


def test_a_constant_part_has_a_constant_velocity_whatever_its_pitches_and_lengths() -> None:
    level = np.full(2000, 1e-4, np.float32)
    events = []
    for index in range(20):
        start, length = 100 * index, (10, 40, 90)[index % 3]
        level[start : start + length] = 0.1
        events.append(NoteEvent(start, start + length, 40 + index, 0.4 + 0.03 * index))
    found = velocities(events, level)
    assert max(found) - min(found) < 0.03


def test_forty_decibels_are_a_factor_of_ten() -> None:
    level = np.repeat(np.array([0.1, 0.1 / 4, 0.1], np.float32), 100)
    loud, soft, _ = velocities([NoteEvent(100 * index, 100 * index + 90, 60, 0.8) for index in range(3)], level)
    assert soft == pytest.approx(loud / 2, rel=0.02)


def test_a_pitch_that_resonates_is_not_played_harder() -> None:
    level = np.full(4000, 1e-4, np.float32)
    events = []
    for index in range(40):
        level[100 * index : 100 * index + 80] = 0.2 if index % 4 == 0 else 0.1
        events.append(NoteEvent(100 * index, 100 * index + 80, 40 if index % 4 == 0 else 45, 0.8))
    found = velocities(events, level)
    assert max(found) - min(found) < 0.1


def test_a_chord_is_not_played_harder_than_its_notes_one_by_one() -> None:
    one = 0.1
    level = np.concatenate([np.full(100, one), np.full(100, one * 2)]).astype(np.float32)
    single = NoteEvent(0, 90, 60, 0.8)
    chord = [NoteEvent(100, 190, pitch, 0.8) for pitch in (48, 52, 55, 60)]
    found = velocities([single, *chord], level)
    assert max(found) - min(found) < 0.02


def test_velocities_stay_between_the_softest_and_one() -> None:
    level = np.concatenate([np.full(900, 0.01), np.full(50, 1.0), np.full(50, 1e-7)]).astype(np.float32)
    events = [NoteEvent(start, start + 40, 60, 0.8) for start in range(0, 1000, 50)]
    found = velocities(events, level)
    assert min(found) == MIN_VELOCITY
    assert max(found) == 1.0
    assert velocities([], level) == []
    assert len(velocities([NoteEvent(0, 1, 60, 0.8)], level[:1])) == 1
