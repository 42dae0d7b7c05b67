"""Counting notes that are found."""

import numpy as np
from training.transcription.validate import THRESHOLDS, counted, f1, sweep

from antiphon.music.transcription.levels import MIN_PITCH, PITCHES, STEP_SECONDS


def test_a_note_counts_within_50_ms_at_its_pitch_and_once() -> None:
    truth = np.array([(1.0, 60), (2.0, 60), (3.0, 64)], np.float32)
    found = np.array([(1.04, 60), (0.97, 60), (2.06, 60), (3.0, 65)], np.float32)
    assert counted(truth, found).tolist() == [1, 3, 4]


def test_f1_falls_with_what_is_missed_and_what_is_invented() -> None:
    assert f1(np.array([2, 4, 2])) == f1(np.array([2, 2, 4])) == 2 / 3


def test_a_threshold_over_the_onset_loses_it() -> None:
    onset = np.zeros((40, PITCHES), np.float32)
    onset[10, 30] = 0.55
    counts = sweep(onset, np.array([(10 * STEP_SECONDS, 30 + MIN_PITCH)], np.float32))
    expected = [[int(threshold <= 0.55), 1, int(threshold <= 0.55)] for threshold in THRESHOLDS]
    assert counts.tolist() == expected
