"""What a sound is like."""

from collections.abc import Callable
from math import isnan

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.transcription.levels import HOP, SAMPLE_RATE
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.timbre import BANDS, STEP_SAMPLES, Spectra, Timbre, timbre

Samples = NDArray[np.float64]
APART = 86
NOTES = [NoteEvent(APART * index, APART * index + 60, 48 + index, 0.8) for index in range(10)]
Sounds = Callable[[Callable[[Samples, float], Samples]], Timbre | None]


@pytest.fixture
def sounds() -> Sounds:
    def measured(note: Callable[[Samples, float], Samples]) -> Timbre | None:
        samples = np.zeros(APART * HOP * 11, np.float32)
        for event in NOTES:
            time = np.arange((event.end - event.start) * HOP) / SAMPLE_RATE
            samples[event.start * HOP : event.end * HOP] = note(time, 440 * 2 ** ((event.pitch - 69) / 12))
        heard = Spectra()
        for block in np.array_split(0.1 * samples, 7):
            heard.push(block)
        spectra = heard.levels()
        assert spectra.shape[1] == BANDS
        assert abs(len(spectra) - len(samples) / STEP_SAMPLES) <= 2
        return timbre(spectra, NOTES)

    return measured


def harmonics(time: Samples, hertz: float, slope: float) -> Samples:
    wave = [np.sin(2 * np.pi * hertz * part * time) / part**slope for part in range(1, 16)]
    return np.asarray(np.sum(wave, axis=0))


def test_a_decay_is_measured_in_decibels_a_second(sounds: Sounds) -> None:
    plucked = sounds(lambda time, hertz: harmonics(time, hertz, 2) * 10 ** (-time * 12 / 20))
    held = sounds(lambda time, hertz: harmonics(time, hertz, 2))
    assert plucked is not None
    assert held is not None
    assert plucked.decay == pytest.approx(12, abs=2)
    assert held.decay == pytest.approx(0, abs=2)


def test_a_bright_sound_has_its_centre_octaves_above_its_pitch(sounds: Sounds) -> None:
    dull = sounds(lambda time, hertz: harmonics(time, hertz, 3))
    bright = sounds(lambda time, hertz: harmonics(time, hertz, 0))
    assert dull is not None
    assert bright is not None
    assert dull.brightness < 0.3
    assert bright.brightness > 2
    assert bright.fall < dull.fall
    assert bright.roughness > dull.roughness


def test_notes_that_follow_each_other_closely_tell_no_decay() -> None:
    spectra = np.zeros((200, BANDS), np.float16)
    events = [NoteEvent(10 * index, 10 * index + 10, 60, 0.8) for index in range(20)]
    found = timbre(spectra, events)
    assert found is not None
    assert isnan(found.decay)


def test_a_few_notes_tell_nothing() -> None:
    assert timbre(np.zeros((200, BANDS), np.float16), NOTES[:2]) is None
    assert timbre(np.zeros((0, BANDS), np.float16), NOTES) is None
