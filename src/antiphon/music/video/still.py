"""The still picture of a video: the theme's template, filled in, rendered and laid over the background."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from antiphon.music.video import palette as colour
from antiphon.music.video import text
from antiphon.music.video.background import draw_background, grain
from antiphon.music.video.cover import png
from antiphon.music.video.fonts import INTER
from antiphon.music.video.palette import Palette
from antiphon.music.video.spectrum import BANDS
from antiphon.music.video.theme import Bars, Clock, Theme, Words
from antiphon.music.video.yuv import Floats, Planes, from_rgb


@dataclass(frozen=True)
class Wording:
    """The drawable texts of one video; an empty one is left out."""

    title: str
    author: str
    domain: str
    total: str


def stills(theme: Theme, wording: Wording, cover: Image.Image, palette: Palette) -> tuple[Planes, Planes]:
    """The picture at rest and the picture with everything that moves at its fullest."""
    blocks = _blocks(theme, wording)
    values = {
        "cover": "data:image/png;base64," + base64.b64encode(png(cover)).decode(),
        "accent": colour.css(palette.accent),
        "second": colour.css(palette.second),
        "bars": _bars(theme.bars),
        **blocks.elements,
    }
    fonts = [str(path) for path in sorted(blocks.files | {INTER})]
    ground = draw_background(cover, theme.width, theme.height, theme.background, palette)
    rest, full = (render(theme.template.substitute(values, full=state), fonts) for state in (0, 1))
    return _laid_over(ground, rest), _laid_over(ground, full)


def render(svg: str, fonts: list[str] | None = None) -> Image.Image:
    """An SVG drawing as an RGBA picture; no font but those given is used."""
    drawn = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=fonts or [str(INTER)])
    return Image.open(BytesIO(drawn)).convert("RGBA")


def _laid_over(ground: Floats, drawing: Image.Image) -> Planes:
    pixels = np.asarray(drawing, np.float32) / np.float32(255)
    opacity = pixels[..., 3:]
    picture = ground + (pixels[..., :3] - ground) * opacity
    return from_rgb(picture + grain(drawing.width, drawing.height))


@dataclass(frozen=True)
class _Blocks:
    elements: dict[str, str]
    files: frozenset[Path]


def _blocks(theme: Theme, wording: Wording) -> _Blocks:
    """Title and author stand as one group whose middle is ``text_middle``; the rest has fixed baselines."""
    title, author = _fit(wording.title, theme.title), _fit(wording.author, theme.author)
    domain, total = _fit(wording.domain, theme.domain), _fit(wording.total, _clock_words(theme.clock))
    heights = [
        block.size * words.leading * len(block.lines) if block else 0.0
        for block, words in ((title, theme.title), (author, theme.author))
    ]
    top = theme.text_middle - (sum(heights) + (theme.author.gap if author else 0)) / 2
    elements = {
        "title": _place(title, theme.title, top),
        "author": _place(author, theme.author, top + heights[0] + theme.author.gap),
        "domain": text.svg(domain, theme.domain.x, theme.domain.baseline, 1, "", "middle") if domain else "",
        "total": text.svg(total, theme.clock.right, theme.clock.baseline, 1, "", "end") if total else "",
    }
    found = [block.files for block in (title, author, domain, total) if block]
    return _Blocks(elements, frozenset(file for group in found for file in group))


def _fit(words: str, box: Words) -> text.Block | None:
    if not words:
        return None
    return text.fit(words, width=box.width, sizes=box.sizes, weight=box.weight)


def _place(block: text.Block | None, box: Words, top: float) -> str:
    if block is None:
        return ""
    return text.svg(block, box.x, top + block.size * (0.5 * box.leading + 0.36), box.leading, "")


def _clock_words(clock: Clock) -> Words:
    return Words(clock.x, 200, ((clock.size, 1),), clock.weight)


def _bars(bars: Bars) -> str:
    inset = (bars.pitch - bars.width) / 2
    return "".join(
        f'<rect x="{bars.x + band * bars.pitch + inset}" y="{bars.baseline - bars.height}" width="{bars.width}" '
        f'height="{bars.height}" rx="{bars.width / 2}"/>'
        for band in range(BANDS)
    )
