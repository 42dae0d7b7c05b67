"""A theme: an SVG template for what stands still and a JSON file that says where things stand and what moves."""

import json
from dataclasses import dataclass
from importlib.resources import files
from string import Template


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
