"""Low pitches by their harmonics, and the line that a bass plays with them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.transcription import sound as listened
from antiphon.music.transcription.basicpitchbass import bass_line
from antiphon.music.transcription.levels import HOP, SAMPLE_RATE
from antiphon.music.transcription.lowpitch import MIN_PITCH, LowPitches, listen_low

Sound = NDArray[np.float64]
Record = Callable[[str, Sound], Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    def write(name: str, samples: Sound) -> Path:
        path = tmp_path / f"{name}.flac"
        with Writer(path, SAMPLE_RATE, 1, "flac") as writer:
            writer.write(samples.astype(np.float32)[:, None])
        return path

    return write


def note(pitch: int, seconds: float, harmonics: Mapping[int, float]) -> Sound:
    """A plucked string: silent for 0.1 s, then decaying."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(part * np.sin(2 * np.pi * hertz * harmonic * time) for harmonic, part in harmonics.items())
    return 0.1 * wave * np.exp(-2 * time) * np.minimum(1, time / 0.005)


def frame(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / HOP)


def level(samples: Sound, frames: int) -> NDArray[np.float32]:
    padded = np.pad(samples, (HOP, frames * HOP + HOP - len(samples)))
    power = np.square(padded).reshape(-1, HOP).mean(axis=1)
    amplitude: NDArray[np.float64] = np.sqrt((power[:-1] + power[1:]) / 2)[:frames]
    return amplitude.astype(np.float32)


def heard(record: Record, stems: Mapping[str, Sound]) -> tuple[LowPitches, NDArray[np.float32]]:
    frames = -(-len(stems["bass"]) // HOP)
    paths = {name: record(name, samples) for name, samples in stems.items()}
    notes = listened.Sound(tuple(paths[name] for name in ("bass", "other") if name in paths))
    strokes = listened.Sound((paths["drums"],)) if "drums" in paths else None
    return listen_low(notes, strokes, frames=frames, loud=0.1), level(stems["bass"], frames)


WHOLE = {harmonic: 1 / harmonic for harmonic in range(1, 9)}
LOW = {1: 0.1, 2: 0.5, 3: 0.33}
"""What a low-pass leaves of a string whose fundamental is weak."""
HIGH = {harmonic: 1 / harmonic for harmonic in range(4, 9)}


@pytest.mark.parametrize("pitch", [28, 33, 40, 47, 55])
def test_the_pitch_that_is_played_has_the_most_salience_and_not_an_octave_of_it(pitch: int, record: Record) -> None:
    low, _ = heard(record, {"bass": note(pitch, 1.0, WHOLE)})
    assert {MIN_PITCH + int(column) for column in low.salience[20:60].argmax(axis=1)} == {pitch}
    assert low.purity[20:60, pitch - MIN_PITCH].min() > 0.5


def test_harmonics_that_the_separation_put_elsewhere_tell_the_pitch(record: Record) -> None:
    bass, rest = note(31, 1.0, LOW), note(31, 1.0, HIGH)
    low, _ = heard(record, {"bass": bass, "other": rest})
    assert {MIN_PITCH + int(column) for column in low.salience[20:60].argmax(axis=1)} == {31}


def test_frames_are_as_many_as_asked_for_and_do_not_drift_over_a_long_file(record: Record) -> None:
    silence = np.zeros(round(65.0 * SAMPLE_RATE))
    low, _ = heard(record, {"bass": np.concatenate([silence, note(40, 1.0, WHOLE)])})
    assert len(low.salience) == len(low.purity) == len(low.body) == len(low.hit) == -(-66 * SAMPLE_RATE // HOP)
    energy = low.body[:, 40 - MIN_PITCH].astype(np.float32)
    half = (energy.min() + energy.max()) / 2
    assert abs(int(np.flatnonzero(energy > half)[0]) - frame(65.0)) <= 3
    assert not low.salience[: frame(64.5)].any()


def test_files_of_different_lengths_and_of_none_are_heard(record: Record) -> None:
    low, _ = heard(record, {"bass": note(40, 2.0, WHOLE), "other": note(52, 0.5, WHOLE), "drums": np.zeros(100)})
    assert MIN_PITCH + int(low.salience[frame(1.5)].argmax()) == 40
    nothing = listen_low(listened.Sound((record("bass", np.zeros(1)),)), None, frames=0, loud=0.1)
    assert nothing.salience.shape == (0, 33)
    assert bass_line(nothing, np.zeros(0, np.float32)) == []


def test_a_line_is_found_with_its_repeated_notes_though_the_separation_took_it_apart(record: Record) -> None:
    line = [(33, 0.5), (33, 0.5), (40, 0.25), (38, 0.25), (33, 1.0)]
    bass, rest = (np.concatenate([note(*one, parts) for one in line]) for parts in (LOW, HIGH))
    events = bass_line(*heard(record, {"bass": bass, "other": rest}))
    assert [event.pitch for event in events] == [pitch for pitch, _ in line]
    starts = np.cumsum([0.0, *(length for _, length in line[:-1])])
    assert (
        np.abs([event.start * HOP / SAMPLE_RATE - start for event, start in zip(events, starts, strict=True)]).max()
        < 0.04
    )
    assert all(0 <= event.activation <= 1 for event in events)


def test_noise_rumble_and_silence_have_no_line(record: Record) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 5 * SAMPLE_RATE)
    for samples in (noise, np.convolve(noise, np.ones(50) / 10, "same"), 0 * noise):
        assert bass_line(*heard(record, {"bass": samples})) == []
