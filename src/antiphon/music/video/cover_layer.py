"""The cover, which grows a little on each beat while a light comes up behind it."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from antiphon.music.video.ink import BLACK, Canvas
from antiphon.music.video.theme import Region, Theme
from antiphon.music.video.yuv import Bytes, Floats, from_picture, subsample

STEPS = 16
"""Between rest and the strongest beat; each is drawn once and kept."""

EDGE = 0.3
"""How bright the upper rim of the cover is; without it a dark cover has no edge on a dark ground."""

_FINE = 4
_WHOLE = 128
"""Of what lies beneath, in the units in which it is kept: the product with a level fits into 16 bits."""

Sprite = tuple[tuple[Bytes, Bytes], ...]
"""For luma and chroma what a step adds, and how much it leaves of what is beneath (of ``_WHOLE``)."""


class CoverPart:
    """Paints the cover and its halo on the ground. ``halo`` is the theme's layer in ``cover_region``, R'G'B'A."""

    def __init__(self, theme: Theme, art: Image.Image, halo: Floats) -> None:
        place = theme.places["cover"].scaled(theme.scale)
        self._pulse = theme.pulse
        self.region = region = cover_region(theme)
        self._halo = Image.fromarray(np.rint(halo * 255).astype(np.uint8), "RGBA")
        self._middle = place.x + place.width / 2 - region.x, place.y + place.height / 2 - region.y
        self._card = _card(art, round(place.width), place.radius, region, self._middle)
        self._sprite = lru_cache(maxsize=STEPS)(self._draw)

    def paint(self, canvas: Canvas, pulse: int, renewed: list[slice]) -> list[Region]:
        """Paints ``lit`` for a pulse of 0–255: the rows whose ground is new, and the cover, if it is not as it was.

        Gives what has changed.
        """
        step = (pulse * (STEPS - 1) + 127) // 255
        height, width = canvas.lit.y.shape
        changed = [Region(0, rows.start, width, rows.stop - rows.start) for rows in renewed]
        moved = canvas.changed(self, step)
        if moved:
            changed.append(self.region)
        for region in changed:
            beneath, above, _ = canvas.areas(region)
            for lit, ground in zip(above, beneath, strict=True):
                lit[:] = ground
        for rows in [slice(0, height)] if moved else renewed:
            self._lay(canvas, step, rows)
        return changed

    def _lay(self, canvas: Canvas, step: int, rows: slice) -> None:
        region = self.region
        first, last = max(rows.start, region.y) - region.y, min(rows.stop, region.y + region.height) - region.y
        if first >= last:
            return
        _, lit, _ = canvas.areas(region)
        for whole, (paint, rest), scale in zip(lit, self._sprite(step), (1, 2), strict=True):
            part = slice(first // scale, last // scale)
            plane = whole[..., part, :]
            mixed = canvas.buffer(0, plane.shape).view(np.uint16)
            np.multiply(plane, rest[part], out=mixed, dtype=np.uint16)
            mixed += _WHOLE // 2
            mixed >>= 7
            mixed += paint[..., part, :]
            np.copyto(plane, mixed, casting="unsafe")

    def _draw(self, step: int) -> Sprite:
        beat = step / (STEPS - 1)
        (width, height), (x, y) = self._card.size, self._middle
        shown = 1 / (1 + self._pulse.growth * beat)
        box = (x * (1 - shown), y * (1 - shown), x + (width - x) * shown, y + (height - y) * shown)
        card = self._card.resize(self._card.size, Image.Resampling.BICUBIC, box) if step else self._card
        light = self._halo.copy()
        light.putalpha(light.getchannel("A").point(lambda opacity: round(opacity * self._pulse.halo * beat)))
        light.alpha_composite(card)
        opacity = np.asarray(light.getchannel("A"), np.float32) / np.float32(255)
        small = subsample(opacity)
        planes = from_picture(light.convert("RGBa"))
        return tuple(
            (
                np.clip(plane - np.rint(black * (1 - opaque)), 0, 255).astype(np.uint8),
                np.rint(_WHOLE * (1 - opaque)).astype(np.uint8),
            )
            for plane, opaque, black in zip(planes, (opacity, small), BLACK, strict=True)
        )


def cover_region(theme: Theme) -> Region:
    """The pixels on which the cover and its halo are painted."""
    place = theme.places["cover"].scaled(theme.scale)
    return Region.around(place, theme.pulse.margin * theme.scale, theme.width, theme.height)


def _card(art: Image.Image, size: int, radius: float, region: Region, middle: tuple[float, float]) -> Image.Image:
    """The cover with round corners and a rim in the middle of a region; its colours go on beyond its edges."""
    fine = size * _FINE
    mask, rim = (Image.new("L", (fine, fine), 0) for _ in range(2))
    box, corner = (0, 0, fine - 1, fine - 1), min(radius * _FINE, fine / 2)
    ImageDraw.Draw(mask).rounded_rectangle(box, corner, fill=255)
    ImageDraw.Draw(rim).rounded_rectangle(box, corner, outline=255, width=_FINE)
    mask, rim = (drawn.resize((size, size), Image.Resampling.BOX) for drawn in (mask, rim))
    light = (
        np.asarray(rim, np.float32)[..., None] / 255 * np.linspace(EDGE, 0.06, size, dtype=np.float32)[:, None, None]
    )
    pixels = np.asarray(art.resize((size, size), Image.Resampling.LANCZOS), np.float32)
    pixels = np.asarray(pixels + (255 - pixels) * light, np.float32)
    left, above = round(middle[0] - size / 2), round(middle[1] - size / 2)
    margins = (above, region.height - size - above), (left, region.width - size - left)
    colour = np.pad(np.rint(pixels).astype(np.uint8), (*margins, (0, 0)), mode="edge")
    opacity = np.pad(np.asarray(mask), margins)
    return Image.fromarray(np.dstack([colour, opacity]), "RGBA")
