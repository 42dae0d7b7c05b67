"""Themes as designers write them: what is read from the folder, and what is said about one that lacks something."""

import re
from importlib.resources import files
from itertools import product
from xml.etree import ElementTree

import pytest

from antiphon.music.video import look as looks
from antiphon.music.video.look import ASPECTS, Look, themes
from antiphon.music.video.theme import LAYERS, PLACES, WITH_LYRICS, Region, load

ALL = [Look(theme, aspect) for theme, aspect in product(themes(), ASPECTS)]
WHOLE = Region(0, 0, 720, 720)


def template(look: Look) -> str:
    folder = files(looks.__package__ or "") / "themes" / look.theme
    return folder.joinpath(f"{look.aspect.replace(':', 'x')}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("look", ALL, ids=str)
def test_a_template_is_a_drawing_of_the_frame_s_shape(look: Look) -> None:
    root = ElementTree.fromstring(template(look))
    assert (int(root.attrib["width"]), int(root.attrib["height"])) == (look.width, look.height)
    assert root.attrib["viewBox"] == f"0 0 {look.width} {look.height}"


@pytest.mark.parametrize("look", ALL, ids=str)
@pytest.mark.parametrize("lyrics", [False, True])
def test_every_place_is_inside_the_frame(look: Look, lyrics: bool) -> None:
    theme = load(look, lyrics=lyrics)
    for name in PLACES:
        place = theme.places[name]
        assert place.width > 0 and place.height > 0
        assert place.x >= 0 and place.x + place.width <= look.width
        assert place.y >= 0 and place.y + place.height <= look.height


def test_what_is_for_lyrics_stands_in_for_the_other_only_where_there_are_some() -> None:
    look = Look("bars", "1:1")
    plain, sung = load(look), load(look, lyrics=True)
    assert sung.places["cover"].width < plain.places["cover"].width
    assert sung.texts["title"].size < plain.texts["title"].size
    for theme in (plain, sung):
        ids = [element.get("id", "") for element in theme.root.iter()]
        assert len([name for name in ids if name]) == len({name for name in ids if name})
        assert not [
            name for name in ids if name.endswith(WITH_LYRICS) and name.startswith(("cover", "title", "shadow"))
        ]


def test_a_layer_holds_its_own_group_alone_and_the_texts_that_belong_there() -> None:
    theme = load(Look("wave", "1:1"))
    for name in LAYERS:
        drawing = theme.layer(name, {"title": "<text>Sea &amp; me</text>"}, WHOLE)
        groups = re.findall(r'<g id="(still|halo|ink|places)"', drawing)
        assert groups == [name]
        assert ("Sea &amp; me" in drawing) == (name == "still")


def test_every_reference_in_a_template_leads_somewhere() -> None:
    for look, lyrics in product(ALL, (False, True)):
        drawing = ElementTree.tostring(load(look, lyrics=lyrics).root, encoding="unicode")
        assert set(re.findall(r"url\(#([^)]+)\)", drawing)) <= set(re.findall(r' id="([^"]+)"', drawing))
