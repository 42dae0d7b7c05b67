"""Pictures as YUV 4:2:0 planes in BT.709, which the encoder takes without a conversion of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""What red, green and blue add to luma in BT.709."""


@dataclass(frozen=True)
class Planes:
    """``y`` (height, width), ``u`` and ``v`` (height / 2, width / 2): views of one ``buffer`` (height × 3/2, width)."""

    buffer: Bytes
    y: Bytes
    u: Bytes
    v: Bytes

    @classmethod
    def empty(cls, width: int, height: int) -> "Planes":
        """Planes of an even size, uninitialised."""
        buffer = np.empty((height * 3 // 2, width), np.uint8)
        chroma = buffer[height:].reshape(2, height // 2, width // 2)
        return cls(buffer, buffer[:height], chroma[0], chroma[1])

    def copy(self) -> "Planes":
        """Planes with the same content and a buffer of their own."""
        height, width = self.y.shape
        other = Planes.empty(width, height)
        other.buffer[:] = self.buffer
        return other


def from_rgb(picture: Floats) -> Planes:
    """Converts an R'G'B' picture (height, width, 3), 0–1, to limited-range BT.709 (ITU-R BT.709-6, items 3.2–3.5).

    Chroma is low-passed and sited left, as H.264 assumes when a stream does not say otherwise.
    """
    height, width, _ = picture.shape
    rgb = np.clip(picture, 0, 1)
    luma: Floats = np.asarray(rgb @ LUMA, np.float32)
    planes = Planes.empty(width, height)
    planes.y[:] = np.rint(16 + 219 * luma)
    planes.u[:] = np.rint(128 + 224 * subsample(np.asarray((rgb[..., 2] - luma) / 1.8556, np.float32)))
    planes.v[:] = np.rint(128 + 224 * subsample(np.asarray((rgb[..., 0] - luma) / 1.5748, np.float32)))
    return planes


def subsample(plane: Floats) -> Floats:
    """A plane (…, height, width) at half the size: [1 2 1]/4 across around even columns, [1 1]/2 down."""
    left = np.concatenate([plane[..., :1], plane[..., 1:-1:2]], axis=-1)
    across = (left + 2 * plane[..., ::2] + plane[..., 1::2]) / 4
    return np.asarray((across[..., ::2, :] + across[..., 1::2, :]) / 2, np.float32)
