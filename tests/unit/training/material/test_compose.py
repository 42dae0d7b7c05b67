"""Songs as they are composed: every style can be played, and what is written holds together."""

from itertools import pairwise

import numpy as np
import pytest
from training.material import theory
from training.material.bars import Bar, Player, spans
from training.material.compose import FIGURES, compose, released
from training.material.corpus import Note
from training.material.instruments import CLASSES
from training.material.styles import STYLES, Style
from training.material.theory import Chord, Key


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_every_style_becomes_songs_whose_notes_lie_within_them(style: Style) -> None:
    for seed in range(3):
        song = compose(seed, style)
        assert song.voices
        assert 25 < song.duration < 75
        for voice in song.voices:
            assert all(0 <= note.start < note.end <= song.duration for note in voice.notes)
            assert all(0 < note.velocity <= 1 and 0 < note.pitch < 128 for note in voice.notes)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_beats_go_round_the_bar_and_never_back(style: Style) -> None:
    song = compose(5, style)
    per_bar = max(place for _, place in song.beats)
    assert all(after == before % per_bar + 1 for (_, before), (_, after) in pairwise(song.beats))
    assert all(before < after for (before, _), (after, _) in pairwise(song.beats))


def test_the_same_seed_gives_the_same_song() -> None:
    assert compose(17) == compose(17)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_styles_name_only_classes_and_figures_that_exist(style: Style) -> None:
    figures = {*FIGURES, "harmony", "riff"}
    for slot in style.slots:
        assert set(slot.classes.split()) <= set(CLASSES)
        assert {name for word in slot.figures.split() for name in word.split("+")} <= figures


def test_a_key_is_let_go_before_it_is_struck_again() -> None:
    notes = released([Note(0.0, 2.0, 60, 0.5), Note(1.0, 1.5, 60, 0.5), Note(0.5, 3.0, 64, 0.5)], 2.5)
    assert [(note.start, note.pitch) for note in notes] == [(0.0, 60), (0.5, 64), (1.0, 60)]
    assert notes[0].end < 1.0 and notes[1].end < 2.5


def test_chords_are_named_as_musicians_do() -> None:
    key = Key(9, "minor")
    assert Chord(9, (0, 3, 7), 9).name(key) == "Am"
    assert Chord(5, (0, 4, 7, 11), 9).name(key) == "Fmaj7/A"
    assert Key(9, "minor").name == "A minor" and Key(10, "mixolydian").name == "Bb major"


def test_a_walking_bass_leads_to_the_next_chord() -> None:
    key = Key(0, "major")
    bar = Bar(Chord(2, (0, 3, 7, 10), 2), Chord(7, (0, 4, 7, 10), 7), key, 4, 3)
    for seed in range(20):
        strokes = FIGURES["bass_walking"](np.random.default_rng(seed), bar, Player(28, 55, 0.5))
        assert len([stroke for stroke in strokes if stroke.step % 3 == 0]) == 4
        assert min((strokes[-1].pitch - 7) % 12, (7 - strokes[-1].pitch) % 12) <= 2


def test_a_voicing_stays_near_the_last_hand() -> None:
    first = theory.voicing(Chord(0, (0, 4, 7), 0), 48, 84, voices=3)
    second = theory.voicing(Chord(5, (0, 4, 7), 5), 48, 84, near=first, voices=3)
    assert abs(np.mean(first) - np.mean(second)) < 4


def test_strokes_last_until_the_next_and_a_bar_without_any_is_silent() -> None:
    assert spans([0, 4, 6], 8, held=1.0) == [(0, 4.0), (4, 2.0), (6, 2.0)]
    assert spans([], 8) == []
