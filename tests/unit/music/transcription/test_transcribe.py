"""Sound in, notes out, through the real network."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.music.transcription import transcribe

pytestmark = pytest.mark.model

RATE = 22_050
Melody = list[tuple[int, float, float]]


def tone(pitch: int, seconds: float) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * part * time) / part for part in range(1, 7) if hertz * part < RATE / 2)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 0.005) * np.exp(-time * 1.5)
    return np.asarray(0.25 * wave * fade, np.float32)


def sound(melody: Melody, seconds: float) -> NDArray[np.float32]:
    samples = np.zeros(round(seconds * RATE), np.float32)
    for pitch, start, length in melody:
        piece = tone(pitch, length)
        samples[round(start * RATE) :][: len(piece)] += piece
    return samples


@pytest.fixture
def record(tmp_path: Path) -> Callable[[str, NDArray[np.float32]], Path]:
    def write(name: str, samples: NDArray[np.float32]) -> Path:
        path = tmp_path / f"{name}.flac"
        with Writer(path, RATE, 1, "flac") as writer:
            writer.write(samples[:, None])
        return path

    return write


Record = Callable[[str, NDArray[np.float32]], Path]


def test_every_note_of_a_melody_is_found_in_time_from_the_first_second_to_the_last(
    models: Path, record: Record
) -> None:
    melody = [(60 + (3 * index) % 13, 0.1 + 0.6 * index, 0.5) for index in range(40)]
    path = record("other", sound(melody, 24.5))
    (instrument,) = transcribe({"other": path}, models=models, threads=1, progress=silent)
    assert (instrument.name, instrument.program, instrument.is_drum) == ("Acoustic Grand Piano", 0, False)
    for pitch, start, _ in melody:
        near = [note for note in instrument.notes if note.pitch == pitch and abs(note.start - start) < 0.03]
        assert len(near) == 1, f"pitch {pitch} at {start:.1f} s"
    late = [
        note.start - start
        for pitch, start, _ in melody
        for note in instrument.notes
        if note.pitch == pitch and abs(note.start - start) < 0.03
    ]
    assert abs(np.mean(late[:10]) - np.mean(late[-10:])) < 0.005, "time drifts along the song"


def test_a_bass_plays_one_note_at_a_time_and_only_bass_notes(models: Path, record: Record) -> None:
    line = [(40, 0.2, 0.6), (43, 0.9, 0.6), (45, 1.6, 0.6), (40, 2.3, 0.6)]
    cymbal = [(96, 0.2 + 0.3 * index, 0.2) for index in range(8)]
    path = record("bass", sound(line, 3.2) + 0.2 * sound(cymbal, 3.2))
    (bass,) = transcribe({"bass": path}, models=models, threads=1, progress=silent)
    assert (bass.name, bass.program) == ("Electric Bass (finger)", 33)
    assert [note.pitch for note in bass.notes] == [40, 43, 45, 40]
    assert all(before.end <= after.start for before, after in pairwise(bass.notes))


def test_a_loud_note_has_more_velocity_than_a_soft_one(models: Path, record: Record) -> None:
    samples = sound([(60, 0.2, 0.5), (64, 2.2, 0.5)], 3.0)
    samples[2 * RATE :] *= 0.1
    (piano,) = transcribe({"other": record("other", samples)}, models=models, threads=1, progress=silent)
    velocity = {note.pitch: note.velocity for note in piano.notes}
    assert 0 < velocity[64] < velocity[60] <= 1


def test_stems_in_which_nothing_plays_give_no_instrument(models: Path, record: Record) -> None:
    noise = np.random.default_rng(0).normal(0, 3e-4, 3 * RATE).astype(np.float32)
    stems = {
        "vocal": record("vocal", np.zeros(3 * RATE, np.float32)),
        "other": record("other", noise),
        "drums": record("drums", noise),
    }
    assert transcribe(stems, models=models, threads=1, progress=silent) == []


def test_loud_noise_and_a_click_track_are_neither_a_voice_nor_a_bass(models: Path, record: Record) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 8 * RATE).astype(np.float32)
    clicks = np.zeros(8 * RATE, np.float32)
    clicks[:: RATE // 2] = 0.8
    for name, samples in (("noise", noise), ("clicks", clicks)):
        path = record(name, samples)
        assert transcribe({"vocal": path, "bass": path}, models=models, threads=1, progress=silent) == []


def test_a_bass_whose_harmonics_went_to_another_stem_keeps_its_pitch(models: Path, record: Record) -> None:
    line = [(33, 0.2, 0.6), (36, 0.9, 0.6), (40, 1.6, 0.6), (31, 2.3, 0.6)]
    whole = np.fft.rfft(sound(line, 3.2))
    hertz = np.fft.rfftfreq(round(3.2 * RATE), 1 / RATE)
    low, high = (np.fft.irfft(whole * band).astype(np.float32) for band in (hertz < 180, hertz >= 180))
    stems = {"bass": record("bass", low), "other": record("other", high)}
    heard = transcribe(stems, models=models, threads=1, progress=silent)
    bass = next(instrument for instrument in heard if instrument.name == "Electric Bass (finger)")
    assert [note.pitch for note in bass.notes] == [33, 36, 40, 31]


def test_a_few_faint_notes_beside_a_loud_stem_are_leakage(models: Path, record: Record) -> None:
    piano = record("other", sound([(60, 0.1 + 0.6 * index, 0.5) for index in range(20)], 12.5))
    leaked = record("vocal", 0.08 * sound([(64, 3.0, 0.3)], 12.5))
    heard = transcribe({"vocal": leaked, "other": piano}, models=models, threads=1, progress=silent)
    assert [instrument.name for instrument in heard] == ["Acoustic Grand Piano"]
    alone = transcribe({"vocal": leaked}, models=models, threads=1, progress=silent)
    assert [instrument.name for instrument in alone] == ["Voice Oohs"]


def test_a_file_of_one_sample_gives_no_instrument(models: Path, record: Record) -> None:
    path = record("other", np.full(1, 0.5, np.float32))
    assert transcribe({"other": path, "drums": path}, models=models, threads=1, progress=silent) == []


def test_progress_rises_to_one_and_names_the_stems(models: Path, record: Record) -> None:
    told: list[tuple[float, str]] = []
    path = record("vocal", sound([(60, 0.2, 0.5)], 30.0))
    transcribe(
        {"vocal": path, "drums": path},
        models=models,
        threads=1,
        progress=lambda fraction, stage: told.append((fraction, stage)),
    )
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert 0 < fractions[0] < 0.5
    assert list(dict.fromkeys(stage for _, stage in told)) == ["tuning", "vocal", "drums"]
