"""Lyrics layer of a frame: the line being sung, filled word by word, and the next one below it, dimmed.

The lines of a duet stand left, right and, of both, in the middle. Background voices stand in the next line's place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from antiphon.music.lyrics import Lyrics, Singer
from antiphon.music.video import text
from antiphon.music.video.ink import WHITE, Canvas, Shorts, lay
from antiphon.music.video.layers import draw
from antiphon.music.video.progress_bar import opacities
from antiphon.music.video.setting import edge, height, set_in, stacked
from antiphon.music.video.setting import top as top_of
from antiphon.music.video.theme import Anchor, Box, Region, Theme
from antiphon.music.video.yuv import Floats

UNSUNG_OPACITY = 0.42
"""The opacity of words of the current line that are still to come."""

MAX_AHEAD_S = 6.0
"""Seconds before it is sung that a line appears for which there was a pause."""

FADE_S = 0.24
"""Seconds in which a line appears or goes."""

FADE_STEPS = 8
NEXT_LINE_ROOM_SHARE = 0.34
"""Of the room, for the next line."""

BACKGROUND = "background"
"""What background voices sing: it takes the next line's place while their line is sung."""

BACKGROUND_OPACITY = 0.75
ANCHOR_OF: Mapping[Singer, Anchor] = {"first": "start", "second": "end", "both": "middle"}
"""Where the lines of a duet's singers stand."""

EDGE_WIDTH_SHARE = 0.5
"""The width of the edge between sung and unsung, in shares of the size."""


@dataclass(frozen=True)
class Row:
    """One row of a line as set: ``edges`` (pixels from the region's left) between its visible characters."""

    top: int
    bottom: int
    edges: tuple[float, ...]
    backwards: bool


@dataclass(frozen=True)
class SetLine:
    """A line drawn: its coverage (rows, width of the region), 0–1, its rows, and its height and size in pixels."""

    coverage: Floats
    rows: tuple[Row, ...]
    height: float
    size: float


class LyricsState(NamedTuple):
    """All that the picture of the lyrics depends on: indices of lines, opacity of the whole, and what is filled."""

    current: int | None
    following: int | None
    fade: int
    row: int
    x: int


class SungPart:
    """Paints the lyrics. Lines are drawn when they are due, and a few of them are kept."""

    def __init__(self, theme: Theme, lyrics: Lyrics) -> None:
        self._lyrics, self._lines = lyrics, lyrics.lines
        self._theme, self._scale = theme, theme.scale
        self._place = theme.places["sung"]
        self.region = sung_region(theme)
        self._drawn = lru_cache(maxsize=12)(self._draw)
        self._composed = lru_cache(maxsize=4)(self._compose)

    def paint(self, canvas: Canvas, seconds: float, renewed: list[slice]) -> None:
        """Paints the lyrics of one moment; if they are as before, only the rows of the frame that are new beneath."""
        region = self.region
        state = self._state(seconds)
        if canvas.changed(self, state):
            renewed = [slice(region.y, region.y + region.height)]
        lay_white(canvas, region, self._composed(state), renewed)

    def _state(self, seconds: float) -> LyricsState:
        current, following = self._lyrics.current(seconds), self._lyrics.following(seconds)
        starts = self._lines[following].start if following is not None else float("inf")
        if current is None:
            if starts - seconds > MAX_AHEAD_S:
                return LyricsState(None, None, 0, 0, 0)
            return LyricsState(None, following, _fade(seconds - starts + MAX_AHEAD_S), 0, 0)
        line = self._lines[current]
        fade = min(_fade(seconds - line.start), _fade(line.end - seconds))
        row, x = _filled(self._drawn(current, "lyrics"), line.text, line.sung(seconds))
        return LyricsState(current, following if starts - seconds < 2 * MAX_AHEAD_S else None, fade, row, round(2 * x))

    def _compose(self, state: LyricsState) -> tuple[Shorts, Shorts]:
        region = self.region
        mask = np.zeros((region.height, region.width), np.float32)
        second = state.following, "following"
        if state.current is not None and self._lines[state.current].background:
            second = state.current, BACKGROUND
        blocks = [
            (name, self._drawn(index, name)) for index, name in ((state.current, "lyrics"), second) if index is not None
        ]
        gap = self._theme.texts["following"].gap * self._theme.texts["following"].size * self._scale
        needed = sum(drawn.height for _, drawn in blocks) + gap * (len(blocks) - 1)
        y = top_of(self._place.scaled(self._scale), needed) - region.y
        for name, drawn in blocks:
            light: Floats | np.float32 = np.float32(BACKGROUND_OPACITY)
            if name == "lyrics":
                light = self._light(drawn, state.row, state.x / 2)
            elif name == "following":
                light = np.float32(self._theme.texts[name].opacity)
            put(mask, drawn.coverage * light, round(y))
            y += drawn.height + gap
        mask *= np.float32(state.fade / FADE_STEPS)
        return opacities(mask)

    def _light(self, drawn: SetLine, row: int, x: float) -> Floats:
        """How opaque each pixel of the current line is."""
        columns = np.arange(drawn.coverage.shape[1], dtype=np.float32) + 0.5
        light = np.full(drawn.coverage.shape, UNSUNG_OPACITY, np.float32)
        for number, one in enumerate(drawn.rows):
            if number < row:
                light[one.top : one.bottom] = 1.0
            elif number == row:
                way = (columns - x) if one.backwards else (x - columns)
                full = abs(x - one.edges[-1]) < 0.6
                filled = 1.0 if full else np.clip(way / (EDGE_WIDTH_SHARE * drawn.size) + 0.5, 0, 1)
                if abs(x - one.edges[0]) < 0.6 and not full:
                    filled = 0.0
                light[one.top : one.bottom] = UNSUNG_OPACITY + (1 - UNSUNG_OPACITY) * filled
        return light

    def _draw(self, index: int, name: str) -> SetLine:
        line = self._lines[index]
        place = replace(self._place, anchor=ANCHOR_OF[line.singer]) if line.singer else self._place
        share = NEXT_LINE_ROOM_SHARE if name == "following" else 1 - NEXT_LINE_ROOM_SHARE
        words = line.background if name == BACKGROUND else line.text
        return set_line(words, self._theme, "lyrics" if name == "lyrics" else "following", place, share)


def set_line(words: str, theme: Theme, style_name: str, place: Box, room_share: float) -> SetLine:
    """A line of lyrics drawn as wide as the layer's region.

    Args:
        words: The line; what no face has is left out.
        theme: Of the video.
        style_name: Of the theme's texts.
        place: Where lyrics stand, with the anchor of this line.
        room_share: Of the place's height, for this line.
    """
    style, scale, region = theme.texts[style_name], theme.scale, sung_region(theme)
    if place.anchor == "start" and text.right_to_left(words):
        place = replace(place, anchor="end")
    block = set_in(text.drawable(words).text, style, place.width, place.height * room_share)
    left = edge(place, place.anchor) - region.x / scale
    drawing = stacked(block, style, replace(place, x=left - edge(replace(place, x=0), place.anchor)), 0)
    pixels = round(height(block, style) * scale)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{region.width}" height="{pixels}" '
        f'viewBox="0 0 {region.width / scale} {pixels / scale}" preserveAspectRatio="none">'
        f"{drawing}</svg>"
    )
    coverage = np.asarray(draw(svg, block.files).getchannel("A"), np.float32) / np.float32(255)
    return SetLine(coverage, _rows(block, style.leading, left, place.anchor, scale), pixels, block.size * scale)


def put(mask: Floats, drawn: Floats, y: int) -> None:
    """Lays coverage on the mask from row ``y`` on, as far as it is inside."""
    first, last = max(0, y), min(len(mask), y + len(drawn))
    if first < last:
        np.maximum(mask[first:last], drawn[first - y : last - y], out=mask[first:last])


def lay_white(canvas: Canvas, region: Region, opacities: tuple[Shorts, Shorts], renewed: Sequence[slice]) -> None:
    """Lays white on those rows of the frame that are ``renewed``, as opaque as said for luma and chroma."""
    _, lit, frame = canvas.areas(region)
    for rows in renewed:
        first, last = max(rows.start - region.y, 0), min(rows.stop - region.y, region.height)
        if first >= last:
            continue
        for target, under, white, opacity, scale in zip(frame, lit, WHITE, opacities, (1, 2), strict=True):
            part = slice(first // scale, last // scale)
            lay(canvas, target[..., part, :], under[..., part, :], white, opacity[part])


def _rows(block: text.Block, leading: float, x: float, anchor: Anchor, scale: float) -> tuple[Row, ...]:
    rows = []
    for number, (line, width) in enumerate(zip(block.lines, block.widths, strict=True)):
        words = "".join(run.text for run in line)
        start = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width * block.size
        advances = [text.measure(character, block.weight, block.size) for character in words]
        stretch = width / max(sum(advances), 1e-6)
        after = list(accumulate(advances, initial=0.0))
        visible = [after[i + 1] for i, character in enumerate(words) if character != " "]
        edges = [scale * (start + block.size * stretch * place) for place in (0.0, *visible)]
        backwards = text.right_to_left(words)
        if backwards:
            edges = [edges[0] + edges[-1] - place for place in edges]
        top, bottom = (round(scale * (number + more) * block.size * leading) for more in (0, 1))
        rows.append(Row(top, bottom, tuple(edges), backwards))
    return tuple(rows)


def sung_region(theme: Theme) -> Region:
    """The pixels on which lyrics are painted."""
    return Region.around(theme.places["sung"].scaled(theme.scale), 2 * theme.scale, theme.width, theme.height)


def _filled(drawn: SetLine, whole: str, sung: float) -> tuple[int, float]:
    """The row and its x coordinate up to which a line is filled of which ``sung`` characters are done."""
    begun = whole[int(sung) : int(sung) + 1].strip()
    done = len("".join(whole[: int(sung)].split())) + (sung % 1 if begun else 0.0)
    left = done / max(1, len("".join(whole.split()))) * sum(len(row.edges) - 1 for row in drawn.rows)
    for number, row in enumerate(drawn.rows):
        count = len(row.edges) - 1
        if left < count or number == len(drawn.rows) - 1:
            return number, float(np.interp(left, np.arange(count + 1), row.edges))
        left -= count
    return 0, 0.0


def _fade(seconds: float) -> int:
    return round(FADE_STEPS * min(1.0, max(0.0, seconds / FADE_S)))
