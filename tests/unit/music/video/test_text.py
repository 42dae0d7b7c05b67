"""Words of all kinds, set so that they fit and so that no box is drawn."""

import re

import pytest

from antiphon.music.video import setting, text
from antiphon.music.video.fonts import face_for, inter
from antiphon.music.video.look import ASPECTS, VideoLook, themes
from antiphon.music.video.theme import Theme, load

pytestmark = pytest.mark.slow

THEME = load()
HAS_CJK = face_for("音") is not None
ROOM = {"title": "heading", "author": "heading", "domain": "mark"}


def set_in(name: str, given: str, theme: Theme = THEME) -> text.Block:
    place = theme.places[ROOM[name]]
    return setting.set_in(given, theme.texts[name], place.width, place.height)


def widest(block: text.Block) -> float:
    return max(block.widths) * block.size


def shown(block: text.Block) -> list[str]:
    return ["".join(run.text for run in line) for line in block.lines]


def test_control_characters_are_removed_and_spaces_joined() -> None:
    assert text.clean(" a\x00b\r\n\t c\u200b\u202e\ud800 d ") == "a b c d"
    assert text.clean(None) == ""


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert text.clean("Cafe\u0301") == "Café"


def test_emoji_are_left_out_and_named() -> None:
    drawn = text.drawable("Sun 🌞🌞 and 👩‍🚀 moon ❤️")
    assert drawn.text.startswith("Sun and moon")
    assert "🌞" in drawn.dropped
    assert len(drawn.dropped) == len(set(drawn.dropped))
    assert "\ufe0f" not in drawn.text
    assert "\u200d" not in drawn.text


def test_latin_greek_and_cyrillic_need_nothing_but_inter() -> None:
    drawn = text.drawable("Ångström Ωμέγα Жуков ½ € №")
    assert drawn.dropped == ()
    assert {run.family for line in set_in("author", drawn.text).lines for run in line} == {inter().family}


@pytest.mark.skipif(not HAS_CJK, reason="no CJK font on this machine")
def test_han_takes_the_forms_of_the_language_beside_it() -> None:
    def families(given: str) -> set[str]:
        return {run.family for line in set_in("title", given).lines for run in line}

    assert any(family.endswith("JP") for family in families("夜のうた"))
    assert any(family.endswith("SC") for family in families("夜晚"))


@pytest.mark.parametrize("lyrics", [False, True])
@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", themes())
def test_fifty_characters_of_author_and_domain_always_fit_whole(name: str, aspect: str, lyrics: bool) -> None:
    theme = load(VideoLook(name, aspect), lyrics=lyrics)
    for letter in ("W", "i", "m", "Ж", "—", "@"):
        for field in ("author", "domain"):
            block = set_in(field, letter * 50, theme)
            assert "".join(shown(block)) == letter * 50
            assert widest(block) <= theme.places[ROOM[field]].width
            assert setting.height(block, theme.texts[field]) <= theme.places[ROOM[field]].height * 1.05


@pytest.mark.parametrize("lyrics", [False, True])
@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", themes())
def test_title_and_author_of_any_length_stay_in_their_place(name: str, aspect: str, lyrics: bool) -> None:
    theme = load(VideoLook(name, aspect), lyrics=lyrics)
    heading = theme.places["heading"]
    for title, author in (("Sea", ""), ("word " * 30, "W" * 50), ("Nocturne", "x"), ("夜" * 40, "m" * 50)):
        words = setting.set_words(theme, setting.Wording(title, author, "", "3:07"))
        drawn = words.elements["title"] + words.elements.get("author", "")
        lowest = max(float(y) for y in re.findall(r' y="([0-9.]+)"', drawn))
        highest = min(
            float(y) - 0.75 * float(size) for y, size in re.findall(r' y="([0-9.]+)".*?font-size="([0-9.]+)"', drawn)
        )
        assert highest >= heading.y - 2
        assert lowest <= heading.y + heading.height + 2


def test_a_short_title_is_large_and_a_long_one_keeps_its_words_whole() -> None:
    assert set_in("title", "Nocturne").size == THEME.texts["title"].size
    long = "The Extraordinary Adventures of a Very Small Boat upon a Very Large and Restless Sea"
    block = set_in("title", long)
    assert " ".join(shown(block)) == long
    assert widest(block) <= THEME.places["heading"].width


def test_a_word_is_broken_only_when_no_size_holds_it() -> None:
    assert shown(set_in("title", "Donaudampfschifffahrtsgesellschaft")) == ["Donaudampfschifffahrtsgesellschaft"]
    assert len(shown(set_in("title", "x" * 100))) > 1


def test_what_does_not_fit_at_all_ends_with_an_ellipsis() -> None:
    block = set_in("title", "word " * 200)
    assert shown(block)[-1].endswith("…")
    assert widest(block) <= THEME.places["heading"].width


def test_no_line_is_left_with_a_single_short_word() -> None:
    first, second = shown(set_in("title", "A Song About the Sea and Me"))
    assert min(len(first), len(second)) > 8


def test_right_to_left_lines_stay_in_one_piece() -> None:
    drawn = text.drawable("שיר חדש")
    block = set_in("title", drawn.text or "x")
    assert all(len(line) == 1 for line in block.lines)


def test_markup_in_a_title_is_shown_not_obeyed() -> None:
    drawing = text.svg(set_in("title", "<b>&amp;</b>"), 0, 0, 1.2, "")
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in drawing
    assert not re.search("<b>", drawing)
