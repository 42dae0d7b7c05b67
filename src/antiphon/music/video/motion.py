"""What moves: each part owns a region of the frame and paints it anew for every frame, from the frame's index only.

A part mixes two still pictures, the theme at rest and the theme at its fullest. Mixtures are made once, in YUV; per
frame they are only copied. The regions do not overlap and have even corners.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antiphon.music.video.fonts import inter
from antiphon.music.video.spectrum import BANDS
from antiphon.music.video.still import render
from antiphon.music.video.theme import Bars, Clock, Line, Region
from antiphon.music.video.yuv import Bytes, Floats, Planes, subsample

GLOW_STEPS = 24
FIGURES = "0123456789:"
WHITE = (235, 128, 128)


def clock_text(seconds: float) -> str:
    """Minutes and seconds as ``3:07``, from an hour on ``1:02:07``."""
    whole = int(seconds)
    minutes = f"{whole // 60 % 60:02d}" if whole >= 3600 else f"{whole // 60}"
    return (f"{whole // 3600}:" if whole >= 3600 else "") + f"{minutes}:{whole % 60:02d}"


class BarsPart:
    """64 bars with round ends; every height of every bar is kept ready, mixed with what lies behind it."""

    def __init__(self, bars: Bars, rest: Planes, full: Planes) -> None:
        self._lowest = bars.width
        self._steps = bars.height - bars.width
        masks = _bar_masks(bars)
        top = bars.baseline - bars.height
        self._luma = _Atlas(bars, top, 1, rest.y, full.y, masks)
        small = subsample(masks)
        self._u = _Atlas(bars, top, 2, rest.u, full.u, small)
        self._v = _Atlas(bars, top, 2, rest.v, full.v, small)

    def height(self, level: int) -> int:
        """The height in pixels of a bar whose level is 0–255."""
        return self._lowest + (level * self._steps + 127) // 255

    def paint(self, frame: Planes, levels: NDArray[np.uint8]) -> None:
        """Paints the bars of one frame from its 64 levels."""
        heights = (levels.astype(np.int32) * self._steps + 127) // 255
        self._luma.paint(frame.y, heights)
        self._u.paint(frame.u, heights)
        self._v.paint(frame.v, heights)


class _Atlas:
    """One plane of all bars at all heights: (bars, heights, rows, columns of a cell)."""

    def __init__(self, bars: Bars, top: int, scale: int, rest: Bytes, full: Bytes, masks: Floats) -> None:
        rows, columns = masks.shape[1:]
        self._area = (
            slice(top // scale, top // scale + rows),
            slice(bars.x // scale, bars.x // scale + BANDS * columns),
        )
        self._columns = columns
        weights = np.rint(masks * 256).astype(np.int32)
        self._sprites = np.empty((BANDS, *masks.shape), np.uint8)
        behind, before = self._cells(rest).astype(np.int32), self._cells(full).astype(np.int32)
        for band in range(BANDS):
            mixed = (behind[band] << 8) + (before[band] - behind[band]) * weights + 128
            self._sprites[band] = mixed >> 8

    def _cells(self, plane: Bytes) -> Bytes:
        region = plane[self._area]
        return region.reshape(len(region), BANDS, self._columns).transpose(1, 0, 2)

    def paint(self, plane: Bytes, heights: NDArray[np.int32]) -> None:
        self._cells(plane)[:] = self._sprites[np.arange(BANDS), heights]


def _bar_masks(bars: Bars) -> Floats:
    """How much of each pixel of a cell a bar covers, for every height: (heights, rows, columns), 0–1.

    A capsule's edge is softened over one pixel by its signed distance.
    """
    radius = bars.width / 2
    heights = np.arange(bars.width, bars.height + 1, dtype=np.float32)[:, None, None]
    y = np.arange(bars.height, dtype=np.float32)[None, :, None] + 0.5
    x = np.arange(bars.pitch, dtype=np.float32)[None, None, :] + 0.5 - bars.pitch / 2
    nearest = np.clip(y, bars.height - heights + radius, bars.height - radius)
    distance = np.hypot(np.broadcast_to(x, (1, 1, bars.pitch)), y - nearest) - radius
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


class LinePart:
    """The progress line: full up to the present, then a knob, then at rest."""

    def __init__(self, line: Line, rest: Planes, full: Planes) -> None:
        self._line = line
        margin = line.knob + 2 + line.knob % 2
        middle = line.y + line.height // 2
        top = (middle - margin) // 2 * 2
        left = (line.x - margin) // 2 * 2
        right = (line.x + line.width + margin + 1) // 2 * 2
        self._area = Region(left, top, right - left, 2 * margin)
        self._rest, self._full = crop(rest, self._area), crop(full, self._area)
        self._middle = middle - top

    def position(self, fraction: float) -> float:
        """The x coordinate (pixels) of the end of the full part."""
        return self._line.x + self._line.width * fraction

    def paint(self, frame: Planes, fraction: float) -> None:
        """Paints the line of a song of which ``fraction`` (0–1) has been played."""
        x = self.position(fraction) - self._area.x
        columns = np.arange(self._area.width, dtype=np.float32) + 0.5
        rows = np.arange(self._area.height, dtype=np.float32)[:, None] + 0.5
        near = slice(max(0, int(x) // 2 * 2 - 14), int(x) // 2 * 2 + 16)
        disc = np.clip(self._line.knob + 0.5 - np.hypot(columns[near] - x, rows - self._middle), 0, 1)
        filled = int(x) // 2 * 2
        area = crop(frame, self._area)
        for plane, rest, full, ink, mask, scale in (
            (area.y, self._rest.y, self._full.y, WHITE[0], disc, 1),
            (area.u, self._rest.u, self._full.u, WHITE[1], subsample(disc), 2),
            (area.v, self._rest.v, self._full.v, WHITE[2], subsample(disc), 2),
        ):
            plane[:, : filled // scale] = full[:, : filled // scale]
            plane[:, filled // scale :] = rest[:, filled // scale :]
            spot = plane[:, near.start // scale : near.start // scale + mask.shape[1]]
            spot[:] = np.rint(spot + (ink - spot.astype(np.float32)) * mask[:, : spot.shape[1]])


class GlowPart:
    """A region that brightens from rest to full with the pulse of the music."""

    def __init__(self, region: Region, rest: Planes, full: Planes) -> None:
        self._region = region
        dark, bright = crop(rest, region), crop(full, region)
        self._steps = [_mixed(dark, bright, step / (GLOW_STEPS - 1)) for step in range(GLOW_STEPS)]

    def paint(self, frame: Planes, pulse: int) -> None:
        """Paints the region for a pulse of 0–255."""
        step = self._steps[(pulse * (GLOW_STEPS - 1) + 127) // 255]
        area = crop(frame, self._region)
        area.y[:], area.u[:], area.v[:] = step.y, step.u, step.v


class ClockPart:
    """The elapsed time in figures of equal width, which are drawn once and then put together."""

    def __init__(self, clock: Clock, rest: Planes, longest: str, opacity: float = 0.72) -> None:
        advances = {character: inter().advance(character, clock.weight) * clock.size for character in FIGURES}
        digit = max(advances.values())
        self._left, self._cell = clock.x % 2, clock.size * 3 // 2
        self._advances = {character: advances[character] if character == ":" else digit for character in FIGURES}
        width = sum(self._advances[character] for character in longest)
        height = clock.size * 3 // 4 * 2
        self._area = Region(clock.x // 2 * 2, (clock.baseline - clock.size) // 2 * 2, int(width) // 2 * 2 + 8, height)
        self._rest = crop(rest, self._area)
        self._figures = _figures(clock, clock.baseline - self._area.y, height)
        self._opacity = opacity
        self._drawn = lru_cache(maxsize=2)(self._draw)

    def paint(self, frame: Planes, seconds: float) -> None:
        """Paints the time since the start of the song."""
        area = crop(frame, self._area)
        area.y[:], area.u[:], area.v[:] = self._drawn(clock_text(seconds))

    def _draw(self, words: str) -> tuple[Bytes, Bytes, Bytes]:
        cell = self._cell
        alpha = np.zeros((self._area.height, self._area.width + 2 * cell), np.float32)
        x = float(cell + self._left)
        for character in words:
            left = round(x + self._advances[character] / 2 - cell / 2)
            spot = alpha[:, left : left + cell]
            np.maximum(spot, self._figures[character], out=spot)
            x += self._advances[character]
        alpha = np.float32(self._opacity) * alpha[:, cell:-cell]
        small = subsample(alpha)
        grounds = (self._rest.y, WHITE[0], alpha), (self._rest.u, WHITE[1], small), (self._rest.v, WHITE[2], small)
        y, u, v = (
            np.rint(plane + (ink - plane.astype(np.float32)) * mask).astype(np.uint8) for plane, ink, mask in grounds
        )
        return y, u, v


def _figures(clock: Clock, baseline: int, height: int) -> dict[str, Floats]:
    """The coverage (height, 1.5 × size) of each figure, centred."""
    cell = clock.size * 3 // 2
    glyphs = "".join(f'<text x="{(i + 0.5) * cell}" y="{baseline}">{c}</text>' for i, c in enumerate(FIGURES))
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{cell * len(FIGURES)}" height="{height}">'
        f'<g font-family="Inter" font-size="{clock.size}" font-weight="{clock.weight}" text-anchor="middle">'
        f"{glyphs}</g></svg>"
    )
    alpha: Floats = np.asarray(render(drawing).getchannel("A"), np.float32) / np.float32(255)
    return {character: alpha[:, i * cell : (i + 1) * cell] for i, character in enumerate(FIGURES)}


def crop(planes: Planes, region: Region) -> Planes:
    """A view of a region; its ``buffer`` is the whole frame's."""
    x, y, width, height = region.x, region.y, region.width, region.height
    half = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
    return Planes(planes.buffer, planes.y[y : y + height, x : x + width], planes.u[half], planes.v[half])


def _mixed(dark: Planes, bright: Planes, share: float) -> Planes:
    height, width = dark.y.shape
    result = Planes.empty(width, height)
    for target, one, other in (
        (result.y, dark.y, bright.y),
        (result.u, dark.u, bright.u),
        (result.v, dark.v, bright.v),
    ):
        target[:] = np.rint(one + share * (other.astype(np.float32) - one))
    return result
