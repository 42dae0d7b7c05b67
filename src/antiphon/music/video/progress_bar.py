"""The progress line and the time beside it."""

from functools import lru_cache

import numpy as np

from antiphon.music.video.fonts import inter
from antiphon.music.video.ink import OPAQUE, WHITE, Canvas, Colours, Shorts, lay
from antiphon.music.video.layers import draw
from antiphon.music.video.setting import middle_baseline
from antiphon.music.video.theme import Region, Theme
from antiphon.music.video.yuv import Floats, subsample

FIGURES = "0123456789:"
FINENESS = 8
"""Steps to a pixel in which the line grows."""


def clock_text(seconds: float) -> str:
    """Minutes and seconds as ``3:07``, from an hour on ``1:02:07``."""
    whole = int(seconds)
    minutes = f"{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return (f"{whole // 3600}:" if whole >= 3600 else "") + f"{minutes}:{whole % 60:02d}"


def opacities(mask: Floats) -> tuple[Shorts, Shorts]:
    """A mask of 0–1 as opacities of luma and chroma."""
    return np.rint(OPAQUE * mask).astype(np.int16), np.rint(OPAQUE * subsample(mask)).astype(np.int16)


class LinePart:
    """The line in the theme's ink up to the present, with a knob at its end. ``ink`` is that of ``region``."""

    def __init__(self, theme: Theme, ink: Colours) -> None:
        self.place = theme.places["line"].scaled(theme.scale)
        self._knob = theme.knob * theme.scale
        self.region = line_region(theme)
        self._ink = ink
        x = np.arange(self.region.width, dtype=np.float32) + np.float32(0.5 + self.region.x)
        y = np.arange(self.region.height, dtype=np.float32)[:, None] + np.float32(0.5 + self.region.y)
        self._x, self._up = x, y - (self.place.y + self.place.height / 2)
        self._full = self._mask(self.place.x + self.place.width, slice(None))

    def position(self, fraction: float) -> float:
        """The x coordinate (pixels) of the end of the full part."""
        return self.place.x + self.place.width * fraction

    def paint(self, canvas: Canvas, fraction: float, renewed: bool) -> None:
        """Paints the line of a song of which ``fraction`` (0–1) has been played: as a rule, only where it grows."""
        x = round(self.position(fraction) * FINENESS)
        before = canvas.states.get(self)
        if not canvas.changed(self, x) and not renewed:
            return
        end = self._near(x / FINENESS)
        if renewed or not isinstance(before, int) or abs(x - before) >= FINENESS:
            self._paint_past(canvas, end.start)
            self._clear_future(canvas, end.stop)
        self._paint_end(canvas, x / FINENESS, end)

    def _near(self, x: float) -> slice:
        """The columns in which the line changes when its end moves to ``x`` from less than a pixel away."""
        middle, reach = int(x - self.region.x) // 2 * 2, int(self._knob) // 2 * 2 + 6
        return slice(max(0, middle - reach), min(self.region.width, middle + reach))

    def _mask(self, end: float, columns: slice) -> Colours:
        place, x = self.place, self._x[columns]
        radius = place.height / 2
        nearest = np.clip(x, place.x + radius, max(place.x + radius, end))
        return opacities(np.clip(radius + 0.5 - np.hypot(x - nearest, self._up), 0, 1))

    def _paint_past(self, canvas: Canvas, stop: int) -> None:
        _, lit, frame = canvas.areas(self.region)
        for target, under, ink, full, scale in zip(frame, lit, self._ink, self._full, (1, 2), strict=True):
            part = ..., slice(0, stop // scale)
            lay(canvas, target[part], under[part], ink[part], full[part])

    def _clear_future(self, canvas: Canvas, start: int) -> None:
        _, lit, frame = canvas.areas(self.region)
        for target, under, scale in zip(frame, lit, (1, 2), strict=True):
            target[..., start // scale :] = under[..., start // scale :]

    def _paint_end(self, canvas: Canvas, x: float, columns: slice) -> None:
        line = self._mask(x, columns)
        knob = opacities(np.clip(self._knob + 0.5 - np.hypot(self._x[columns] - x, self._up), 0, 1))
        _, lit, frame = canvas.areas(self.region)
        for target, under, ink, white, filled, disc, scale in zip(
            frame, lit, self._ink, WHITE, line, knob, (1, 2), strict=True
        ):
            part = ..., slice(columns.start // scale, columns.stop // scale)
            lay(canvas, target[part], under[part], ink[part], filled)
            lay(canvas, target[part], target[part], white, disc)


def line_region(theme: Theme) -> Region:
    """The pixels on which the line and its knob are painted."""
    place = theme.places["line"].scaled(theme.scale)
    return Region.around(place, theme.knob * theme.scale + 2, theme.width, theme.height)


class ClockPart:
    """The elapsed time in figures of equal width, which are drawn once and then put together."""

    def __init__(self, theme: Theme, longest: str) -> None:
        style, place, scale = theme.texts["elapsed"], theme.places["times"].scaled(theme.scale), theme.scale
        size = style.size * scale
        advances = {character: inter().advance(character, style.weight, size) * size for character in FIGURES}
        digit = max(advances.values())
        self._advances = {character: advances[character] if character == ":" else digit for character in FIGURES}
        self._cell = round(size * 1.5)
        width = sum(self._advances[character] for character in longest) + 4
        left, top = int(place.x) // 2 * 2, int(place.y) // 2 * 2
        self.region = Region(left, top, int(width) // 2 * 2 + 4, -(-int(place.height) // 2) * 2 + 2)
        self._offset = place.x - left
        baseline = middle_baseline(place, size) - top
        self._figures = _figures(size, style.weight, baseline, self._cell, self.region.height)
        self._opacity = np.float32(style.opacity)
        self._drawn = lru_cache(maxsize=4)(self._draw)

    def paint(self, canvas: Canvas, seconds: float, renewed: bool) -> None:
        """Paints the time since the start of the song."""
        words = clock_text(seconds)
        if not canvas.changed(self, words) and not renewed:
            return
        _, lit, frame = canvas.areas(self.region)
        for target, under, white, opacity in zip(frame, lit, WHITE, self._drawn(words), strict=True):
            lay(canvas, target, under, white, opacity)

    def _draw(self, words: str) -> tuple[Shorts, Shorts]:
        cell = self._cell
        mask = np.zeros((self.region.height, self.region.width + 2 * cell), np.float32)
        x = cell + self._offset
        for character in words:
            left = round(x + self._advances[character] / 2 - cell / 2)
            spot = mask[:, left : left + cell]
            np.maximum(spot, self._figures[character], out=spot)
            x += self._advances[character]
        return opacities(self._opacity * mask[:, cell:-cell])


def _figures(size: float, weight: int, baseline: float, cell: int, height: int) -> dict[str, Floats]:
    """The coverage (height, cell) of each figure, centred."""
    glyphs = "".join(f'<text x="{(i + 0.5) * cell}" y="{baseline}">{c}</text>' for i, c in enumerate(FIGURES))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{cell * len(FIGURES)}" height="{height}">'
        f'<g font-family="Inter" font-size="{size}" font-weight="{weight}" text-anchor="middle">{glyphs}</g></svg>'
    )
    drawn = draw(drawing)
    mask: Floats = np.asarray(drawn.getchannel("A"), np.float32) / np.float32(255)
    return {character: mask[:, i * cell : (i + 1) * cell] for i, character in enumerate(FIGURES)}
