"""What a note sounds like."""

import numpy as np
import pytest
from training.material.instruments import CLASSES
from training.transcription.bank import UNPITCHED
from training.transcription.timbre import BEFORE, FRAMES, HARMONICS, INSTRUMENTS, MAPS, instrument, patches

from antiphon.music.transcription.levels import SAMPLE_RATE, levels, reference, scaled

PITCHED = {name: one for name, one in CLASSES.items() if one.family not in UNPITCHED}


def test_every_pitched_class_of_the_material_is_an_instrument() -> None:
    named = {INSTRUMENTS[instrument(name, one.family)] for name, one in PITCHED.items()}
    assert named == set(INSTRUMENTS)


@pytest.mark.parametrize("pitch", [33, 57, 81])
def test_a_patch_shows_which_harmonics_a_note_has_and_when_it_begins(pitch: int) -> None:
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    odd = sum(np.sin(2 * np.pi * hertz * order * time) for order in (1, 3, 5)) * (time >= 1)
    sound = np.asarray(odd, np.float32)
    patch, place = patches(scaled(levels(sound), reference(sound)), [1.0], [pitch])
    assert patch.shape == (1, MAPS, FRAMES, HARMONICS)
    assert place[0] == pytest.approx((pitch - 21) / 88)
    later = patch[0, 0, -3]
    assert later[[0, 2, 4]].min() > 0.95
    assert later[[1, 3, 5]].max() < 0.8
    assert patch[0, 1, BEFORE + 6, 0] > patch[0, 1, 0, 0] + 0.2


def test_notes_at_the_edges_of_a_sound_have_whole_patches() -> None:
    level = np.random.default_rng(0).random((2, 50, 300), np.float32)
    patch, _ = patches(level, [0.0, 0.5, 9.0], [108, 21, 60])
    assert patch.shape == (3, MAPS, FRAMES, HARMONICS)
    assert np.isfinite(patch).all() and patch.min() >= 0
