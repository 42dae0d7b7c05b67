"""Covers from strangers, covers drawn from titles, and the colours taken from both."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from antiphon.errors import BadParameter
from antiphon.music.video import check_cover
from antiphon.music.video.artwork import draw_cover
from antiphon.music.video.cover import open_cover
from antiphon.music.video.palette import contrast, palette_of

pytestmark = pytest.mark.slow

RED = (200, 30, 40)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "CMYK", "RGBA", "LA", "I;16", "YCbCr"])
def test_every_kind_of_pixel_becomes_an_rgb_square(tmp_path: Path, mode: str) -> None:
    name = "cover.jpg" if mode in {"CMYK", "YCbCr"} else "cover.png"
    picture = (
        Image.new("L", (40, 30), 128).convert("I;16")
        if mode == "I;16"
        else Image.new("RGB", (40, 30), RED).convert(mode)
    )
    opened = open_cover(saved(tmp_path / name, picture), 64)
    assert (opened.mode, opened.size) == ("RGB", (64, 64))


def test_colours_survive_cmyk_and_palettes(tmp_path: Path) -> None:
    for mode, name in (("CMYK", "cover.jpg"), ("P", "cover.gif"), ("RGB", "cover.webp")):
        opened = open_cover(saved(tmp_path / name, Image.new("RGB", (40, 40), RED).convert(mode)), 16)
        assert np.abs(np.asarray(opened, int).mean(axis=(0, 1)) - RED).max() < 12


def test_a_colour_profile_is_followed_and_a_broken_one_ignored(tmp_path: Path) -> None:
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, profile in (("good.png", standard), ("bad.png", b"no profile at all")):
        opened = open_cover(saved(tmp_path / name, Image.new("RGB", (20, 20), RED), icc_profile=profile), 16)
        assert np.abs(np.asarray(opened, int) - RED).max() <= 2


def test_a_camera_s_rotation_is_undone(tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 60), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 60, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: what is stored at the top belongs on the right
    opened = np.asarray(open_cover(saved(tmp_path / "cover.jpg", picture, exif=exif), 60).convert("L"))
    assert opened[:, 50:].mean() > 240
    assert opened[:, :10].mean() < 15


def test_a_wide_picture_is_cropped_to_its_middle(tmp_path: Path) -> None:
    picture = Image.new("RGB", (300, 100), (0, 0, 0))
    picture.paste(RED, (100, 0, 200, 100))
    opened = np.asarray(open_cover(saved(tmp_path / "cover.png", picture), 50))
    assert (opened[:, 3:-3] == RED).all()


def test_a_dark_drawing_on_nothing_is_laid_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture.paste((10, 10, 10, 255), (10, 10, 30, 30))
    opened = np.asarray(open_cover(saved(tmp_path / "cover.png", picture), 40).convert("L"))
    assert opened[2, 2] > 230
    assert opened[20, 20] < 20


def test_a_single_pixel_and_an_animation_are_taken(tmp_path: Path) -> None:
    assert open_cover(saved(tmp_path / "one.png", Image.new("RGB", (1, 1), RED)), 32).getpixel((9, 9)) == RED
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    animated = saved(tmp_path / "two.gif", frames[0], save_all=True, append_images=frames[1:])
    pixel = open_cover(animated, 8).getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 150


def test_what_is_no_picture_is_refused_with_a_remedy(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.png", Image.effect_noise((200, 200), 90)).read_bytes()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    for content in (b"", b"not a picture", whole[: len(whole) // 2], svg, postscript):
        path = tmp_path / "cover"
        path.write_bytes(content)
        with pytest.raises(BadParameter, match=r"'cover' is not a picture.*Send a JPEG") as raised:
            check_cover(path)
        assert raised.value.code == 400


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = saved(tmp_path / "cover.png", Image.new("1", (10_001, 10_000)))
    with pytest.raises(BadParameter, match=r"'cover' has too many pixels: at most 100 million"):
        check_cover(path)


def test_a_large_jpeg_is_reduced_while_it_is_decoded(tmp_path: Path) -> None:
    path = saved(tmp_path / "cover.jpg", Image.new("L", (8000, 8000), 90), quality=30)
    assert open_cover(path, 64).size == (64, 64)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "L", "LA", "CMYK", "I;16"])
def test_a_large_picture_is_reduced_to_the_same_colours(tmp_path: Path, mode: str) -> None:
    small = Image.new("L", (50, 50), 128).convert("I;16") if mode == "I;16" else Image.new("RGB", (50, 50), RED)
    name = "cover.tif" if mode == "CMYK" else "cover.png"
    given = small if mode == "I;16" else small.convert(mode)
    opened = [open_cover(saved(tmp_path / name, given.resize((side, side), 0)), 16) for side in (50, 1600)]
    small_mean, large_mean = (np.asarray(picture, int).mean(axis=(0, 1)) for picture in opened)
    assert np.abs(small_mean - large_mean).max() < 4


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak of memory")
def test_a_picture_of_10_000_by_10_000_pixels_is_taken_and_takes_little_more_memory_than_its_pixels(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path / "cover.png", Image.new("RGB", (10_000, 10_000), RED), compress_level=1)
    script = (
        "import sys; from pathlib import Path; from antiphon.music.video.cover import open_cover; "
        "print(open_cover(Path(sys.argv[1]), 64).getpixel((9, 9))); "
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    pixel, kilobytes = done.stdout.splitlines()
    assert pixel == str(RED)
    assert int(kilobytes) * 1024 < 400e6 + 250e6


def test_a_drawn_cover_depends_on_the_title_alone() -> None:
    titles = ["Nocturne", "Aurora", "夜", "", "Nocturne II", "Fire"]
    drawn = [np.asarray(draw_cover(title, 96), int) for title in titles]
    assert np.array_equal(drawn[0], np.asarray(draw_cover("Nocturne", 96)))
    for number, one in enumerate(drawn):
        assert one.std() > 15
        assert all(np.abs(one - other).mean() > 8 for other in drawn[number + 1 :])


@pytest.mark.parametrize(
    "colour", [RED, (0, 0, 90), (250, 250, 120), (0, 0, 0), (255, 255, 255), (90, 92, 91), (0, 60, 20)]
)
def test_the_accents_stand_out_from_the_dark_of_the_background(colour: tuple[int, int, int]) -> None:
    palette = palette_of(Image.new("RGB", (50, 50), colour))
    assert contrast(palette.accent, palette.shade) > 4.5
    assert contrast(palette.second, palette.shade) > 4.5


def test_the_accent_keeps_the_cover_s_hue() -> None:
    red, green, blue = palette_of(Image.new("RGB", (50, 50), RED)).accent
    assert red > green
    assert red > blue
