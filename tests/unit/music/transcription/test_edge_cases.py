"""Sounds that are hardly music, or badly recorded: sensible notes, or none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.separation import separate
from antiphon.music.transcription import transcribe
from antiphon.score.notes import InstrumentPart

pytestmark = pytest.mark.model

RATE = 22_050
SECONDS = 8
Samples = NDArray[np.float32]
Hear = Callable[..., list[InstrumentPart]]


@pytest.fixture
def hear(models: Path, tmp_path: Path) -> Hear:
    """Transcribes the samples as each of the stems that are named."""

    def transcribed(samples: Samples, *stems: str, rate: int = RATE) -> list[InstrumentPart]:
        path = tmp_path / "sound.wav"
        with Writer(path, rate, 1, "wav") as writer:
            writer.write(np.asarray(samples, np.float32)[:, None])
        return transcribe(dict.fromkeys(stems or ("other",), path), models=models, threads=1, progress=silent)

    return transcribed


def noise(slope: float) -> Samples:
    """Noise whose power falls with frequency to the power of ``slope``: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(SECONDS * RATE))
    samples = np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** (slope / 2))
    return np.asarray(0.4 * samples / np.abs(samples).max(), np.float32)


def tone(pitch: float, seconds: float, rate: int = RATE) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * part * time) / part**2 for part in range(1, 6) if hertz * part < rate / 2)
    return np.asarray(0.25 * wave, np.float32)


MELODY = (60, 64, 67, 72, 69, 65, 62, 67)


def melody(rate: int = RATE) -> Samples:
    samples = np.zeros(round(4.5 * rate), np.float32)
    for index, pitch in enumerate(MELODY):
        note = tone(pitch, 0.45, rate)
        note *= np.exp(-3 * np.arange(len(note)) / rate).astype(np.float32)
        start = round((0.2 + 0.5 * index) * rate)
        samples[start : start + len(note)] += note
    return samples


def tune(instruments: list[InstrumentPart]) -> list[int]:
    """The pitches of the only instrument, of notes of 0.2 s and more."""
    (instrument,) = instruments
    return [note.pitch for note in instrument.notes if note.end - note.start >= 0.2]


@pytest.mark.parametrize("slope", [0, 1, 2], ids=["white", "pink", "brown"])
def test_nothing_plays_in_noise(hear: Hear, slope: float) -> None:
    assert hear(noise(slope), "vocal", "bass", "other") == []


@pytest.mark.parametrize("slope", [0, 1, 2], ids=["white", "pink", "brown"])
def test_nothing_plays_in_the_stems_of_noise(models: Path, tmp_path: Path, slope: float) -> None:
    source = tmp_path / "noise.wav"
    with Writer(source, RATE, 1, "wav") as writer:
        writer.write(noise(slope)[:, None])
    stems = separate(source, tmp_path, kind="split_stem", models=models, codec="wav", threads=1, progress=silent).stems
    assert transcribe(stems, models=models, threads=1, progress=silent) == []


def test_nothing_plays_in_silence(hear: Hear) -> None:
    assert hear(np.zeros(SECONDS * RATE, np.float32), "vocal", "drums", "bass", "other") == []


def test_a_click_track_has_no_pitch(hear: Hear) -> None:
    samples = np.zeros(SECONDS * RATE, np.float32)
    samples[RATE // 4 :: RATE // 2] = 0.9
    assert hear(samples, "vocal", "bass", "other") == []


def test_a_sustained_tone_is_one_long_note(hear: Hear) -> None:
    (instrument,) = hear(tone(57, SECONDS))
    longest = max(instrument.notes, key=lambda note: note.end - note.start)
    assert longest.pitch == 57
    assert longest.end - longest.start > SECONDS - 0.5


def test_a_drone_is_heard_from_beginning_to_end(hear: Hear) -> None:
    (instrument,) = hear(tone(45, 60) + tone(52, 60))
    for pitch in (45, 52):
        assert sum(note.end - note.start for note in instrument.notes if note.pitch == pitch) > 55


def test_a_melody_is_heard_over_an_offset(hear: Hear) -> None:
    assert tune(hear(0.5 * melody() + 0.4)) == list(MELODY)


def test_a_melody_is_heard_through_clipping(hear: Hear) -> None:
    assert set(MELODY) <= {note.pitch for one in hear(np.clip(8 * melody(), -1, 1)) for note in one.notes}


def test_a_melody_is_heard_at_eight_kilohertz(hear: Hear) -> None:
    assert tune(hear(melody(8000), rate=8000)) == list(MELODY)


def kick() -> Samples:
    time = np.arange(RATE // 4) / RATE
    return np.asarray(np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-25 * time)))) * np.exp(-14 * time), np.float32)


@pytest.mark.parametrize(("decibels", "there"), [(-15, True), (-52, False)])
def test_what_a_separation_leaves_among_the_drums_is_not_played(
    models: Path, tmp_path: Path, decibels: float, there: bool
) -> None:
    stems: dict[str, Samples] = {"other": melody(), "drums": np.zeros(len(melody()), np.float32)}
    for start in range(RATE // 4, len(melody()) - RATE // 2, RATE // 2):
        stems["drums"][start : start + RATE // 4] += kick() * np.float32(10 ** (decibels / 20))
    paths = {name: tmp_path / f"{name}.wav" for name in stems}
    for name, path in paths.items():
        with Writer(path, RATE, 1, "wav") as writer:
            writer.write(stems[name][:, None])
    found = transcribe(paths, models=models, threads=1, progress=silent)
    assert any(instrument.is_drum for instrument in found) == there
