"""The colours of a video, taken from its cover and made readable on a dark ground."""

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image

Colour = tuple[int, int, int]
MIN_CONTRAST = 6.0
"""Between the accent and the darkened background; WCAG asks 4.5 of small text."""


MAX_HUE_TURN = 0.14
"""Of the colour circle, between the two ends of the bars' gradient."""


@dataclass(frozen=True)
class Palette:
    """``accent`` and ``second`` paint what moves; ``shade`` tints the dark of the background."""

    accent: Colour
    second: Colour
    shade: Colour


def palette_of(cover: Image.Image) -> Palette:
    """The two most telling colours of an RGB picture: much of it, saturated, neither black nor white."""
    small = cover.resize((48, 48), Image.Resampling.BOX).quantize(12, Image.Quantize.MEDIANCUT)
    colours = np.asarray(small.getpalette(), dtype=np.float64).reshape(-1, 3)
    counts = np.bincount(np.asarray(small).ravel(), minlength=len(colours))[: len(colours)]
    scored = []
    for colour, count in zip(colours / 255, counts, strict=True):
        hue, lightness, _ = colorsys.rgb_to_hls(*colour)
        chroma = float(colour.max() - colour.min())
        scored.append((chroma * (0.15 + count / counts.sum()) ** 0.5 * (1 - abs(lightness - 0.55)), hue, chroma))
    scored.sort(reverse=True)
    _, hue, chroma = scored[0]
    if chroma < 0.08:
        return Palette((236, 238, 244), (176, 186, 206), (16, 17, 21))
    distinct = [other for _, other, strength in scored[1:] if strength > 0.12 and _distance(hue, other) > 0.04]
    second = _towards(hue, distinct[0] if distinct else hue + 0.09)
    saturation = min(0.95, max(0.55, chroma * 1.2))
    return Palette(_readable(hue, saturation), _readable(second, saturation), _rgb(hue, 0.07, 0.4))


def contrast(one: Colour, other: Colour) -> float:
    """The WCAG 2.2 contrast ratio of two sRGB colours, 1–21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def css(colour: Colour) -> str:
    """The colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _distance(one: float, other: float) -> float:
    return min(abs(one - other), 1 - abs(one - other))


def _towards(hue: float, other: float) -> float:
    """The other hue, or one on the way to it: between far hues a gradient would turn grey."""
    turn = (other - hue + 0.5) % 1 - 0.5
    return (hue + min(MAX_HUE_TURN, max(-MAX_HUE_TURN, turn))) % 1


def _readable(hue: float, saturation: float) -> Colour:
    """The darkest tint of the hue, from middle lightness up, that stands out from the background."""
    ground = _rgb(hue, 0.14, 0.4)
    for lightness in np.arange(0.6, 0.95, 0.02):
        colour = _rgb(hue, float(lightness), saturation)
        if contrast(colour, ground) >= MIN_CONTRAST:
            return colour
    return (245, 245, 248)


def _rgb(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
