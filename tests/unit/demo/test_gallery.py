"""The contact sheet: what is on it."""

import importlib.util
import sys
from types import ModuleType

import pytest
from tests.paths import DEMO

from antiphon.music.lyrics import parse
from antiphon.music.video.look import ASPECTS, themes


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", DEMO / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module
    spec.loader.exec_module(module)
    return module


def test_every_theme_is_shown_in_every_shape_and_with_lyrics(gallery: ModuleType) -> None:
    shown = [specimen for row in gallery.rows() for specimen in row]
    assert {(one.theme, one.aspect) for one in shown} == {(theme, aspect) for theme in themes() for aspect in ASPECTS}
    assert {one.theme for one in shown if one.lyrics} == set(themes())
    assert any(not one.cover for one in shown) and any(one.cover for one in shown)
    assert max(len(one.author) for one in shown) == max(len(one.domain) for one in shown) == 50


def test_the_song_s_words_are_taken_from_its_midi_file_syllable_by_syllable(gallery: ModuleType) -> None:
    lyrics = parse(gallery.words_of(DEMO / "song.mid"), 53.0)
    assert lyrics.warnings == ()
    assert lyrics.lines[0].text == "Can you hear me now?"
    assert lyrics.lines[1].text == "Calling from the other shore."
    assert all(word.start is not None for line in lyrics.lines for word in line.words)
