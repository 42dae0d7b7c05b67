"""Layer of the 64 bars and the light behind them, in a row, up and down from a line, or round a circle.

Whether a pixel belongs to a bar depends on one number, how far along the bar it lies, and on how long the bar is at the
moment. Both are kept in 64ths of a pixel, so that their difference is the pixel's opacity on a bar's round end.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antiphon.music.video.ink import OPAQUE, Canvas, Colours, Shorts, lay
from antiphon.music.video.spectrum import BANDS
from antiphon.music.video.theme import BarsStyle, Box, Region, Theme
from antiphon.music.video.yuv import Bytes, Floats

LIGHT_REACH_SHARE = 1.1
"""The light falls from full to nothing over this share of the height of the bars' place."""

LIGHT_BELOW_SHARE = 0.6
"""How much of its reach the light goes down from the foot of a row."""

LIGHT_SPREAD = (1 / 24, 3 / 24, 5 / 24, 6 / 24, 5 / 24, 3 / 24, 1 / 24)
"""Of a bar's light to its neighbours."""

DIRECTIONS_PER_BAR = 8
"""Directions to a bar of a ring, for the light."""


Levels = NDArray[np.uint8]


class BarsPart:
    """Paints the bars of a theme. ``ink`` is that of ``region``."""

    def __init__(self, theme: Theme, ink: Colours) -> None:
        self.region = bars_region(theme)
        form = {"row": _BarRow, "mirror": _Mirror, "ring": _Ring}[theme.bars.form]
        self._luma, self._chroma = (form(theme, self.region, step, ink[step - 1]) for step in (1, 2))

    def paint(self, canvas: Canvas, levels: Levels, seconds: float) -> None:
        """Paints the bars of one frame from its 64 levels."""
        self._luma.lay(canvas, canvas.frame.y, canvas.lit.y, levels, seconds)
        self._chroma.lay(canvas, canvas.frame.chroma, canvas.lit.chroma, levels, seconds)


def bars_region(theme: Theme) -> Region:
    """The pixels on which the bars and their light are painted."""
    place, reach = theme.places["bars"].scaled(theme.scale), theme.bars.reach * theme.scale
    if theme.bars.form == "row":
        place = replace(place, height=place.height - reach * (1 - LIGHT_BELOW_SHARE))
    return Region.around(place, reach, theme.width, theme.height)


class _PlaneGrid:
    """The pixels of a plane: all of them (``step`` 1) or every other one in both directions (2).

    ``lane`` is how much of a pixel its bar would cover if it were long enough, ``most`` how bright the light can be
    there, ``along`` and ``along_soft`` how far it lies along the bar, in units of the bars' and the light's opacity.
    """

    lane: Shorts
    most: Shorts
    along: Shorts
    along_soft: Shorts

    def __init__(self, theme: Theme, region: Region, step: int, ink: Shorts) -> None:
        self.bars: BarsStyle = theme.bars
        self.ink = ink
        self.step, self.scale = step, theme.scale
        self.place: Box = theme.places["bars"].scaled(theme.scale)
        # Chroma is sited on the left of two pixels, and between two rows.
        self.x = np.arange(0, region.width, step, dtype=np.float32) + np.float32(region.x + 0.5)
        self.y = np.arange(0, region.height, step, dtype=np.float32)[:, None] + np.float32(region.y + step / 2)
        self.rows = slice(region.y // step, (region.y + region.height) // step)
        self.columns = slice(region.x // step, (region.x + region.width) // step)
        self.area = ..., self.rows, self.columns
        self.reach = theme.bars.reach * theme.scale
        self.fine = OPAQUE / step
        self.light = OPAQUE * theme.bars.glow**0.5
        self.nothing = np.zeros(region.width * region.height, np.int16)  # numpy is slow at comparing with a number

    def lay(self, canvas: Canvas, target: Bytes, under: Bytes, levels: Levels, seconds: float) -> None:
        """Paints the bars on luma or chroma of a frame (``target``) over what is ``under`` it, both whole."""
        raise NotImplementedError

    def whole(self, values: NDArray[np.floating]) -> Shorts:
        whole: Shorts = np.rint(np.minimum(np.maximum(values, -30000), 30000)).astype(np.int16)
        return whole

    def join(self, opacity: Shorts, glow: Shorts, most: Shorts) -> None:
        """Puts the light behind the bars; it fades towards its ends as light does, not in proportion."""
        np.minimum(glow, most, out=glow)
        np.maximum(glow, self.nothing[: glow.shape[-1]], out=glow)
        glow *= glow
        glow >>= 6
        np.maximum(opacity, glow, out=opacity)


class _BarRow(_PlaneGrid):
    """Bars side by side on the foot of their place."""

    def __init__(self, theme: Theme, region: Region, step: int, ink: Shorts) -> None:
        super().__init__(theme, region, step, ink)
        pitch = self.place.width / BANDS
        self.radius = pitch * self.bars.width / 2
        cell = np.clip((self.x - self.place.x) / pitch, 0, BANDS - 1e-4)
        self.bar = cell.astype(np.intp)
        self.beyond = np.maximum(self.place.x - self.x, self.x - self.place.x - self.place.width)
        self.aside = np.where(self.beyond > 0, self.radius + 9, np.abs(cell - self.bar - 0.5) * pitch)
        self.fade = np.clip(1 - self.beyond / self.reach, 0, 1) ** 2
        self.full = self.prepare()
        self.least = 2 * self.radius * self.bars.least
        self.rounding = self.fine * (self.radius - np.sqrt(np.maximum(self.radius**2 - self.aside**2, 0))) - OPAQUE / 2
        order = np.arange(BANDS) if self.bars.order == "rising" else np.abs(2 * np.arange(BANDS) - BANDS + 1)
        self.length = np.eye(BANDS, dtype=np.float32)[order] * np.float32((self.full - self.least) / 255)
        self.spread = spread_over(cell - 0.5) @ self.length
        self.soft = OPAQUE / (self.full * LIGHT_REACH_SHARE)
        self.along_soft = self.whole(self.soft * self.distance)

    def prepare(self) -> float:
        """Sets ``lane``, ``most``, ``along`` and ``distance`` (pixels); gives the length of the longest bar."""
        foot = self.place.y + self.place.height
        self.distance = foot - self.y
        below = np.maximum(self.radius - self.distance, 0)
        self.lane = self.whole(OPAQUE * np.clip((self.radius - np.hypot(self.aside, below)) / self.step + 0.5, 0, 1))
        self.along = self.whole(self.fine * self.distance)
        self.most = self.whole(
            self.light * self.fade * np.clip(1 + self.distance / (LIGHT_BELOW_SHARE * self.reach), 0, 1)
        )
        return self.place.height

    def reached(self, levels: Levels) -> tuple[Shorts, Shorts, float]:
        """For each column how far its bar and the light reach, and the furthest of all in pixels."""
        length = self.least + self.length @ levels
        light = np.asarray(self.spread @ levels, np.float32)
        light = (light + min(self.reach, float(light.max()))) * self.fade
        furthest = max(float(length.max()), float(light.max())) + 1
        return self.whole(self.fine * length[self.bar] - self.rounding), self.whole(self.soft * light), furthest

    def lay(self, canvas: Canvas, target: Bytes, under: Bytes, levels: Levels, seconds: float) -> None:
        bars, light, furthest = self.reached(levels)
        first = int(np.count_nonzero(self.distance > furthest))
        self.cover(canvas, target[self.area], under[self.area], slice(first, None), bars, light)

    def cover(self, canvas: Canvas, target: Bytes, under: Bytes, rows: slice, bars: Shorts, light: Shorts) -> None:
        """Paints some rows; on the others there is nothing at the moment."""
        shape = self.lane[rows].shape
        opacity, glow = canvas.buffer(1, shape), canvas.buffer(2, shape)
        np.subtract(bars, self.along[rows], out=opacity)
        np.minimum(opacity, self.lane[rows], out=opacity)
        np.subtract(light, self.along_soft[rows], out=glow)
        self.join(opacity, glow, self.most[rows])
        target[..., : rows.start, :] = under[..., : rows.start, :]
        lay(canvas, target[..., rows, :], under[..., rows, :], self.ink[..., rows, :], opacity)


class _Mirror(_BarRow):
    """Bars that grow up and down from a line, which swells as a wave."""

    def prepare(self) -> float:
        self.lane = self.whole(OPAQUE * np.clip((self.radius - self.aside) / self.step + 0.5, 0, 1))
        self.most = self.whole(self.light * self.fade)
        self.distance = self.y - (self.place.y + self.place.height / 2)
        self.along = self.whole(self.fine * self.distance)
        self.phase = self.bars.waves * (self.x - self.place.x) / self.place.width
        self.phase_of_bar = self.bars.waves * (self.bar + 0.5) / BANDS
        return self.place.height / 2 - self.bars.swell * self.scale

    def lay(self, canvas: Canvas, target: Bytes, under: Bytes, levels: Levels, seconds: float) -> None:
        bars, light, _ = self.reached(levels)
        opacity, glow = (canvas.buffer(number, (len(self.along), len(self.x))) for number in (1, 2))
        np.subtract(self.along, self.swell(self.phase_of_bar, seconds, self.fine), out=opacity)
        np.abs(opacity, out=opacity)
        np.subtract(bars, opacity, out=opacity)
        np.minimum(opacity, self.lane, out=opacity)
        np.subtract(self.along_soft, self.swell(self.phase, seconds, self.soft), out=glow)
        np.abs(glow, out=glow)
        np.subtract(light, glow, out=glow)
        self.join(opacity, glow, self.most)
        lay(canvas, target[self.area], under[self.area], self.ink, opacity)

    def swell(self, phase: Floats, seconds: float, unit: float) -> Shorts:
        """How far the line lies below its middle at each column."""
        high = self.bars.swell * self.scale * unit
        return self.whole(high * np.sin(2 * math.pi * (phase - np.float32(seconds / self.bars.seconds % 1))))


class _Ring(_PlaneGrid):
    """Bars that grow outwards round the cover, left as right. Only the pixels that they can reach are touched."""

    def __init__(self, theme: Theme, region: Region, step: int, ink: Shorts) -> None:
        super().__init__(theme, region, step, ink)
        cover = theme.places["cover"].scaled(theme.scale)
        inner, outer = cover.width / 2 + self.bars.gap * self.scale, self.place.width / 2
        x, y = self.x - (self.place.x + outer), self.y - (self.place.y + self.place.height / 2)
        distance = np.hypot(x, y)
        touched = np.flatnonzero((distance > inner - 2) & (distance < outer + self.reach))
        # In the order of distance: as a rule only the inner ones are reached.
        inside = touched[np.argsort(distance.ravel()[touched], kind="stable")]
        self.ink = ink.reshape(*ink.shape[:-2], -1)[..., inside]
        rows, columns = np.unravel_index(inside, distance.shape)
        self.pixels = (rows + self.rows.start) * (theme.width // step) + columns + self.columns.start
        turn = np.abs(np.arctan2(np.broadcast_to(x, distance.shape), y)).ravel()[inside]  # 0 at the bottom
        along = distance.ravel()[inside] - np.float32(inner)
        self.distance = along
        cell = np.clip(turn / math.pi * BANDS, 0, BANDS - 1e-4)
        self.bar = cell.astype(np.intp)
        aside = np.abs(np.sin((cell - self.bar - 0.5) * (math.pi / BANDS))) * (along + inner)
        radius = inner * math.pi / BANDS * self.bars.width / 2
        rounding = radius - np.sqrt(np.maximum(radius**2 - aside**2, 0))
        below = np.maximum(radius - along, 0)
        self.lane = self.whole(OPAQUE * np.clip((radius - np.hypot(aside, below)) / step + 0.5, 0, 1))
        self.along = self.whole(self.fine * (along + rounding) - OPAQUE / 2)
        fade = np.clip(1 - (along - (outer - inner)) / self.reach, 0, 1) * np.clip(along / self.reach + 0.6, 0, 1)
        self.most = self.whole(self.light * fade)
        self.least, self.full = 2 * radius * self.bars.least, outer - inner
        self.soft = OPAQUE / (self.full * LIGHT_REACH_SHARE)
        self.along_soft = self.whole(self.soft * along)
        self.fan = np.rint(cell * DIRECTIONS_PER_BAR).astype(np.intp)
        share = np.float32((self.full - self.least) / 255)
        self.spread = (
            spread_over(np.arange(DIRECTIONS_PER_BAR * BANDS + 1, dtype=np.float32) / DIRECTIONS_PER_BAR - 0.5) * share
        )

    def lay(self, canvas: Canvas, target: Bytes, under: Bytes, levels: Levels, seconds: float) -> None:
        length = self.least + levels * np.float32((self.full - self.least) / 255)
        light = np.asarray(self.spread @ levels, np.float32)
        light += np.float32(min(self.reach, float(light.max())))
        furthest = max(float(length.max()), float(light.max())) + 1
        reached = int(np.searchsorted(self.distance, furthest))
        before = canvas.states.get(self, len(self.pixels))
        assert isinstance(before, int)
        canvas.states[self] = reached
        part = slice(0, max(reached, before))
        opacity, glow = (canvas.buffer(number, (part.stop,)) for number in (1, 2))
        self.whole(self.fine * length).take(self.bar[part], out=opacity, mode="clip")
        opacity -= self.along[part]
        np.minimum(opacity, self.lane[part], out=opacity)
        self.whole(self.soft * light).take(self.fan[part], out=glow, mode="clip")
        glow -= self.along_soft[part]
        self.join(opacity, glow, self.most[part])
        spots = flat(under).take(self.pixels[part], axis=-1, mode="clip")
        lay(canvas, spots, spots, self.ink[..., part], opacity)
        flat(target)[..., self.pixels[part]] = spots


def flat(plane: Bytes) -> Bytes:
    """A view of whole planes with their pixels in one row."""
    return plane.reshape(*plane.shape[:-2], -1)


def spread_over(places: NDArray[np.floating]) -> Floats:
    """The matrix (places, 64) that gives the light at places between bars (0 is the middle of the first one)."""
    middles, bars = np.arange(BANDS), np.eye(BANDS)
    near = np.pad(bars, ((3, 3), (0, 0)), mode="edge")
    spread = sum(weight * near[shift : shift + BANDS] for shift, weight in enumerate(LIGHT_SPREAD))
    return np.stack([np.interp(places, middles, column) for column in np.asarray(spread).T], axis=1).astype(np.float32)
