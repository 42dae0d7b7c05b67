"""Background of a video: its cover, blurred and darkened until white text is readable on it."""

import numpy as np
from PIL import Image, ImageFilter

from antiphon.music.video.palette import Palette
from antiphon.music.video.theme import Background
from antiphon.music.video.yuv import LUMA, Floats

BLUR_SIDE_PIXELS = 64
"""The side in pixels at which the cover is blurred: the blur costs nothing there and its enlargement is smooth."""

GRAIN_AMPLITUDE = np.float32(2.2 / 255)
"""Without it the slow gradients of a dark picture show as steps in eight bits."""


def draw_background(cover: Image.Image, width: int, height: int, given: Background, palette: Palette) -> Floats:
    """The middle of a square RGB cover as a ground (height, width, 3), 0–1 and not yet rounded to eight bits.

    Bright covers are dimmed as a whole, so that no part is brighter than the theme's ceiling.
    """
    small = cover.resize((BLUR_SIDE_PIXELS, BLUR_SIDE_PIXELS), Image.Resampling.BOX)
    small = small.filter(ImageFilter.GaussianBlur(given.blur))
    columns, rows = (round(BLUR_SIDE_PIXELS * side / max(width, height)) for side in (width, height))
    left, top = (BLUR_SIDE_PIXELS - columns) // 2, (BLUR_SIDE_PIXELS - rows) // 2
    small = small.crop((left, top, left + columns, top + rows))
    bands = [band.convert("F").resize((width, height), Image.Resampling.BICUBIC) for band in small.split()]
    picture: Floats = np.stack([np.asarray(band, np.float32) for band in bands], axis=-1) / np.float32(255)
    grey: Floats = np.asarray(picture @ LUMA, np.float32)[..., None]
    picture = grey + np.float32(given.saturation) * (picture - grey)
    picture *= np.float32(min(given.brightness, given.ceiling / max(float(grey.max()), 1e-6)))
    return picture * _vignette(width, height) + np.array(palette.shade, np.float32) / np.float32(510)


def grain(width: int, height: int) -> Floats:
    """Noise (height, width, 1), always the same, that is added to a picture just before it is rounded."""
    noise = np.random.default_rng(7).random((height, width, 1), np.float32)
    return (noise - np.float32(0.5)) * GRAIN_AMPLITUDE


def _vignette(width: int, height: int) -> Floats:
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    falloff = 1 - 0.42 * np.clip(0.45 * x**2 + 0.55 * y**2 + 0.25 * np.maximum(y, 0), 0, 1)
    return np.asarray(falloff[..., None], np.float32)
