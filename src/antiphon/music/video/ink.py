"""Painting with an opacity that changes from frame to frame, in whole numbers and reused buffers."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antiphon.music.video.theme import Region
from antiphon.music.video.yuv import Bytes, Planes, crop

OPAQUE = 64
"""The opacity that covers fully: the product with a difference of levels stays within 16 bits."""

WHITE, BLACK = (235, 128), (16, 128)

Shorts = NDArray[np.int16]
Colours = tuple[Shorts, Shorts]
"""Of luma and of both planes of chroma."""


@dataclass
class Canvas:
    """What one thread paints on: the ``ground``, over it the cover (``lit``), over that all else (``frame``)."""

    ground: Planes
    lit: Planes
    frame: Planes
    states: dict[object, object] = field(default_factory=dict)
    "What each part has painted last."

    _buffers: dict[int, Shorts] = field(default_factory=dict)
    _areas: dict[Region, tuple[Planes, Planes, Planes]] = field(default_factory=dict)

    @classmethod
    def empty(cls, width: int, height: int) -> "Canvas":
        """A canvas on which nothing has been painted yet."""
        ground, lit, frame = (Planes.empty(width, height) for _ in range(3))
        return cls(ground, lit, frame)

    def areas(self, region: Region) -> tuple[Planes, Planes, Planes]:
        """``ground``, ``lit`` and ``frame`` in a region."""
        if region not in self._areas:
            self._areas[region] = crop(self.ground, region), crop(self.lit, region), crop(self.frame, region)
        return self._areas[region]

    def buffer(self, number: int, shape: tuple[int, ...]) -> Shorts:
        """One of several arrays to calculate in; what it held is lost at the next call."""
        size = math.prod(shape)
        if number not in self._buffers or self._buffers[number].size < size:
            self._buffers[number] = np.empty(size, np.int16)
        return self._buffers[number][:size].reshape(shape)

    def changed(self, part: object, state: object) -> bool:
        """Whether a part has to be painted in a state other than the one it was painted in last, which this is now."""
        before = self.states.get(part, self)
        self.states[part] = state
        return before != state


def lay(canvas: Canvas, target: Bytes, under: Bytes, ink: Shorts | int, opacity: Shorts) -> None:
    """Paints ``target`` with what is ``under`` it, covered by ``ink`` with an ``opacity`` of 0 to ``OPAQUE``."""
    mixed = canvas.buffer(0, under.shape)
    np.subtract(ink, under, out=mixed, dtype=np.int16)
    mixed *= opacity
    mixed += OPAQUE // 2
    mixed >>= 6
    mixed += under
    np.copyto(target, mixed, casting="unsafe")
