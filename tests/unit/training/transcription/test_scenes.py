"""Scenes out of pieces: what sounds in them is what the network is asked for."""

from pathlib import Path

import numpy as np
import pytest
from training.material.corpus import RATE, Info, Note, Part, load, save
from training.transcription import bank, scenes
from training.transcription.bank import END, OFFSET, ONSET, PITCH, Recording, recordings, store
from training.transcription.material import FRAMES, Material
from training.transcription.targets import audible, targets

from antiphon.music.transcription.levels import HOP, SAMPLE_RATE, levels, reference

SECONDS = 8.0
PARTS = (("drums", "drums"), ("bass_finger", "bass"), ("piano", "keyboard"), ("flute", "woodwinds"))


def plucked(notes: list[Note], loudness: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Notes of a few harmonics that die away by 60 dB a second, as stereo."""
    sound = np.zeros(round(SECONDS * RATE))
    for note in notes:
        time = np.arange(round((note.end - note.start) * RATE)) / RATE
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        wave = sum(np.sin(2 * np.pi * hertz * order * time) / order for order in (1, 2, 3, 4))
        first = round(note.start * RATE)
        sound[first : first + len(time)] += loudness * note.velocity * wave * 10 ** (-3 * time)
    return np.repeat(sound[:, None], 2, axis=1).astype(np.float32)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    notes = {
        "drums": [Note(0.5 * beat, 0.5 * beat + 0.1, 36, 0.8) for beat in range(15)],
        "bass_finger": [Note(0.5 + 0.5 * beat, 0.9 + 0.5 * beat, 40 + beat, 0.8) for beat in range(12)],
        "piano": [Note(0.5 + beat, 1.4 + beat, 60 + beat, 0.5) for beat in range(6)],
        "flute": [Note(0.75 + beat, 1.2 + beat, 79, 0.6) for beat in range(6)],
    }
    noise = np.random.default_rng(0).normal(0, 0.05, (round(SECONDS * RATE), 2)).astype(np.float32)
    stems = {name: plucked(notes[name], 0.1) for name, _ in PARTS if name != "drums"} | {"drums": noise}
    parts = tuple(Part(name, family, name, 0, "test", f"{name}.flac") for name, family in PARTS)
    info = Info("piece", "test", 0, 1, 120, (4, 4), "C major", SECONDS, 20.0, (), (), (), parts)
    store(tmp_path / "bank", load(save(tmp_path, "train", info, stems, notes)), {})
    (kept,) = recordings(tmp_path / "bank", set())
    return kept


def test_the_bank_keeps_parts_and_notes(recording: Recording) -> None:
    assert recording.families == tuple(family for _, family in PARTS)
    assert recording.seconds == pytest.approx(SECONDS, abs=0.01)
    assert [len(table) for table in recording.notes] == [0, 12, 6, 6]
    assert recording.separated("other") is None


def test_the_level_of_a_note_is_that_of_its_part(recording: Recording) -> None:
    first = recording.notes[2][0]
    around = levels(recording.cut(2, 0, 2 * SAMPLE_RATE))[0, round(0.5 * SAMPLE_RATE / HOP) :, (60 - 21) * 3 + 1]
    assert first[bank.LEVELS][0] == pytest.approx(float(around[:17].max()), abs=0.5)


def test_a_note_has_died_away_before_its_key_is_let_go(recording: Recording) -> None:
    first = recording.notes[2][0]
    assert first[ONSET] + 0.5 < first[END] < first[OFFSET]


@pytest.mark.parametrize("kind", list(scenes.SCENES))
def test_every_kind_of_scene_has_its_length_and_notes_of_the_piece(recording: Recording, kind: str) -> None:
    kinds: set[str] = set()
    for seed in range(60):
        scene = scenes.compose(np.random.default_rng(seed), [recording], FRAMES)
        kinds.add(scene.kind)
        assert len(scene.samples) == (FRAMES - 1) * HOP + 1 + 2 * scenes.MARGIN_SAMPLES
        assert np.isfinite(scene.samples).all()
        if scene.kind == "nothing":
            assert not len(scene.notes)
    assert kind in kinds or kind == "separated"  # which needs a separation


def test_what_a_scene_asks_for_sounds_where_it_says(recording: Recording) -> None:
    checked = 0
    for seed in range(40):
        scene = scenes.compose(np.random.default_rng(seed), [recording], FRAMES)
        if scene.kind != "solo":
            continue
        level = levels(scene.plain)[0]
        for note in scene.notes[(scene.notes[:, ONSET] > 0.2) & (scene.notes[:, ONSET] < 4.5)]:
            frame = round((float(note[ONSET]) * SAMPLE_RATE + scenes.MARGIN_SAMPLES) / HOP)
            column = round(note[PITCH] - 21) * 3 + 1
            assert level[frame : frame + 17, column - 1 : column + 2].max() == pytest.approx(
                note[bank.LEVELS][0], abs=6
            )
            checked += 1
    assert checked > 20


def test_a_note_that_a_louder_one_covers_is_left_open(recording: Recording) -> None:
    notes = recording.notes[2][:1].copy()
    alone = recording.cut(2, 0, 3 * SAMPLE_RATE)
    covered = alone + np.random.default_rng(1).normal(0, 10, len(alone)).astype(np.float32)
    for sound, heard in ((alone, True), (covered, False)):
        sure = audible(notes, levels(sound)[0], reference(sound))
        assert sure.tolist() == [heard]
        made = targets(notes, sure, notes[:0], 100)
        step, column = round(0.5 * SAMPLE_RATE / HOP / 2), 60 - 21
        assert made.onset[step, column] == pytest.approx(1 if heard else 0, abs=0.2)
        assert made.onset_weight[step, column] == float(heard)
        assert made.frame_weight[step + 3, column] == float(heard)
        assert made.frame_weight[step + 36, column] == 0  # died away, and the key still down


def test_a_batch_has_levels_and_targets_of_its_scenes(recording: Recording, tmp_path: Path) -> None:
    levels_, wanted = Material(tmp_path / "bank").batch(np.random.default_rng(0), 6)
    assert levels_.shape == (6, 2, FRAMES, 300)
    assert wanted.shape == (6, 6, FRAMES // 2, 88)
    assert levels_.min() >= 0 and levels_.max() < 1.6
    assert wanted[:, 0].max() > 0.7
