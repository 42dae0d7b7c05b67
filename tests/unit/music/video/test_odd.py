"""Odd songs, odd covers, odd words: each gives a video, or a reason in words."""

from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.unit.music.sounds import RATE, Samples, noise, save

from antiphon.errors import BadParameter
from antiphon.music.video import VideoContent, VideoLook, render, still
from antiphon.music.video.look import ASPECTS, themes

pytestmark = pytest.mark.slow


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(container.streams.video[0]))


@pytest.mark.parametrize(("theme", "aspect"), list(product(themes(), ASPECTS)))
def test_a_fifth_of_a_second_is_enough_in_every_theme_and_shape(tmp_path: Path, theme: str, aspect: str) -> None:
    song, out = save(tmp_path / "song.wav", noise(0.2), "wav"), tmp_path / "video.mp4"
    look = VideoLook(theme, aspect)
    made = render(song, out, VideoContent("Short", author="Zoë", domain="example.org", lyrics="La\nla", look=look))
    assert (made.frames, frames_of(out)) == (6, 6)
    assert (made.width, made.height) == (look.width, look.height)
    assert made.duration == pytest.approx(0.2)


@pytest.mark.parametrize(("theme", "aspect"), list(product(themes(), ASPECTS)))
def test_every_theme_and_shape_can_be_had_in_1080p(tmp_path: Path, theme: str, aspect: str) -> None:
    song, look = save(tmp_path / "song.wav", noise(0.2), "wav"), VideoLook(theme, aspect, "1080p", 60)
    assert still(song, VideoContent("Large", lyrics="La\nla", look=look), at=0.1).picture.size == (
        look.width,
        look.height,
    )


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((RATE // 2, 2), np.float32),
        noise(0.5, channels=1),
        noise(0.5, rate=8_000, channels=1),
        np.full((RATE // 2, 2), 1.0, np.float32),
        np.concatenate([np.zeros((RATE // 2, 2), np.float32), noise(0.5)]),
    ],
    ids=["silence", "mono", "telephone", "full scale", "late start"],
)
def test_sound_of_any_kind_gives_a_video_of_its_length(tmp_path: Path, samples: Samples) -> None:
    rate = 8_000 if len(samples) == 4_000 else RATE
    song, out = save(tmp_path / "song.wav", samples, "wav", rate), tmp_path / "video.mp4"
    made = render(song, out, VideoContent("Odd"))
    assert made.duration == pytest.approx(len(samples) / rate, abs=0.01)
    assert frames_of(out) == made.frames == round(30 * made.duration)


RED, GREY, WHITE = (200, 30, 40), (128, 128, 128), (244, 244, 246)
COVERS: dict[str, tuple[Image.Image, tuple[int, int, int]]] = {
    "single pixel.png": (Image.new("RGB", (1, 1), RED), RED),
    "narrow.png": (Image.new("RGB", (3000, 3), RED), RED),
    "cmyk.jpg": (Image.new("RGB", (80, 80), RED).convert("CMYK"), RED),
    "animated.gif": (Image.new("RGB", (80, 80), RED), RED),
    "animated.webp": (Image.new("RGB", (80, 80), RED), RED),
    "grey.png": (Image.new("L", (80, 80), 128), GREY),
    "transparent.png": (Image.new("RGBA", (80, 80), (0, 0, 0, 0)), WHITE),
}


@pytest.mark.parametrize("name", COVERS)
def test_covers_of_any_kind_are_shown(tmp_path: Path, name: str) -> None:
    song, cover = save(tmp_path / "song.wav", noise(0.2), "wav"), tmp_path / name
    picture, colour = COVERS[name]
    more = {"save_all": True, "append_images": [Image.new("RGB", (80, 80))]} if name.startswith("animated") else {}
    picture.save(cover, **more)  # type: ignore[arg-type]
    shown = np.asarray(still(song, VideoContent("Odd", cover=cover), at=0.1).picture, int)
    assert (np.abs(shown - colour).max(axis=2) < 14).sum() > 20_000


def test_a_cover_that_breaks_off_is_refused_by_its_name(tmp_path: Path) -> None:
    song = save(tmp_path / "song.wav", noise(0.2), "wav")
    Image.effect_noise((300, 300), 80).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cover.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadParameter, match="'cover' is not a picture that can be read"):
        render(song, tmp_path / "video.mp4", VideoContent("Odd", cover=tmp_path / "cover.png"))
    assert not (tmp_path / "video.mp4").exists()


def test_lyrics_with_bad_times_are_shown_and_told_in_the_warnings(tmp_path: Path) -> None:
    song = save(tmp_path / "song.wav", noise(0.4), "wav")
    lyrics = "[offset:soon]\n[00:00.30]b\n[00:00.10]a\n[aa:bb]c\n[-00:01.00]d\n[99:99.99]e"
    made = render(song, tmp_path / "video.mp4", VideoContent("Odd", lyrics=lyrics))
    told = "\n".join(made.warnings)
    for named in (
        "line 1: an offset",
        "line 4: no time",
        "line 5: a time before",
        "6: a time after",
        "lines 3, 5: an earl",
    ):
        assert named in told


@pytest.mark.parametrize("lyrics", ["\n\n", "[ti:x]", "la" * 50_000, "字" * 900, "\u202eabc", "🎸🎸🎸"])
def test_no_lyrics_hold_a_video_up(tmp_path: Path, lyrics: str) -> None:
    song = save(tmp_path / "song.wav", noise(0.4), "wav")
    made = render(song, tmp_path / "video.mp4", VideoContent("Odd", lyrics=lyrics))
    assert made.frames == 12


def test_sixty_frames_a_second_are_sixty(tmp_path: Path) -> None:
    song = save(tmp_path / "song.wav", noise(0.5), "wav")
    assert render(song, tmp_path / "video.mp4", VideoContent("Odd", look=VideoLook(fps=60))).frames == 30
    with av.open(str(tmp_path / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 60
        assert [round(float(frame.time or 0) * 60) for frame in container.decode(stream)] == list(range(30))
