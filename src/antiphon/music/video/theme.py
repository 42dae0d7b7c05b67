"""A theme: an SVG template for what stands still and a JSON file that says where things stand and what moves."""

import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from string import Template

import numpy as np
import resvg_py
from PIL import Image, ImageFilter

from antiphon.music.video import palette as colour
from antiphon.music.video import text
from antiphon.music.video.cover import png
from antiphon.music.video.fonts import INTER
from antiphon.music.video.palette import Palette
from antiphon.music.video.spectrum import BANDS
from antiphon.music.video.yuv import LUMA, Bytes, Floats


@dataclass(frozen=True)
class Background:
    """``blur`` in pixels of a 64-pixel picture; no pixel's luminance ends above ``ceiling``."""

    blur: float
    brightness: float
    saturation: float
    ceiling: float


@dataclass(frozen=True)
class Cover:
    """Where the cover lies (pixels)."""

    x: int
    y: int
    size: int
    radius: int


@dataclass(frozen=True)
class Words:
    """A box for text: the sizes (pixels) to try and how many lines each may take; ``gap`` is the space above."""

    x: float
    width: float
    sizes: tuple[tuple[float, int], ...]
    weight: int
    leading: float = 1.2
    gap: float = 0.0
    baseline: float = 0.0


@dataclass(frozen=True)
class Bars:
    """64 cells of ``pitch`` pixels from ``x`` on, each with a bar of ``width`` that grows from ``baseline``."""

    x: int
    baseline: int
    height: int
    width: int
    pitch: int


@dataclass(frozen=True)
class Line:
    """The progress line and the radius of the knob at its end."""

    x: int
    y: int
    width: int
    height: int
    knob: int


@dataclass(frozen=True)
class Clock:
    """Elapsed time from ``x`` rightwards, total time up to ``right``."""

    x: int
    right: int
    baseline: int
    size: int
    weight: int


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels with even corners."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Theme:
    """Everything in ``theme.json``, and the template."""

    width: int
    height: int
    background: Background
    cover: Cover
    title: Words
    author: Words
    text_middle: float
    domain: Words
    bars: Bars
    line: Line
    clock: Clock
    glow: Region
    template: Template


@dataclass(frozen=True)
class Wording:
    """The drawable texts of one video; an empty one is left out."""

    title: str
    author: str
    domain: str
    total: str


def load(name: str) -> Theme:
    """Reads the theme of that name from the package."""
    folder = files(__package__) / "themes" / name
    given = json.loads((folder / "theme.json").read_text(encoding="utf-8"))
    return Theme(
        given["width"],
        given["height"],
        Background(**given["background"]),
        Cover(**given["cover"]),
        Words(**given["title"]),
        Words(**given["author"]),
        given["text_middle"],
        Words(**given["domain"]),
        Bars(**given["bars"]),
        Line(**given["line"]),
        Clock(**given["clock"]),
        Region(**given["glow"]),
        Template((folder / "picture.svg").read_text(encoding="utf-8")),
    )


def pictures(theme: Theme, wording: Wording, cover: Image.Image, palette: Palette) -> tuple[Bytes, Bytes]:
    """The still picture at rest and at its fullest, RGB (height, width, 3)."""
    blocks = _blocks(theme, wording)
    values = {
        "background": _uri(_background(theme, cover, palette)),
        "cover": _uri(cover),
        "accent": colour.css(palette.accent),
        "second": colour.css(palette.second),
        "bars": _bars(theme.bars),
        **blocks.elements,
    }
    fonts = [str(path) for path in sorted(blocks.files | {INTER})]
    rest = render(theme.template.substitute(values, full=0), fonts)
    full = render(theme.template.substitute(values, full=1), fonts)
    return np.asarray(rest.convert("RGB")), np.asarray(full.convert("RGB"))


def render(svg: str, fonts: list[str] | None = None) -> Image.Image:
    """An SVG drawing as an RGBA picture; no font but those given is used."""
    drawn = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=fonts or [str(INTER)])
    return Image.open(BytesIO(drawn)).convert("RGBA")


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


def _background(theme: Theme, cover: Image.Image, palette: Palette) -> Image.Image:
    """The cover's middle, blurred while small, then enlarged, darkened towards the corners and dithered."""
    given = theme.background
    width, height = theme.width, theme.height
    small = cover.resize((64, 64), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(given.blur))
    rows = round(64 * height / width)
    small = small.crop((0, (64 - rows) // 2, 64, (64 - rows) // 2 + rows))
    channels = [
        np.asarray(band.convert("F").resize((width, height), Image.Resampling.BICUBIC)) for band in small.split()
    ]
    picture: Floats = np.stack(channels, axis=-1).astype(np.float32) / np.float32(255)
    grey: Floats = np.asarray(picture @ LUMA, np.float32)
    picture = grey[..., None] + np.float32(given.saturation) * (picture - grey[..., None])
    picture = picture * np.float32(min(given.brightness, given.ceiling / max(float(grey.max()), 1e-6)))
    picture = picture * _vignette(width, height)[..., None] + np.array(palette.shade, np.float32) / np.float32(510)
    # Bright covers are dimmed as a whole (above), so that white text stays readable on them.
    # Without the grain, the slow gradients of a dark picture show as steps in eight bits.
    grain = np.random.default_rng(7).uniform(-0.5, 0.5, (height, width, 1)) * 2.2
    return Image.fromarray(np.clip(picture * 255 + grain, 0, 255).astype(np.uint8))


def _vignette(width: int, height: int) -> Floats:
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    falloff = 1 - 0.42 * np.clip(0.45 * x**2 + 0.55 * y**2 + 0.25 * np.maximum(y, 0), 0, 1)
    return np.asarray(falloff, np.float32)


def _uri(picture: Image.Image) -> str:
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()
