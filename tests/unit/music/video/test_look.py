from typing import get_args

import pytest

from antiphon.contract import kinds
from antiphon.errors import BadParameter
from antiphon.music.video.look import ASPECTS, FRAME_RATES, RESOLUTIONS, VideoLook, themes


def test_a_look_left_to_itself_is_bars_in_1280_by_720_at_30_frames() -> None:
    look = VideoLook()
    assert (look.theme, look.width, look.height, look.fps) == ("bars", 1280, 720, 30)


@pytest.mark.parametrize(
    ("aspect", "resolution", "size"),
    [
        ("16:9", "720p", (1280, 720)),
        ("16:9", "1080p", (1920, 1080)),
        ("9:16", "720p", (720, 1280)),
        ("9:16", "1080p", (1080, 1920)),
        ("1:1", "720p", (720, 720)),
        ("1:1", "1080p", (1080, 1080)),
    ],
)
def test_the_resolution_is_the_short_side_and_the_aspect_gives_the_other(
    aspect: str, resolution: str, size: tuple[int, int]
) -> None:
    look = VideoLook(aspect=aspect, resolution=resolution)
    assert (look.width, look.height) == size


def test_every_size_is_even_for_the_colours_are_sampled_by_two() -> None:
    looks = [VideoLook(aspect=aspect, resolution=resolution) for aspect in ASPECTS for resolution in RESOLUTIONS]
    assert not any(look.width % 2 or look.height % 2 for look in looks)


def test_a_request_may_choose_what_the_engine_has() -> None:
    assert sorted(get_args(kinds.ThemeName)) == list(themes())
    assert set(get_args(kinds.Aspect)) == set(ASPECTS)
    assert set(get_args(kinds.Resolution)) == set(RESOLUTIONS)
    assert get_args(kinds.FrameRate) == FRAME_RATES


def test_themes_are_found_by_their_folders() -> None:
    assert "bars" in themes()


@pytest.mark.parametrize(
    ("field", "value"), [("theme", "stars"), ("aspect", "4:3"), ("resolution", "480p"), ("fps", 25)]
)
def test_an_unknown_choice_is_named_with_what_there_is(field: str, value: object) -> None:
    with pytest.raises(BadParameter, match=rf"^{field}: expected one of .*, not {value!r}"):
        VideoLook(**{field: value})  # type: ignore[arg-type]
