"""Fixed text of a video, set into the places of its theme."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.music.video import text
from antiphon.music.video.text import Block
from antiphon.music.video.theme import Box, Style, Theme

SIZE_RATIO = 0.93
"""From a size to the next smaller one that is tried."""

MAX_MANY_LINES_SIZE_SHARE = 0.6
"""More than two lines are allowed below this share of the largest size: rather smaller than a tower of words."""

CAPITALS_MIDDLE_SHARE = 0.36
"""Of the size, from the baseline up to the middle of capitals."""


@dataclass(frozen=True)
class Wording:
    """The drawable texts of one video; an empty one is left out. ``total`` is the length of the song."""

    title: str
    author: str
    domain: str
    total: str


@dataclass(frozen=True)
class SetWords:
    """SVG by name of the text, in template units, and the font files that it needs."""

    elements: dict[str, str]
    files: frozenset[Path]


def set_words(theme: Theme, wording: Wording) -> SetWords:
    """Title and author stand as one group in their place; domain and total time on their lines."""
    heading, times, mark = (theme.places[name] for name in ("heading", "times", "mark"))
    blocks: dict[str, Block] = {}
    elements: dict[str, str] = {}
    room, gap = heading.height, 0.0
    if wording.author:
        style = theme.texts["author"]
        blocks["author"] = set_in(wording.author, style, heading.width, room)
        gap = style.gap * blocks["author"].size
        room -= height(blocks["author"], style) + gap
    blocks["title"] = set_in(wording.title, theme.texts["title"], heading.width, room)
    heights = {name: height(block, theme.texts[name]) for name, block in blocks.items()}
    y = top(heading, sum(heights.values()) + gap)
    for name, start in (("title", y), ("author", y + heights["title"] + gap)):
        if name in blocks:
            elements[name] = stacked(blocks[name], theme.texts[name], heading, start)
    for name, words, place in (
        ("domain", wording.domain, mark),
        ("total", wording.total, replace(times, anchor="end")),
    ):
        if words:
            style = theme.texts[name]
            blocks[name] = set_in(words, style, place.width, place.height)
            elements[name] = stacked(blocks[name], style, place, top(place, height(blocks[name], style)))
    return SetWords(elements, frozenset(file for block in blocks.values() for file in block.files))


def set_in(words: str, style: Style, width: float, room: float) -> Block:
    """The words in the largest size at which they fit into ``width`` × ``room``."""
    return text.fit(words, width=width, sizes=tuple(_sizes(style, room)), weight=style.weight)


def height(block: Block, style: Style) -> float:
    """Of all lines."""
    return len(block.lines) * block.size * style.leading


def stacked(block: Block, style: Style, place: Box, y: float) -> str:
    """SVG of the block's lines from ``y`` downwards, at the place's anchor."""
    baseline = y + block.size * (0.5 * style.leading + CAPITALS_MIDDLE_SHARE)
    return text.svg(block, edge(place, place.anchor), baseline, style.leading, "", place.anchor)


def top(place: Box, needed: float) -> float:
    """Where something of that height begins in the place."""
    return place.y + {"top": 0.0, "middle": 0.5, "bottom": 1.0}[place.stand] * (place.height - needed)


def edge(place: Box, anchor: str) -> float:
    """The x coordinate at which text of that anchor stands in the place."""
    return place.x + {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * place.width


def middle_baseline(place: Box, size: float) -> float:
    """The baseline of a line of text in the middle of the place."""
    return place.y + place.height / 2 + CAPITALS_MIDDLE_SHARE * size


def _sizes(style: Style, room: float) -> Iterator[tuple[float, int]]:
    size = style.size
    while size >= style.least:
        allowed = style.lines if size <= MAX_MANY_LINES_SIZE_SHARE * style.size else min(style.lines, 2)
        lines = min(allowed, int(room / (size * style.leading) + 0.1))
        if lines:
            yield size, lines
        size *= SIZE_RATIO
    yield style.least, max(1, min(style.lines, int(room / (style.least * style.leading) + 0.1)))
