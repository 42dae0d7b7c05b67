"""Drawings of a theme, filled in for one video and rendered to pixels once, before the first frame."""

from io import BytesIO
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from antiphon.music.video.fonts import INTER
from antiphon.music.video.palette import Palette, css
from antiphon.music.video.setting import SetWords
from antiphon.music.video.theme import Region, Theme
from antiphon.music.video.yuv import Floats


def draw_layer(theme: Theme, name: str, palette: Palette, words: SetWords, region: Region) -> Floats:
    """A region of a layer of the theme as R'G'B'A (height, width, 4), 0–1, not premultiplied."""
    colours = {"accent": palette.accent, "second": palette.second, "shade": palette.shade}
    style = "".join(f".{key}{{fill:{css(c)};stop-color:{css(c)};}}" for key, c in colours.items())
    drawing = theme.layer(name, words.elements, region)
    drawn = draw(drawing, words.files, style=style)
    return np.asarray(drawn, np.float32) / np.float32(255)


def draw(svg: str, files: frozenset[Path] = frozenset(), *, style: str = "") -> Image.Image:
    """An SVG drawing as an RGBA picture of its own size; no font but Inter and those given is used."""
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg,
        skip_system_fonts=True,
        font_files=[str(path) for path in sorted(files | {INTER})],
        style_sheet=style or None,
    )
    return Image.open(BytesIO(drawn)).convert("RGBA")
