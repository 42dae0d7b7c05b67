"""Notes out of activations."""

import numpy as np
import pytest
from training.transcription.targets import WIDTH

from antiphon.music.transcription.decoding import NoteLimits, notes
from antiphon.music.transcription.levels import MIN_PITCH, PITCHES, STEP_SECONDS, Floats

COLUMN = 39


def nothing(steps: int = 60) -> tuple[Floats, Floats, Floats]:
    onset, frame, velocity = (np.zeros((steps, PITCHES), np.float32) for _ in range(3))
    return onset, frame, velocity


def strike(onset: Floats, place: float) -> None:
    bell = np.exp(-0.5 * ((np.arange(len(onset)) - place) / WIDTH) ** 2)
    onset[:, COLUMN] = np.maximum(onset[:, COLUMN], bell)


@pytest.mark.parametrize("place", [10.0, 10.3, 10.5, 10.8])
def test_an_onset_between_two_steps_is_found_there(place: float) -> None:
    onset, frame, velocity = nothing()
    strike(onset, place)
    frame[10:20, COLUMN] = 1
    velocity[10:12, COLUMN] = 0.7
    (found,) = notes(onset, frame, velocity)
    assert found.pitch == COLUMN + MIN_PITCH
    assert found.start == pytest.approx(place * STEP_SECONDS, abs=0.001)
    assert found.end == pytest.approx(19.5 * STEP_SECONDS, abs=0.001)
    assert found.velocity == pytest.approx(0.7)


def test_a_note_that_is_struck_again_ends_there() -> None:
    onset, frame, velocity = nothing()
    strike(onset, 10)
    strike(onset, 20)
    frame[10:30, COLUMN] = 1
    first, second = notes(onset, frame, velocity)
    assert first.end == pytest.approx(second.start, abs=STEP_SECONDS)
    assert first.end <= second.start


def test_a_short_dip_does_not_end_a_note_and_a_long_one_does() -> None:
    onset, frame, velocity = nothing()
    strike(onset, 10)
    frame[10:40, COLUMN] = 1
    frame[15:17, COLUMN] = frame[25:30, COLUMN] = 0
    (found,) = notes(onset, frame, velocity, NoteLimits(dip=2))
    assert found.end == pytest.approx(24.5 * STEP_SECONDS, abs=0.001)


def test_a_weak_onset_is_no_note() -> None:
    onset, frame, velocity = nothing()
    strike(onset, 10)
    frame[10:20, COLUMN] = 1
    assert not notes(onset * np.float32(0.3), frame, velocity, NoteLimits(onset=0.4))
