"""The tuning of composed sounds, and that notes do not depend on it or on how loud they are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription import Transcription, by_stem
from antiphon.music.transcription.tuning import SAMPLE_RATE, TuningMeter

Samples = NDArray[np.float32]
PITCHES = (57, 60, 64, 69, 67, 62, 65, 72)


def melody(cents: float) -> Samples:
    samples = np.zeros(6 * SAMPLE_RATE, np.float32)
    for order, pitch in enumerate(PITCHES):
        time = np.arange(round(0.6 * SAMPLE_RATE)) / SAMPLE_RATE
        hertz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
        wave = sum(np.sin(2 * np.pi * hertz * part * time) / part**1.5 for part in range(1, 8))
        start = round((0.2 + 0.65 * order) * SAMPLE_RATE)
        samples[start : start + len(time)] += (0.2 * wave * np.exp(-3 * time) * np.minimum(1, time / 0.005)).astype(
            np.float32
        )
    return samples


def measured(samples: Samples) -> float:
    meter = TuningMeter()
    for first in range(0, len(samples), 10_000):
        meter.push(samples[first : first + 10_000])
    return meter.cents()


@pytest.mark.parametrize("cents", [-49, -32, -20, 0, 13, 31.8, 50])
def test_the_tuning_of_a_melody_is_found_to_two_cents(cents: float) -> None:
    assert abs((measured(melody(cents)) - cents + 50) % 100 - 50) < 2


def test_noise_and_silence_have_no_tuning() -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, 10 * SAMPLE_RATE).astype(np.float32)
    assert measured(noise) == 0
    assert measured(np.zeros(SAMPLE_RATE, np.float32)) == 0


@pytest.fixture
def hear(tmp_path: Path) -> Callable[[Samples], Transcription]:
    def heard(samples: Samples) -> Transcription:
        path = tmp_path / "song.wav"
        with Writer(path, SAMPLE_RATE, 1, "wav") as writer:
            writer.write(samples[:, None])
        return by_stem({"other": path}, models=tmp_path, threads=1, progress=silent)

    return heard


def pitches(found: Transcription) -> list[int]:
    return [note.pitch for note in found.instruments["other"].notes]


@pytest.mark.parametrize("cents", [-45, -32, 20, 45])
def test_a_song_out_of_tune_has_the_notes_of_one_in_tune(
    hear: Callable[[Samples], Transcription], cents: float
) -> None:
    found = hear(melody(cents))
    assert abs(found.tuning_cents - cents) < 2
    assert pitches(found) == list(PITCHES)


def test_a_quiet_song_has_the_notes_of_a_loud_one(hear: Callable[[Samples], Transcription]) -> None:
    loud, quiet = (hear(melody(10) * np.float32(10 ** (decibels / 20))) for decibels in (0, -44))
    assert pitches(loud) == pitches(quiet) == list(PITCHES)
    for one, other in zip(loud.instruments["other"].notes, quiet.instruments["other"].notes, strict=True):
        assert abs(one.start - other.start) < 0.013
        assert abs(one.velocity - other.velocity) < 0.02


@pytest.mark.model
@pytest.mark.parametrize("cents", [0, 40])
def test_the_ear_of_basic_pitch_hears_the_same_melody(models: Path, tmp_path: Path, cents: float) -> None:
    paths = {"other": tmp_path / "other.wav", "drums": tmp_path / "drums.wav"}
    for path, samples in zip(paths.values(), (melody(cents), np.zeros(SAMPLE_RATE, np.float32)), strict=True):
        with Writer(path, SAMPLE_RATE, 1, "wav") as writer:
            writer.write(samples[:, None])
    found = by_stem(paths, models=models, threads=1, progress=silent, ear="basic_pitch")
    held = [note for note in found.instruments["other"].notes if note.end - note.start > 0.2]
    assert [note.pitch for note in held] == list(PITCHES)
    for order, note in enumerate(held):
        assert abs(note.start - (0.2 + 0.65 * order)) < 0.03
