"""The folder that trainings read: what is saved is loaded, cropped to the sample, and appears whole."""

from pathlib import Path

import numpy as np
import pytest
from training.material import corpus
from training.material.corpus import RATE, Info, Note, Part

PART = Part("bass_finger", "bass", "bass_finger", 33, "string bass_finger", "bass_finger.flac")
INFO = Info(
    "v1-000001",
    "rock",
    7,
    1,
    120.0,
    (6, 8),
    "A minor",
    3.0,
    -12.5,
    ((0.1, 1), (0.6, 2)),
    ((0.1, "Am"),),
    ((0.1, "A"),),
    (PART,),
)
NOTES = {"bass_finger": [Note(1.0, 2.0, 33, 0.5), Note(0.1, 0.9, 28, 0.9)]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ramp = np.linspace(-0.9, 0.9, 3 * RATE, dtype=np.float32)
    stem = np.stack([ramp, -ramp], axis=1)
    return corpus.save(tmp_path, "train", INFO, {"bass_finger": stem}, NOTES)


def test_a_saved_piece_is_loaded_as_it_was(tmp_path: Path, folder: Path) -> None:
    (piece,) = corpus.load_all(tmp_path, "train")
    assert piece.folder == folder
    assert piece.info == INFO
    assert piece.notes["bass_finger"] == tuple(sorted(NOTES["bass_finger"]))


@pytest.mark.parametrize("start", [0.0, 0.01, 0.7, 1.234])
def test_a_crop_is_the_same_stretch_of_the_whole_to_the_sample(folder: Path, start: float) -> None:
    piece = corpus.load(folder)
    whole = piece.stem(PART)
    first = round(start * RATE)
    assert np.array_equal(piece.stem(PART, start, 0.5), whole[first : first + RATE // 2])


def test_a_crop_beyond_the_end_is_filled_with_silence(folder: Path) -> None:
    sound = corpus.load(folder).stem(PART, 2.5, 1.0)
    assert sound.shape == (RATE, 2)
    assert sound[: RATE // 2].any() and not sound[RATE // 2 + 8 :].any()


def test_the_notes_of_a_crop_are_cut_at_its_borders(folder: Path) -> None:
    first, second = corpus.load(folder).notes_within("bass_finger", 0.5, 1.0)
    assert (first.start, first.pitch, round(first.end, 6)) == (0.0, 28, 0.4)
    assert second == Note(0.5, 1.0, 33, 0.5)


def test_a_piece_that_is_still_written_is_not_seen(tmp_path: Path, folder: Path) -> None:
    folder.rename(folder.with_name(".v1-000001"))
    assert corpus.pieces(tmp_path, "train") == []
