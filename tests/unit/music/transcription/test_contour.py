"""The pitch of one voice, frame by frame."""

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.contour import follow

LOWEST = 40


def heard(line: NDArray[np.float64], strength: float = 0.8) -> NDArray[np.float32]:
    """Contours of a line of pitch in MIDI numbers, NaN where it rests, over 45 pitches."""
    places = LOWEST + (np.arange(45 * 3) - 1) / 3
    return np.nan_to_num(strength * np.exp(-np.square((places - line[:, None]) / 0.4))).astype(np.float32)


def loudness(line: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.where(np.isnan(line), 1e-5, 0.1).astype(np.float32)


def test_a_line_with_vibrato_a_glide_and_a_rest_is_followed_to_a_fraction_of_a_semitone() -> None:
    time = np.arange(200) / 86
    vibrato, glide, rest = 60 + 0.5 * np.sin(2 * np.pi * 5.5 * time), np.linspace(60, 67, 80), np.full(50, np.nan)
    line = np.concatenate([vibrato, glide, rest, np.full(60, 55.3)])
    pitch = follow(heard(line), loudness(line), lowest=LOWEST)
    assert np.array_equal(np.isnan(pitch), np.isnan(line))
    assert np.nanmax(np.abs(pitch - line)) < 0.4
    assert np.abs(pitch[-60:] - 55.3).max() < 0.1


def test_an_octave_that_is_stronger_for_a_moment_does_not_take_the_line_away() -> None:
    line = np.full(120, 57.0)
    contours = heard(line)
    contours[50:55] = 0.6 * contours[50:55] + heard(line + 12, 0.9)[50:55]
    assert np.abs(follow(contours, loudness(line), lowest=LOWEST) - 57).max() < 0.1


def test_a_flicker_of_the_network_while_the_voice_is_loud_does_not_end_the_line() -> None:
    line = np.full(100, 62.0)
    contours = heard(line)
    contours[40:43] *= 0.1
    assert not np.isnan(follow(contours, loudness(line), lowest=LOWEST)).any()


def test_what_is_far_below_the_loud_passages_is_not_sung() -> None:
    line = np.full(200, 62.0)
    level = loudness(line)
    level[100:] *= 10 ** (-30 / 20)
    pitch = follow(heard(line, 0.4), level, lowest=LOWEST)
    assert not np.isnan(pitch[:100]).any()
    assert np.isnan(pitch[101:]).all()


def test_silence_noise_and_nothing_have_no_pitch() -> None:
    noise = np.random.default_rng(0).uniform(0, 0.15, (300, 135)).astype(np.float32)
    assert np.isnan(follow(noise, np.full(300, 0.1, np.float32), lowest=LOWEST)).all()
    assert np.isnan(follow(0 * noise, np.zeros(300, np.float32), lowest=LOWEST)).all()
    assert len(follow(noise[:0], np.zeros(0, np.float32), lowest=LOWEST)) == 0


def test_a_line_is_followed_alike_across_the_blocks_of_a_long_file() -> None:
    line = np.repeat(60.0 + np.arange(90) % 12, 100)
    pitch = follow(heard(line).astype(np.float16), loudness(line), lowest=LOWEST)
    assert np.abs(pitch - line).max() < 0.4
