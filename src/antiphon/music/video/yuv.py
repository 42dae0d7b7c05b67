"""Pictures as YUV 4:2:0 planes in BT.709, which the encoder takes without conversion."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from antiphon.music.video.theme import Region

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""What red, green and blue add to luma in BT.709."""


@dataclass(frozen=True)
class Planes:
    """``y`` (height, width) and ``chroma`` (2, height / 2, width / 2), which is ``u`` and ``v``: views of one
    ``buffer`` (height × 3/2, width). What is done to one plane of chroma is done to both, and in one go."""

    buffer: Bytes
    y: Bytes
    chroma: Bytes

    @classmethod
    def empty(cls, width: int, height: int) -> "Planes":
        """Planes of an even size, uninitialised."""
        buffer = np.empty((height * 3 // 2, width), np.uint8)
        chroma = buffer[height:].reshape(2, height // 2, width // 2)
        return cls(buffer, buffer[:height], chroma)

    @property
    def u(self) -> Bytes:
        plane: Bytes = self.chroma[0]
        return plane

    @property
    def v(self) -> Bytes:
        plane: Bytes = self.chroma[1]
        return plane

    def __iter__(self) -> Iterator[Bytes]:
        return iter((self.y, self.chroma))

    def copy(self) -> "Planes":
        """Planes with the same content and a buffer of their own."""
        height, width = self.y.shape
        other = Planes.empty(width, height)
        other.buffer[:] = self.buffer
        return other


def crop(planes: Planes, region: Region) -> Planes:
    """A view of a region; its ``buffer`` is the whole frame's."""
    x, y, width, height = region.x, region.y, region.width, region.height
    rows, columns = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
    return Planes(planes.buffer, planes.y[y : y + height, x : x + width], planes.chroma[:, rows, columns])


def convert(picture: Floats) -> tuple[Floats, Floats]:
    """The luma and chroma of an R'G'B' picture (height, width, 3), 0–1, in limited-range BT.709, unrounded (ITU-R
    BT.709-6, items 3.2–3.5).

    Chroma is low-passed and sited left, as H.264 assumes when a stream does not say otherwise.
    """
    luma: Floats = np.asarray(picture @ LUMA, np.float32)
    blue, red = (picture[..., channel] - luma for channel in (2, 0))
    differences = np.stack([blue / np.float32(1.8556), red / np.float32(1.5748)])
    return np.asarray(16 + 219 * luma, np.float32), np.asarray(128 + 224 * subsample(differences), np.float32)


def from_picture(picture: Image.Image) -> Planes:
    """An opaque picture, of which each pixel's first three bytes are R'G'B', in BT.709, converted by FFmpeg."""
    pixels = np.ascontiguousarray(np.asarray(picture)[..., :3])
    frame = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    planes = Planes.empty(picture.width, picture.height)
    planes.buffer[:] = frame.to_ndarray()
    return planes


def subsample(plane: Floats) -> Floats:
    """A plane (…, height, width) at half the size: [1 2 1]/4 across around even columns, [1 1]/2 down."""
    left = np.concatenate([plane[..., :1], plane[..., 1:-1:2]], axis=-1)
    across = (left + 2 * plane[..., ::2] + plane[..., 1::2]) / 4
    return np.asarray((across[..., ::2, :] + across[..., 1::2, :]) / 2, np.float32)
