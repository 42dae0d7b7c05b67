"""Frames of all themes: what they depend on, what moves in them and how far."""

from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.music.video.scenes import LYRICS, scene, spectrum

from antiphon.music.video.background_layer import RENEWAL_S
from antiphon.music.video.cover_layer import cover_region
from antiphon.music.video.look import ASPECTS, VideoLook, themes
from antiphon.music.video.lyrics_layer import sung_region
from antiphon.music.video.progress_bar import line_region
from antiphon.music.video.scene import Scene
from antiphon.music.video.spectrum import Spectrum
from antiphon.music.video.spectrum_bars import bars_region
from antiphon.music.video.theme import Region, load

pytestmark = pytest.mark.slow

ALL = [VideoLook(theme, aspect) for theme, aspect in product(themes(), ASPECTS)]


def luma(shown: Scene, index: int) -> NDArray[np.int16]:
    return shown.paint(shown.canvas(), index).y.astype(np.int16)


def silent(seconds: float = 30) -> Spectrum:
    made = spectrum(seconds)
    return Spectrum(np.zeros_like(made.levels), np.zeros_like(made.pulse), made.samples)


def overlap(one: Region, other: Region) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


@pytest.mark.parametrize("name", themes())
@pytest.mark.parametrize("lyrics", ["", LYRICS])
def test_a_frame_depends_on_its_index_alone(name: str, lyrics: str) -> None:
    shown = scene(VideoLook(name, "1:1"), lyrics=lyrics)
    canvas = shown.canvas()
    for index in [*range(40), *range(55, 130), 400, *range(360, 372)]:
        painted = shown.paint(canvas, index)
    fresh = shown.paint(shown.canvas(), index)
    assert np.array_equal(painted.buffer, fresh.buffer)


@pytest.mark.parametrize("look", ALL, ids=str)
@pytest.mark.parametrize("lyrics", [False, True])
def test_what_moves_has_a_place_of_its_own(look: VideoLook, lyrics: bool) -> None:
    theme = load(look, lyrics=lyrics)
    line, bars, cover = line_region(theme), bars_region(theme), cover_region(theme)
    regions = [line, bars, *([sung_region(theme)] if lyrics else [])]
    assert not any(overlap(one, other) for number, one in enumerate(regions) for other in regions[number + 1 :])
    assert not overlap(cover, line)
    assert not (lyrics and overlap(cover, sung_region(theme)))


@pytest.mark.parametrize("resolution", ["720p", "1080p"])
def test_a_frame_has_the_size_that_was_asked_for(resolution: str) -> None:
    for aspect, (width, height) in {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}.items():
        shown = scene(VideoLook("bars", aspect, resolution))
        side = {"720p": 720, "1080p": 1080}[resolution] // min(width, height)
        assert shown.still(0).size == (side * width, side * height)


def test_a_larger_picture_shows_the_same() -> None:
    small, large = (scene(VideoLook("circle", "1:1", size)).still(45) for size in ("720p", "1080p"))
    difference = np.abs(np.asarray(small.reduce(8), int) - np.asarray(large.reduce(12), int))
    assert difference.mean() < 2


def test_twice_the_frames_show_the_same_at_the_same_time() -> None:
    once, twice = (scene(VideoLook("bars", "16:9", "720p", fps)).still(fps * 2) for fps in (30, 60))
    assert np.abs(np.asarray(once, int) - np.asarray(twice, int)).mean() < 1


def test_the_background_drifts_but_never_jumps() -> None:
    shown = scene(measured=silent())
    canvas = shown.canvas()
    frames = [shown.paint(canvas, index).y[430:, 440:].astype(int) for index in range(300)]
    steps = [np.abs(after - before)[:150].max() for before, after in pairwise(frames[:60])]
    assert max(steps) <= 4
    far = frames[299][:150] - frames[0][:150]
    assert np.abs(far.mean(axis=0)).max() > 1


def test_all_of_the_background_is_renewed_in_half_a_second() -> None:
    shown = scene(measured=silent())
    rows = sorted(
        (part.start, part.stop) for index in range(round(RENEWAL_S * 30)) for part in shown._ground.renewed(index)
    )
    assert [start for start, _ in rows] == [0, *(stop for _, stop in rows[:-1])]
    assert rows[-1][1] == 720


def test_the_cover_grows_on_a_beat_and_its_light_comes_up() -> None:
    shown = scene()
    beat, rest = luma(shown, 15), luma(shown, 29)
    cover = load().places["cover"]
    x, y, size = int(cover.x), int(cover.y), int(cover.width)
    ring = beat[y - 20 : y + size + 20, x - 20 : x - 7].mean() - rest[y - 20 : y + size + 20, x - 20 : x - 7].mean()
    assert ring > 8
    assert np.abs(beat[y : y + size, x - 5 : x] - rest[y : y + size, x - 5 : x]).mean() > 20


@pytest.mark.parametrize("name", ["circle", "wave"])
def test_themes_that_mirror_are_the_same_on_both_sides(name: str) -> None:
    flat = silent()
    measured = Spectrum(spectrum().levels, flat.pulse, flat.samples)
    look = VideoLook(name, "1:1")
    moved, still = luma(scene(look, measured=measured), 45), luma(scene(look, measured=flat), 45)
    region = bars_region(load(look))
    bars = np.abs(moved - still)[region.y : region.y + region.height, region.x : region.x + region.width] > 40
    if name == "wave":  # its line swells: only how long the bars are is the same
        bars = np.sort(bars, axis=0)
    assert bars.mean() > 0.02
    assert (bars == bars[:, ::-1]).mean() > 0.97


def test_bars_are_as_long_as_their_bands_are_loud() -> None:
    levels = np.zeros((30, 64), np.uint8)
    levels[:, 10], levels[:, 40] = 255, 128
    measured = Spectrum(levels, np.zeros(30, np.uint8), 44_100)
    shown = luma(scene(measured=measured), 20) - luma(scene(measured=silent(1)), 20)
    place = load().places["bars"]
    heights = []
    for band in (10, 25, 40):
        x = int(place.x + (band + 0.5) * place.width / 64)
        heights.append(int((shown[int(place.y) : int(place.y + place.height), x] > 60).sum()))
    assert heights[0] == pytest.approx(place.height - 10, abs=4)
    assert heights[1] == 0
    assert heights[2] == pytest.approx(place.height / 2 - 5, abs=4)
