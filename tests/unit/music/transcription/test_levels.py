"""Levels in thirds of semitones, from which the note network hears."""

import numpy as np
import pytest

from antiphon.music.transcription.levels import HOP, SAMPLE_RATE, Floats, levels, reference, scaled


def tone(pitch: float, seconds: float = 2.0, start: float = 0.0) -> Floats:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) * (time >= start)
    return np.asarray(wave, np.float32)


@pytest.mark.parametrize("pitch", [21, 28, 45, 60, 81, 100, 108, 119])
def test_a_sine_of_full_scale_is_0_db_in_its_own_bin_and_less_elsewhere(pitch: int) -> None:
    level = levels(tone(pitch))[:, SAMPLE_RATE // HOP]
    for channel in level:
        assert int(channel.argmax()) == (pitch - 21) * 3 + 1
        assert channel.max() == pytest.approx(0, abs=0.1)


def test_a_bin_is_a_third_of_a_semitone() -> None:
    assert int(levels(tone(60 + 1 / 3))[0, 80].argmax()) == (60 - 21) * 3 + 2


@pytest.mark.parametrize("pitch", [40, 60, 90])
def test_short_windows_hear_a_beginning_where_it_is(pitch: int) -> None:
    rising = levels(tone(pitch, start=1.0))[1, :, (pitch - 21) * 3 + 1]
    half = int(np.flatnonzero(rising > -6.1)[0])
    assert abs(half * HOP / SAMPLE_RATE - 1) < 0.012


def test_the_network_hears_a_quiet_song_as_it_hears_a_loud_one() -> None:
    sound = tone(60) + tone(64) * np.float32(0.3)
    loud, quiet = (scaled(levels(one), reference(one)) for one in (sound, sound * np.float32(0.003)))
    assert np.abs(loud - quiet).max() < 1e-3


def test_silence_is_nothing() -> None:
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert not scaled(levels(silence), reference(silence)).any()
