"""Notes made out of activations that a test writes by hand, or at random."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.transcription.notecreation import NoteEvent, Thresholds, create, infer_onsets

Activations = NDArray[np.float32]


def silence(frames: int = 100, pitches: int = 12) -> tuple[Activations, Activations]:
    return np.zeros((frames, pitches), np.float32), np.zeros((frames, pitches), np.float32)


def played(*notes: tuple[int, int, int, float], frames: int = 100) -> tuple[Activations, Activations]:
    """Activations of notes (start, end, column, strength), each with an onset peak."""
    activations, onsets = silence(frames)
    for start, end, column, strength in notes:
        activations[start:end, column] = strength
        onsets[start, column] = strength
    return activations, onsets


def spans(events: list[NoteEvent]) -> list[tuple[int, int, int]]:
    return [(event.start, event.end, event.pitch) for event in events]


def test_silence_gives_no_notes() -> None:
    assert create(*silence()) == []
    assert create(*silence(frames=0)) == []


def test_a_note_has_its_start_end_pitch_and_mean_activation() -> None:
    (event,) = create(*played((20, 50, 4, 0.8)), lowest=60)
    assert (event.start, event.end, event.pitch) == (20, 50, 64)
    assert event.activation == pytest.approx(0.8)


def test_a_chord_keeps_all_its_notes() -> None:
    activations = played((20, 50, 0, 0.8), (20, 60, 4, 0.7), (20, 40, 7, 0.9))
    assert spans(create(*activations, lowest=0)) == [(20, 40, 7), (20, 50, 0), (20, 60, 4)]


def test_a_repeated_note_ends_where_it_is_struck_again() -> None:
    activations, onsets = played((20, 80, 4, 0.8))
    onsets[50, 4] = 0.8
    assert spans(create(activations, onsets, lowest=0)) == [(20, 50, 4), (50, 80, 4)]


def test_a_short_dip_does_not_cut_a_note_and_a_long_one_does() -> None:
    activations, onsets = played((10, 90, 4, 0.8))
    activations[40:46, 4] = 0
    assert spans(create(activations, onsets, Thresholds(infer_onsets=False), lowest=0)) == [(10, 90, 4)]
    activations[40:60, 4] = 0
    assert spans(create(activations, onsets, Thresholds(infer_onsets=False), lowest=0)) == [(10, 40, 4), (60, 90, 4)]


def test_notes_that_are_too_short_or_too_faint_are_dropped() -> None:
    assert create(*played((20, 28, 4, 0.9))) == []
    assert create(*played((20, 60, 4, 0.2))) == []


def test_a_smear_onto_the_next_semitone_is_not_a_second_note() -> None:
    activations, onsets = played((20, 60, 4, 0.9))
    activations[22:58, 5] = 0.5
    assert spans(create(activations, onsets, Thresholds(infer_onsets=False), lowest=0)) == [(20, 60, 4)]


def test_energy_without_an_onset_becomes_a_note_unless_that_is_switched_off() -> None:
    activations, onsets = silence()
    activations[:, 4] = np.concatenate([np.linspace(0, 0.9, 50), np.linspace(0.9, 0, 50)])
    (event,) = create(activations, onsets, lowest=0)
    assert event.pitch == 4
    assert event.start == int(np.flatnonzero(activations[:, 4] > 0.3)[0])
    assert create(activations, onsets, Thresholds(without_onset=False)) == []


def test_a_sudden_rise_counts_as_an_onset() -> None:
    activations, onsets = played((20, 80, 4, 0.8))
    activations[47:50, 4] = 0.31
    activations[50:80, 4] = 0.9
    onsets[70, 9] = 0.9
    inferred = infer_onsets(activations, onsets)
    assert inferred[50, 4] > 0.5
    assert spans(create(activations, onsets, lowest=0)) == [(20, 50, 4), (50, 80, 4)]


def plainly(activations: Activations, onsets: Activations, limits: Thresholds) -> list[tuple[int, int, int]]:
    """The published method for notes with an onset, frame by frame and without haste."""
    left = activations.copy()
    strength = infer_onsets(activations, onsets)
    last = len(activations) - 1
    found = []
    for frame in range(last - 1, 0, -1):
        for column in range(activations.shape[1] - 1, -1, -1):
            here = strength[frame, column]
            if here < limits.onset or here <= max(strength[frame - 1, column], strength[frame + 1, column]):
                continue
            end, missing = frame + 1, 0
            while end <= last and missing < limits.dip:
                missing = missing + 1 if left[end, column] < limits.frame else 0
                end += 1
            end -= missing
            if end - frame > limits.shortest:
                left[frame:end, max(column - 1, 0) : column + 2] = 0
                found.append((frame, end, column))
    return sorted(found)


@pytest.mark.parametrize("seed", range(6))
def test_the_vectorised_method_gives_the_notes_of_the_plain_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    activations, onsets = silence(400, 24)
    for _ in range(60):
        start, column = int(random.integers(5, 370)), int(random.integers(0, 24))
        length = int(random.integers(5, 60))
        activations[start : start + length, column] = random.uniform(0.2, 1)
        onsets[start, column] = random.uniform(0.3, 1)
    activations *= random.uniform(0.6, 1, activations.shape).astype(np.float32)
    limits = Thresholds(without_onset=False)
    events = create(activations, onsets, limits, lowest=0)
    assert len(events) > 15
    assert spans(events) == plainly(activations, onsets, limits)


@pytest.mark.parametrize("seed", range(3))
def test_notes_of_one_pitch_never_overlap(seed: int) -> None:
    random = np.random.default_rng(seed)
    activations = random.beta(0.5, 1, (600, 20)).astype(np.float16)
    onsets = random.beta(0.3, 1, (600, 20)).astype(np.float16)
    events = create(activations, onsets, Thresholds(shortest=3))
    assert events == sorted(events)
    for pitch in {event.pitch for event in events}:
        line = [event for event in events if event.pitch == pitch]
        assert all(before.end <= after.start for before, after in pairwise(line))
