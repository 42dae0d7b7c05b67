"""What frames look like, beside pictures that were looked at and found good: ``tests/unit/music/video/frames``.

After a change that is meant to be seen: ``python -m tests.unit.music.video.test_regression`` draws them again; look at
them before you commit them.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.unit.music.video.scenes import LYRICS, scene

from antiphon.music.video.look import ASPECTS, VideoLook, themes

pytestmark = pytest.mark.slow

FRAMES = Path(__file__).parent / "frames"
SCALE = 5
"""The pictures are kept at a fifth of the size: an edge that is drawn a little differently is no difference."""

MEAN, BLOCK = 1.5, 10.0
"""How far a picture, and how far 8 × 8 of its pixels, may be from its reference on average, in levels of 255."""

CASES = [
    *((theme, aspect, False) for theme, aspect in product(themes(), ASPECTS)),
    *((theme, aspect, True) for theme, aspect in zip(themes(), ASPECTS, strict=False)),
]


def draw(theme: str, aspect: str, lyrics: bool) -> Image.Image:
    shown = scene(VideoLook(theme, aspect), lyrics=LYRICS if lyrics else "")
    return shown.still(round(4.6 * 30)).reduce(SCALE)


def path(theme: str, aspect: str, lyrics: bool) -> Path:
    return FRAMES / f"{theme}-{aspect.replace(':', 'x')}{'-lyrics' if lyrics else ''}.png"


def blocks(picture: Image.Image) -> NDArray[np.float64]:
    """The means of 8 × 8 pixels, which is what one sees from afar."""
    return np.asarray(picture.reduce(8), np.float64)


@pytest.mark.parametrize(("theme", "aspect", "lyrics"), CASES)
def test_a_frame_looks_as_it_did(theme: str, aspect: str, lyrics: bool) -> None:
    drawn = draw(theme, aspect, lyrics)
    with Image.open(path(theme, aspect, lyrics)) as opened:
        reference = opened.convert("RGB")
    assert drawn.size == reference.size
    assert np.abs(np.asarray(drawn, float) - np.asarray(reference, float)).mean() < MEAN
    assert np.abs(blocks(drawn) - blocks(reference)).max() < BLOCK


def test_the_tolerance_is_less_than_what_one_would_see() -> None:
    with Image.open(path("bars", "16:9", False)) as opened:
        reference = opened.convert("RGB")
    moved = Image.fromarray(np.roll(np.asarray(reference), 3, axis=1))
    assert np.abs(blocks(moved) - blocks(reference)).max() > BLOCK
    other = draw("bars", "16:9", True)
    assert np.abs(np.asarray(other, float) - np.asarray(reference, float)).mean() > MEAN


if __name__ == "__main__":
    FRAMES.mkdir(exist_ok=True)
    for case in CASES:
        draw(*case).save(path(*case), optimize=True)
