"""The cover, which grows a little on each beat while a light comes up behind it."""

import numpy as np
from PIL import Image, ImageDraw

from antiphon.music.video.drift import premultiplied
from antiphon.music.video.ink import Canvas
from antiphon.music.video.theme import Region, Theme
from antiphon.music.video.yuv import Bytes, Floats, crop

STEPS = 20
"""Between rest and the strongest beat; each is drawn once and kept."""

EDGE = 0.3
"""How bright the upper rim of the cover is; without it a dark cover has no edge on a dark ground."""

_FINE = 4
_WHOLE = 128
"""Of what lies beneath, in the units in which it is kept: the product with a level fits into 16 bits."""

Sprite = tuple[tuple[Bytes, Bytes], ...]
"""For each plane what a step adds, and how much it leaves of what is beneath (of ``_WHOLE``)."""


class CoverPart:
    """Paints the cover and its halo on the ground. ``halo`` is the theme's layer, R'G'B'A."""

    def __init__(self, theme: Theme, art: Image.Image, halo: Floats) -> None:
        place = theme.places["cover"].scaled(theme.scale)
        self._pulse = theme.pulse
        self.region = Region.around(place, theme.pulse.margin * theme.scale, theme.width, theme.height)
        region = self.region
        self._halo = halo[region.y : region.y + region.height, region.x : region.x + region.width]
        self._middle = place.x + place.width / 2 - region.x, place.y + place.height / 2 - region.y
        self._card = _card(art, round(place.width), place.radius, region, self._middle)
        self._sprites = [self._draw(step / (STEPS - 1)) for step in range(STEPS)]

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
            for lit, ground in zip(crop(canvas.lit, region), crop(canvas.ground, region), strict=True):
                lit[:] = ground
        for rows in [slice(0, height)] if moved else renewed:
            self._lay(canvas, step, rows)
        return changed

    def _lay(self, canvas: Canvas, step: int, rows: slice) -> None:
        region = self.region
        first, last = max(rows.start, region.y) - region.y, min(rows.stop, region.y + region.height) - region.y
        if first >= last:
            return
        lit = crop(canvas.lit, region)
        for plane, (paint, rest), scale in zip(lit, self._sprites[step], (1, 2, 2), strict=True):
            part = slice(first // scale, last // scale)
            mixed = canvas.buffer(0, plane[part].shape).view(np.uint16)
            np.multiply(plane[part], rest[part], out=mixed, dtype=np.uint16)
            mixed += _WHOLE // 2
            mixed >>= 7
            mixed += paint[part]
            np.copyto(plane[part], mixed, casting="unsafe")

    def _draw(self, beat: float) -> Sprite:
        size = self._card.size
        shrink = 1 / (1 + self._pulse.growth * beat)
        x, y = self._middle
        across = (shrink, 0, x * (1 - shrink), 0, shrink, y * (1 - shrink))
        card = np.asarray(self._card.transform(size, Image.Transform.AFFINE, across, Image.Resampling.BICUBIC))
        over = card.astype(np.float32) / 255
        light = self._halo[..., 3:] * np.float32(self._pulse.halo * beat)
        opacity = over[..., 3:] + light * (1 - over[..., 3:])
        colour = over[..., :3] * over[..., 3:] + self._halo[..., :3] * light * (1 - over[..., 3:])
        picture = np.concatenate([colour / np.maximum(opacity, 1e-6), opacity], axis=-1)
        return tuple(
            (np.rint(np.maximum(paint, 0)).astype(np.uint8), np.rint(_WHOLE * (1 - opaque)).astype(np.uint8))
            for paint, opaque in zip(*premultiplied(picture), strict=True)
        )


def _card(art: Image.Image, size: int, radius: float, region: Region, middle: tuple[float, float]) -> Image.Image:
    """The cover with round corners and a rim in the middle of a region; its colours go on beyond its edges."""
    fine = size * _FINE
    mask, rim = (Image.new("L", (fine, fine), 0) for _ in range(2))
    box, corner = (0, 0, fine - 1, fine - 1), min(radius * _FINE, fine / 2)
    ImageDraw.Draw(mask).rounded_rectangle(box, corner, fill=255)
    ImageDraw.Draw(rim).rounded_rectangle(box, corner, outline=255, width=_FINE)
    mask, rim = (drawn.resize((size, size), Image.Resampling.BOX) for drawn in (mask, rim))
    light = np.asarray(rim, np.float32)[..., None] / 255 * np.linspace(EDGE, 0.06, size, dtype=np.float32)[:, None, None]
    pixels = np.asarray(art.resize((size, size), Image.Resampling.LANCZOS), np.float32)
    pixels = pixels + (255 - pixels) * light
    left, above = round(middle[0] - size / 2), round(middle[1] - size / 2)
    margins = (above, region.height - size - above), (left, region.width - size - left)
    colour = np.pad(np.rint(pixels).astype(np.uint8), (*margins, (0, 0)), mode="edge")
    opacity = np.pad(np.asarray(mask), margins)
    return Image.fromarray(np.dstack([colour, opacity]), "RGBA")
