"""Theme of a video: a folder with an SVG template for each aspect, and a JSON file that says what moves.

A template is a drawing in units of 1/720 of the frame's short side, with these groups, found by their ``id``:

- ``still``: what never moves. Empty groups in it, named as in ``TEXTS``, are filled with text; their attributes are its
  style.
- ``halo``: the light round the cover on a beat.
- ``ink``: what bars and progress line are painted with.
- ``places``: rectangles that are not drawn and say where things are: ``cover``, ``heading`` (title and author),
  ``sung`` (lyrics), ``bars``, ``line`` (progress), ``times`` (elapsed and total), ``mark`` (domain).

An element whose id ends in ``-with-lyrics`` stands in for the one without where there are lyrics. What has the class
``accent``, ``second`` or ``shade`` takes that colour of the song's palette.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from antiphon.music.video.look import VideoLook

UNITS = 720
"""Of a template, along the short side of the frame."""

TEXTS = ("title", "author", "domain", "elapsed", "total", "lyrics", "following")
LAYERS = ("still", "halo", "ink")
PLACES = ("cover", "heading", "sung", "bars", "line", "times", "mark")
WITH_LYRICS = "-with-lyrics"
STANDS = {"hanging": "top", "middle": "middle", "text-after-edge": "bottom"}
"""Where the text in a place stands, by the place's ``dominant-baseline``."""

_SPACE = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", _SPACE)
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Region:
    """A rectangle of pixels with even corners."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, place: "Box", margin: float, width: int, height: int) -> "Region":
        """The pixels of a place and ``margin`` more on all sides, as far as they are in the frame."""
        left, top = (max(0, int((edge - margin) // 2 * 2)) for edge in (place.x, place.y))
        right = min(width, int(-(-(place.x + place.width + margin) // 2) * 2))
        bottom = min(height, int(-(-(place.y + place.height + margin) // 2) * 2))
        return cls(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Box:
    """A rectangle of the template with corners of ``radius``; its text stands at ``anchor`` and ``stand``."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    anchor: Anchor
    stand: Literal["top", "middle", "bottom"]

    def scaled(self, scale: float) -> "Box":
        """The place in pixels of that many to a unit."""
        x, y, width, height, radius = (
            scale * number for number in (self.x, self.y, self.width, self.height, self.radius)
        )
        return Box(x, y, width, height, radius, self.anchor, self.stand)


@dataclass(frozen=True)
class Style:
    """How a text is set: from ``size`` down to ``least`` until it fits, in at most ``lines`` lines.

    ``leading`` is the distance of lines, ``gap`` the space above the text, both in shares of its size.
    """

    size: float
    least: float
    lines: int
    weight: int
    leading: float
    gap: float
    opacity: float


@dataclass(frozen=True)
class Background:
    """The blurred cover. ``blur`` in pixels of a 64-pixel picture; no pixel's luminance ends above ``ceiling``.

    It goes round an ellipse in ``seconds``, by ``drift`` of the frame's short side to each side.
    """

    blur: float = 7.0
    brightness: float = 0.46
    saturation: float = 1.15
    ceiling: float = 0.34
    drift: float = 0.11
    seconds: float = 48.0


@dataclass(frozen=True)
class Pulse:
    """By what share the cover grows on a beat, and the light of its halo (0–1), which ends ``margin`` from it."""

    growth: float = 0.035
    halo: float = 0.6
    margin: float = 44.0


@dataclass(frozen=True)
class BarsStyle:
    """How the 64 bars stand.

    ``form``: "row" from the foot of their place, "mirror" up and down from its middle, "ring" outwards round a circle.
    ``order``: "rising" from low to high, "middle" with the low ones in the middle and both sides alike. A ring has all
    bands on both of its sides, ``gap`` from the cover. ``width`` is a bar's share of its cell, ``least`` the length of
    a silent one in units of its width. ``glow`` is the light (0–1) behind the bars, which goes ``reach`` beyond them.
    A mirror's middle swells by ``swell`` as a wave that has ``waves`` crests and moves by one in ``seconds``.
    """

    form: Literal["row", "mirror", "ring"] = "row"
    order: Literal["rising", "middle"] = "rising"
    width: float = 0.56
    least: float = 1.0
    gap: float = 12.0
    glow: float = 0.3
    reach: float = 34.0
    swell: float = 0.0
    waves: float = 1.5
    seconds: float = 9.0


@dataclass(frozen=True)
class Theme:
    """A theme for one look. ``width`` and ``height`` in pixels, ``scale`` pixels to a unit of the template."""

    width: int
    height: int
    scale: float
    background: Background
    pulse: Pulse
    bars: BarsStyle
    knob: float
    "The radius of the end of the progress line."
    places: Mapping[str, Box]
    texts: Mapping[str, Style]
    root: Element = field(repr=False)

    def layer(self, name: str, filled: Mapping[str, str], region: Region) -> str:
        """A region of one of ``LAYERS`` as a drawing, its text groups filled with SVG in template units."""
        root = copy.deepcopy(self.root)
        box = (region.x, region.y, region.width, region.height)
        root.set("viewBox", " ".join(f"{number / self.scale:.6f}" for number in box))
        root.attrib.update(width=str(region.width), height=str(region.height), preserveAspectRatio="none")
        for group in list(root):
            if group.tag == f"{{{_SPACE}}}g" and group.get("id") != name:
                root.remove(group)
        for group in list(root.iter(f"{{{_SPACE}}}g")):
            content = filled.get(group.get("id", ""), "")
            group.extend(ElementTree.fromstring(f'<g xmlns="{_SPACE}">{content}</g>'))  # noqa: S314 - set by us
        return ElementTree.tostring(root, encoding="unicode")


def load(look: VideoLook = VideoLook(), *, lyrics: bool = False) -> Theme:
    """Reads the theme of a look from the package; ``lyrics``: with room for them.

    Raises:
        ValueError: a template lacks something that the engine needs; the message names file and part.
    """
    folder = files(__package__) / "themes" / look.theme
    given = _settings(folder.joinpath("theme.json").read_text(encoding="utf-8"), look.aspect)
    name = f"{look.aspect.replace(':', 'x')}.svg"
    root = ElementTree.fromstring(folder.joinpath(name).read_text(encoding="utf-8"))  # noqa: S314 - our own file
    _choose(root, lyrics)
    found = {element.get("id") or "": element for element in root.iter()}
    missing = {*LAYERS, *PLACES, *TEXTS} - set(found)
    if missing:
        raise ValueError(f"themes/{look.theme}/{name}: nothing has the id {', '.join(sorted(missing))}")
    return Theme(
        look.width,
        look.height,
        min(look.width, look.height) / UNITS,
        Background(**given.get("background", {})),
        Pulse(**given.get("pulse", {})),
        BarsStyle(**given.get("bars", {})),
        given.get("knob", 7.0),
        {key: _place(found[key]) for key in PLACES},
        {key: _style(found[key]) for key in TEXTS},
        root,
    )


def _choose(root: Element, lyrics: bool) -> None:
    """Of each pair of elements, of which one is for videos with lyrics, leaves the one that is meant here."""
    ids = {element.get("id", "") for element in root.iter()}
    for parent in [root, *root.findall(f"{{{_SPACE}}}g")]:
        for element in list(parent):
            name = element.get("id", "")
            special = name.endswith(WITH_LYRICS)
            if special and lyrics:
                element.set("id", name.removesuffix(WITH_LYRICS))
            elif special or (lyrics and name + WITH_LYRICS in ids):
                parent.remove(element)


def _settings(text: str, aspect: str) -> dict[str, Any]:
    """The JSON file with what it says under ``aspects`` for this one put over the rest."""
    given: dict[str, Any] = json.loads(text)
    for key, changes in given.pop("aspects", {}).get(aspect, {}).items():
        given[key] = {**given.get(key, {}), **changes} if isinstance(changes, dict) else changes
    return given


def _place(element: Element) -> Box:
    x, y, width, height, radius = (float(element.get(key, 0)) for key in ("x", "y", "width", "height", "rx"))
    anchor: Any = element.get("text-anchor", "start")
    stand: Any = STANDS[element.get("dominant-baseline", "hanging")]
    return Box(x, y, width, height, radius, anchor, stand)


def _style(element: Element) -> Style:
    size = float(element.get("font-size", 20))
    return Style(
        size,
        float(element.get("data-least", size)),
        int(element.get("data-lines", 1)),
        int(element.get("font-weight", 400)),
        float(element.get("data-leading", 1.2)),
        float(element.get("data-gap", 0)),
        float(element.get("fill-opacity", 1)),
    )
