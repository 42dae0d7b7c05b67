"""The ground of a frame: the blurred cover, which drifts slowly, and over it what never moves.

To paint all of it anew for each frame would cost as much as encoding it. It drifts so slowly that within half a second
no pixel changes by more than a level or so: each frame renews a few strips, and
after ``RENEWAL`` seconds all have had their turn.
"""

import math

import numpy as np
from numpy.typing import NDArray

from antiphon.music.video.background import grain
from antiphon.music.video.theme import Background
from antiphon.music.video.yuv import Bytes, Floats, Planes, convert, subsample

STRIP = 48
RENEWAL = 0.5


class Ground:
    """``picture`` (height + 2 × margin, width + 2 × margin, 3), 0–1, under ``still``, an RGBA picture of the frame."""

    def __init__(self, picture: Floats, still: Floats, given: Background, fps: int) -> None:
        height, width, _ = still.shape
        self._margin = (picture.shape[0] - height) // 2
        self._height = height
        self._frames = given.seconds * fps
        self._turns = max(1, round(RENEWAL * fps))
        stride = next(step for step in range(self._turns * 5 // 8 + 1, 99) if math.gcd(step, self._turns) == 1)
        self._turn = [strip * stride % self._turns for strip in range(-(-height // STRIP))]
        noises, scales = (grain(width, height)[..., 0], None), (1, 2)
        self._layers = [
            _Layer(*given) for given in zip(convert(picture), noises, *premultiplied(still), scales, strict=True)
        ]

    def renewed(self, index: int) -> list[slice]:
        """The rows that frame ``index`` renews, given that it follows the frame before."""
        return [self._rows(strip) for strip, turn in enumerate(self._turn) if turn == index % self._turns]

    def renew(self, planes: Planes, index: int) -> None:
        """Paints the rows that frame ``index`` renews."""
        for rows in self.renewed(index):
            self._paint(planes, rows, index)

    def fill(self, planes: Planes, index: int) -> None:
        """Paints all rows as they are after frame ``index``, whatever was painted before."""
        for strip, turn in enumerate(self._turn):
            self._paint(planes, self._rows(strip), max(0, index - (index - turn) % self._turns))

    def _rows(self, strip: int) -> slice:
        return slice(strip * STRIP, min((strip + 1) * STRIP, self._height))

    def _paint(self, planes: Planes, rows: slice, index: int) -> None:
        angle = 2 * math.pi * index / self._frames
        x, y = (round(self._margin * (1 + swing) / 2) * 2 for swing in (math.sin(angle), math.cos(angle)))
        for layer, plane in zip(self._layers, planes, strict=True):
            layer.paint(plane, rows, x, y)


class _Layer:
    """Luma, or both planes of chroma, in 256ths of a level."""

    def __init__(self, ground: Floats, noise: Floats | None, paint: Floats, opacity: Floats, scale: int) -> None:
        self._scale = scale
        self._ground = np.rint(ground * 256).astype(np.uint16)
        rounding = np.full(opacity.shape, 128) if noise is None else np.rint(128 + 256 * 219 * noise)
        self._rounding = rounding.astype(np.int16).view(np.uint16)  # may be negative: the sum wraps round
        self._paint = np.rint(256 * paint + 128).astype(np.uint16)
        self._rest = np.rint(256 * (1 - opacity)).astype(np.uint16)
        self._painted: NDArray[np.bool_] = np.any(opacity > 0, axis=1)

    def paint(self, plane: Bytes, rows: slice, x: int, y: int) -> None:
        scale = self._scale
        rows = slice(rows.start // scale, rows.stop // scale)
        x, y, width = x // scale, y // scale, plane.shape[-1]
        mixed = self._ground[..., rows.start + y : rows.stop + y, x : x + width] + self._rounding[rows]
        mixed >>= 8
        if self._painted[rows].any():
            mixed *= self._rest[rows]
            mixed += self._paint[..., rows, :]
            mixed >>= 8
        plane[..., rows, :] = mixed


def premultiplied(picture: Floats) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Luma and chroma of an RGBA picture as they add to what is left of those beneath, and their opacities."""
    opacity = np.ascontiguousarray(picture[..., 3])
    small = subsample(opacity)
    luma, chroma = convert(picture[..., :3] * opacity[..., None])
    return (luma - 16 * (1 - opacity), chroma - 128 * (1 - small)), (opacity, small)
