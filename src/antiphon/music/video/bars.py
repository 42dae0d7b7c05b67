"""The 64 bars and the light behind them, in a row, up and down from a line, or round a circle.

Whether a pixel belongs to a bar depends on one number, how far along the bar it lies, and on how long the bar is at the
moment. Both are kept in 64ths of a pixel, so that their difference is the pixel's opacity on a bar's round end.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.video.ink import OPAQUE, Canvas, Colours, Shorts, lay
from antiphon.music.video.spectrum import BANDS
from antiphon.music.video.theme import Bars, Place, Region, Theme
from antiphon.music.video.yuv import Bytes, Floats, crop

RISE = 1.1
"""The light falls from full to nothing over this share of the height of the bars' place."""

_SPREAD = np.array([1, 3, 5, 6, 5, 3, 1], np.float32) / 24
"""The light takes the mean of neighbouring bars."""


class BarsPart:
    """Paints the bars of a theme. ``ink`` is that of ``region``."""

    def __init__(self, theme: Theme, ink: Colours) -> None:
        self.region = bars_region(theme)
        form = {"row": _Row, "mirror": _Mirror, "ring": _Ring}[theme.bars.form]
        self._grids = [form(theme, self.region, step) for step in (1, 2)]
        self._ink = ink

    def paint(self, canvas: Canvas, levels: NDArray[np.uint8], seconds: float) -> None:
        """Paints the bars of one frame from its 64 levels."""
        frame, lit = crop(canvas.frame, self.region), crop(canvas.lit, self.region)
        luma, chroma = self._grids
        luma.lay(canvas, [(frame.y, lit.y, self._ink[0])], levels, seconds)
        chroma.lay(canvas, [(frame.u, lit.u, self._ink[1]), (frame.v, lit.v, self._ink[2])], levels, seconds)


def bars_region(theme: Theme) -> Region:
    """The pixels on which the bars and their light are painted."""
    place = theme.places["bars"].scaled(theme.scale)
    return Region.around(place, theme.bars.reach * theme.scale, theme.width, theme.height)


Layer = tuple[Bytes, Bytes, Shorts | int]
"""A plane of the frame, what is under it, and the ink."""


class _Form:
    """The pixels of a plane: all of it (``step`` 1) or every other one in both directions (2)."""

    def __init__(self, theme: Theme, region: Region, step: int) -> None:
        self.bars: Bars = theme.bars
        self.step, self.scale = step, theme.scale
        self.place: Place = theme.places["bars"].scaled(theme.scale)
        # Chroma is sited on the left of two pixels, and between two rows.
        self.x = np.arange(0, region.width, step, dtype=np.float32) + np.float32(region.x + 0.5)
        self.y = np.arange(0, region.height, step, dtype=np.float32)[:, None] + np.float32(region.y + step / 2)
        self.reach = theme.bars.reach * theme.scale
        self.fine = OPAQUE / step
        self.soft = OPAQUE / (self.place.height * RISE)
        self.light = OPAQUE * theme.bars.glow**0.5
        self.most: Shorts

    def join(self, opacity: Shorts, glow: Shorts) -> None:
        """Puts the light behind the bars; it fades towards its ends as light does, not in proportion."""
        np.clip(glow, 0, self.most, out=glow)
        glow *= glow
        glow >>= 6
        np.maximum(opacity, glow, out=opacity)

    def whole(self, values: Floats) -> Shorts:
        return np.rint(np.clip(values, -30000, 30000)).astype(np.int16)


class _Row(_Form):
    """Bars side by side on the foot of their place."""

    def __init__(self, theme: Theme, region: Region, step: int) -> None:
        super().__init__(theme, region, step)
        pitch = self.place.width / BANDS
        self.radius = pitch * self.bars.width / 2
        cell = np.clip((self.x - self.place.x) / pitch, 0, BANDS - 1e-4)
        self.bar = cell.astype(np.intp)
        self.aside = np.abs(cell - self.bar - 0.5) * pitch
        beyond = np.maximum(self.place.x - self.x, self.x - self.place.x - self.place.width)
        self.aside = np.where(beyond > 0, self.radius + 9, self.aside)
        self.cap = self.radius - np.sqrt(np.maximum(self.radius**2 - self.aside**2, 0))
        self.middles = self.place.x + (np.arange(BANDS) + 0.5) * pitch
        self.order = np.arange(BANDS) if self.bars.order == "rising" else np.abs(2 * np.arange(BANDS) - BANDS + 1)
        self.fade = np.clip(1 - beyond / self.reach, 0, 1)
        self.prepare()

    def prepare(self) -> None:
        foot = self.place.y + self.place.height
        self.full = self.place.height
        below = np.maximum(self.y - (foot - self.radius), 0)
        self.lane = self.whole(OPAQUE * np.clip((self.radius - np.hypot(self.aside, below)) / self.step + 0.5, 0, 1))
        self.along = self.whole(self.fine * (foot - self.y))
        self.along_soft = self.whole(self.soft * (foot - self.y))
        fade = self.fade * np.clip(1 - (self.y - foot) / self.reach * 1.6, 0, 1)
        self.most = self.whole(self.light * fade)

    def lengths(self, levels: NDArray[np.uint8]) -> tuple[Shorts, Shorts]:
        """For each column how long its bar is, less its rounding, and how far the light reaches."""
        least = 2 * self.radius * self.bars.least
        length = least + levels[self.order] * np.float32((self.full - least) / 255)
        bars = self.whole(self.fine * (length[self.bar] - self.cap) + OPAQUE / 2)
        spread = np.convolve(np.pad(length - least, 3, mode="edge"), _SPREAD, mode="valid")
        light = np.interp(self.x, self.middles, spread) + min(self.reach, float(spread.max()))
        return bars, self.whole(self.soft * light)

    def lay(self, canvas: Canvas, layers: list[Layer], levels: NDArray[np.uint8], seconds: float) -> None:
        bars, light = self.lengths(levels)
        shape = self.lane.shape
        opacity, glow = canvas.buffer(1, shape), canvas.buffer(2, shape)
        np.subtract(bars, self.along, out=opacity)
        np.minimum(opacity, self.lane, out=opacity)
        np.subtract(light, self.along_soft, out=glow)
        self.join(opacity, glow)
        for target, under, ink in layers:
            lay(canvas, target, under, ink, opacity)


class _Mirror(_Row):
    """Bars that grow up and down from a line, which may swell."""

    def prepare(self) -> None:
        self.full = self.place.height / 2 - self.bars.swell * self.scale
        self.lane = self.whole(OPAQUE * np.clip((self.radius - self.aside) / self.step + 0.5, 0, 1))
        self.middle = self.place.y + self.place.height / 2
        self.most = self.whole(self.light * self.fade)
        self.rows, self.rows_soft = self.whole(self.fine * (self.y - self.middle)), self.y - self.middle
        self.rows_soft = self.whole(self.soft * (self.y - self.middle))

    def lay(self, canvas: Canvas, layers: list[Layer], levels: NDArray[np.uint8], seconds: float) -> None:
        bars, light = self.lengths(levels)
        given = self.bars
        phase = given.waves * self.middles / self.place.width - seconds / given.seconds
        swell = given.swell * self.scale * np.sin(2 * math.pi * phase)
        smooth = np.interp(self.x, self.middles, swell)
        shape = self.rows.shape[0], self.x.shape[0]
        opacity, glow = canvas.buffer(1, shape), canvas.buffer(2, shape)
        np.subtract(self.rows, self.whole(self.fine * swell[self.bar]), out=opacity)
        np.abs(opacity, out=opacity)
        np.subtract(bars, opacity, out=opacity)
        np.minimum(opacity, self.lane, out=opacity)
        np.subtract(self.rows_soft, self.whole(self.soft * smooth), out=glow)
        np.abs(glow, out=glow)
        np.subtract(light, glow, out=glow)
        self.join(opacity, glow)
        for target, under, ink in layers:
            lay(canvas, target, under, ink, opacity)


class _Ring(_Form):
    """Bars that grow outwards round the cover, the same on the left and on the right: only its own pixels are touched."""

    def __init__(self, theme: Theme, region: Region, step: int) -> None:
        super().__init__(theme, region, step)
        cover = theme.places["cover"].scaled(theme.scale)
        inner = cover.width / 2 + self.bars.gap * self.scale
        outer = self.place.width / 2
        x, y = self.x - (self.place.x + self.place.width / 2), self.y - (self.place.y + self.place.height / 2)
        distance = np.hypot(x, y)
        self.pixels = np.flatnonzero((distance > inner - 2) & (distance < outer + self.reach))
        turn = np.abs(np.arctan2(np.broadcast_to(x, distance.shape), y)).ravel()[self.pixels]  # 0 at the bottom
        along = distance.ravel()[self.pixels] - np.float32(inner)
        cell = np.clip(turn / math.pi * BANDS, 0, BANDS - 1e-4)
        self.bar = cell.astype(np.intp)
        aside = np.abs(np.sin((cell - self.bar - 0.5) * (math.pi / BANDS))) * (along + inner)
        radius = inner * math.pi / BANDS * self.bars.width / 2
        cap = radius - np.sqrt(np.maximum(radius**2 - aside**2, 0))
        below = np.maximum(radius - along, 0)
        self.lane = self.whole(OPAQUE * np.clip((radius - np.hypot(aside, below)) / step + 0.5, 0, 1))
        self.along = self.whole(self.fine * (along + cap) - OPAQUE / 2)
        self.soft = OPAQUE / ((outer - inner) * RISE)
        self.along_soft = self.whole(self.soft * along)
        fade = np.clip(1 - (along - (outer - inner)) / self.reach, 0, 1) * np.clip(along / self.reach + 0.6, 0, 1)
        self.most = self.whole(self.light * fade)
        self.fan = np.rint(turn / math.pi * 8 * BANDS).astype(np.intp)
        self.least, self.full = 2 * radius * self.bars.least, outer - inner

    def lay(self, canvas: Canvas, layers: list[Layer], levels: NDArray[np.uint8], seconds: float) -> None:
        length = self.least + levels * np.float32((self.full - self.least) / 255)
        spread = np.convolve(np.pad(length - self.least, 3, mode="reflect"), _SPREAD, mode="valid")
        fan = np.interp(np.arange(8 * BANDS + 1) / 8, np.arange(BANDS) + 0.5, spread)
        light = self.whole(self.soft * (fan + min(self.reach, float(spread.max()))))
        shape = self.pixels.shape
        opacity, glow = canvas.buffer(1, shape), canvas.buffer(2, shape)
        np.take(self.whole(self.fine * length), self.bar, out=opacity, mode="clip")
        opacity -= self.along
        np.minimum(opacity, self.lane, out=opacity)
        np.take(light, self.fan, out=glow, mode="clip")
        glow -= self.along_soft
        self.join(opacity, glow)
        for target, under, ink in layers:
            self._mix(canvas, target, under, ink, opacity)

    def _mix(self, canvas: Canvas, target: Bytes, under: Bytes, ink: Shorts | int, opacity: Shorts) -> None:
        spots = under.ravel()[self.pixels]
        mixed = np.empty_like(spots)
        lay(canvas, mixed, spots, ink if isinstance(ink, int) else ink.ravel()[self.pixels], opacity)
        target[:] = under
        target[np.unravel_index(self.pixels, target.shape)] = mixed
