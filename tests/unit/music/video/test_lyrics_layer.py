"""Lyrics as they are seen."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.music.video.scenes import LYRICS, scene

from antiphon.music.video.look import ASPECTS, VideoLook, themes
from antiphon.music.video.lyrics_layer import sung_region
from antiphon.music.video.scene import Scene
from antiphon.music.video.theme import load

pytestmark = pytest.mark.slow

FPS = 30


def words_at(shown: Scene, seconds: float, look: VideoLook = VideoLook()) -> NDArray[np.int16]:
    """How much brighter the lyrics' pixels are than the same without lyrics at all."""
    region = sung_region(load(look, lyrics=True))
    area = slice(region.y, region.y + region.height), slice(region.x, region.x + region.width)
    frame = shown.paint(shown.canvas(), round(seconds * FPS)).y[area].astype(np.int16)
    beneath = shown.paint(shown.canvas(), 29 * FPS).y[area].astype(np.int16)
    return np.asarray(np.abs(frame - beneath), np.int16)


def rows_of_text(words: NDArray[np.int16]) -> list[tuple[int, int]]:
    """The runs of pixel rows with text in them."""
    inked = np.flatnonzero((words > 50).any(axis=1))
    parts = np.split(inked, np.flatnonzero(np.diff(inked) > 3) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def test_the_current_line_is_large_and_bright_and_the_next_small_and_dim() -> None:
    words = words_at(scene(lyrics=LYRICS), 4.5)
    (top, bottom), *following = rows_of_text(words)
    assert bottom - top > 35
    assert words[top:bottom].max() > 170
    assert all(end - start < 30 and words[start:end].max() < 130 for start, end in following)


def test_words_are_filled_as_they_are_sung() -> None:
    shown = scene(lyrics=LYRICS)
    bright = []
    for seconds in (2.4, 3.5, 4.3, 4.7):
        words = words_at(shown, seconds)
        top, bottom = rows_of_text(words)[0]
        columns = np.flatnonzero((words[top:bottom] > 150).any(axis=0))
        bright.append(int(columns[-1]))
    assert bright == sorted(set(bright))
    inked = np.flatnonzero((words_at(shown, 4.7)[top:bottom] > 50).any(axis=0))
    assert 0.8 < (bright[-1] - inked[0]) / (inked[-1] - inked[0]) < 0.98


def test_a_line_without_word_times_is_bright_at_once() -> None:
    words = words_at(scene(lyrics="[00:02]Over the water\n[00:15]And back"), 2.6)
    top, bottom = rows_of_text(words)[0]
    left, right = np.flatnonzero((words[top:bottom] > 50).any(axis=0))[[0, -1]]
    assert words[top:bottom, right - 12 : right].max() > 170
    assert words[top:bottom, left : left + 12].max() > 170


def test_nothing_is_shown_long_before_and_after_what_is_sung() -> None:
    shown = scene(lyrics="[00:15]Late\n[00:17]\n")
    assert [bool((words_at(shown, seconds) > 30).any()) for seconds in (2, 11, 16, 18)] == [False, True, True, False]


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("name", themes())
def test_lines_of_any_length_stay_inside_their_place(name: str, aspect: str) -> None:
    look = VideoLook(name, aspect)
    given = "\n".join(f"[00:0{2 * i}]{line}" for i, line in enumerate(["la " * 60, "W" * 90, "x", "short " * 9]))
    shown = scene(look, lyrics=given)
    for seconds in (1, 3, 5, 7.5):
        words = words_at(shown, seconds, look) > 60
        assert words.any()
        assert not words[:, :2].any()
        assert not words[:, -2:].any()
        assert not words[:1].any()
        assert not words[-1:].any()


def test_lines_from_right_to_left_are_filled_from_the_right() -> None:
    shown = scene(lyrics="[00:02]<00:02>שלום <00:04>לך <00:06>עולם\n[00:15]x")
    words = words_at(shown, 3.9)
    rows = rows_of_text(words)
    if not rows:
        pytest.skip("no Hebrew font on this machine")
    top, bottom = rows[0]
    inked = np.flatnonzero((words[top:bottom] > 50).any(axis=0))
    middle = (inked[0] + inked[-1]) // 2
    assert words[top:bottom, middle:].max() > words[top:bottom, : middle - 20].max() + 40


def columns_of_text(words: NDArray[np.int16]) -> tuple[int, int]:
    """The first and last pixel column with text in it."""
    left, right = np.flatnonzero((words > 50).any(axis=0))[[0, -1]]
    return int(left), int(right)


def test_the_singers_of_a_duet_stand_on_their_own_sides_and_both_in_the_middle() -> None:
    shown = scene(lyrics="[00:02]v1: You call\n[00:05]\n[00:12]v2: I hear\n[00:15]\n[00:22]D: We sing\n[00:25]")
    region = sung_region(load(VideoLook(), lyrics=True))
    sides = []
    for seconds in (3.5, 13.5, 23.5):
        words = words_at(shown, seconds)
        sides.append(columns_of_text(words[slice(*rows_of_text(words)[0])]))
    margins = [(left, region.width - right) for left, right in sides]
    assert margins[0][0] < 0.05 * region.width < margins[0][1]
    assert margins[1][1] < 0.05 * region.width < margins[1][0]
    assert abs(margins[2][0] - margins[2][1]) < 0.05 * region.width


def test_background_voices_stand_below_their_line_until_the_next_one() -> None:
    shown = scene(lyrics="[00:02]Over the water\n[bg:ooh, over]\n[00:06]And back\n[00:09]")
    with_them, without = (len(rows_of_text(words_at(shown, seconds))) for seconds in (3.5, 7.5))
    assert (with_them, without) == (2, 1)


def test_a_line_from_right_to_left_stands_on_the_right() -> None:
    left, right = columns_of_text(words_at(scene(lyrics="[00:02]שלום עולם\n[00:06]"), 3.5))
    assert right > sung_region(load(VideoLook(), lyrics=True)).width * 0.95 and left > 0.3 * right


def test_lyrics_without_times_scroll_evenly_and_no_line_is_marked() -> None:
    shown = scene(lyrics="\n".join(f"Line of a song number {number}" for number in range(12)))
    assert len(rows_of_text(words_at(shown, 0.05))) == 0
    tops = []
    for seconds in (12.0, 12.5, 13.0):
        words = words_at(shown, seconds)
        rows = [row for row in rows_of_text(words) if words[slice(*row)].max() > 120]
        assert len(rows) >= 2
        tops.append(rows[0][0])
    steps = np.diff(tops)
    assert (steps < 0).any()
