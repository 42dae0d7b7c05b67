"""Thumbnail of a video: its liveliest frame as a JPEG, beside the MP4 and in it, as its cover art."""

from fractions import Fraction
from io import BytesIO

import numpy as np
from av import VideoFrame
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from antiphon.music.video.yuv import Planes

JPEG_QUALITY = 88
"""Of the JPEG: text has no visible halos, and a 720p frame takes about 100 KB."""


def liveliest(levels: "NDArray[np.uint8]") -> int:
    """The index of the frame whose bars (frames, bands) reach highest, away from the song's very beginning and end."""
    count = len(levels)
    first, last = count // 10, max(count // 10 + 1, count * 9 // 10)
    return first + int(levels[first:last].sum(axis=1, dtype=np.uint32).argmax())


def picture(planes: Planes) -> Image.Image:
    """A frame in BT.709 as an RGB picture."""
    frame = VideoFrame.from_numpy_buffer(planes.buffer, format="yuv420p")
    frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
    return Image.fromarray(frame.reformat(format="rgb24", dst_color_range=ColorRange.JPEG).to_ndarray())


def jpeg(frame: Image.Image) -> bytes:
    """The picture as a progressive JPEG."""
    buffer = BytesIO()
    frame.save(buffer, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True, subsampling="4:2:0")
    return buffer.getvalue()


def attach(output: OutputContainer, thumbnail: bytes) -> "Packet[Stream]":
    """Adds a JPEG to an MP4 as its cover art (``covr``). The packet is to be muxed before all others."""
    stream = output.add_stream("mjpeg")
    with Image.open(BytesIO(thumbnail)) as read:
        stream.width, stream.height = read.size
    stream.pix_fmt = "yuvj420p"
    stream.time_base = Fraction(1, 90_000)
    stream.disposition = Disposition.attached_pic
    packet = Packet(thumbnail)
    packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
    return packet
