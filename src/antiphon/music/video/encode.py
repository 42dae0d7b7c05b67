"""Frames and sound into an MP4 file that plays everywhere and starts before it is loaded."""

from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from antiphon.music.audio.source import open_source
from antiphon.music.video.sound import packets
from antiphon.music.video.thumbnail import attach
from antiphon.music.video.yuv import Planes

KEYFRAME_SECONDS = 5
LEAD_SECONDS = 0.5
"""How far sound is written ahead of the picture: enough to interleave, little to hold."""


class Mp4:
    """An MP4 being written: H.264 High, yuv420p, BT.709, and the sound of an audio file. Use as a context manager.

    The sound is taken over packet by packet with ``copy`` (the source must be ``sound.copyable``), else it is encoded
    as AAC, 320 kbit/s, stereo. ``thumbnail`` is a JPEG for the file's cover art.
    """

    def __init__(
        self,
        path: Path,
        sound: Path,
        *,
        width: int,
        height: int,
        fps: int,
        threads: int,
        crf: float,
        metadata: Mapping[str, str],
        copy: bool,
        thumbnail: bytes,
    ) -> None:
        self._fps = fps
        with ExitStack() as opened:
            options = {"movflags": "+faststart"}
            self._output = opened.enter_context(av.open(f"file:{path.absolute()}", "w", format="mp4", options=options))
            self._output.metadata.update(metadata)
            self._add_video(width, height, threads, crf)
            source = opened.enter_context(open_source(sound))
            self._packets = packets(source, self._output, copy=copy)
            self._output.mux(attach(self._output, thumbnail))
            self._head = next(self._packets, None)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._opened:
            if kind is None:
                self._output.mux(self._video.encode(None))
                self._write_sound(float("inf"))

    def write(self, index: int, planes: Planes) -> None:
        """Encodes the frame with that index; ``planes`` may be painted over as soon as this returns."""
        frame = VideoFrame.from_numpy_buffer(planes.buffer, format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, self._fps)
        frame.colorspace, frame.color_range = Colorspace.ITU709, ColorRange.MPEG
        frame.color_primaries, frame.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._output.mux(self._video.encode(frame))
        self._write_sound(index / self._fps + LEAD_SECONDS)

    def _add_video(self, width: int, height: int, threads: int, crf: float) -> None:
        options = {"preset": "veryfast", "crf": str(crf), "profile": "high"}
        self._video = self._output.add_stream("libx264", rate=self._fps, options=options)
        context = self._video.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, self._fps)
        context.gop_size = KEYFRAME_SECONDS * self._fps
        context.thread_count = threads
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709

    def _write_sound(self, until: float) -> None:
        while self._head is not None and self._head[0] < until:
            self._output.mux(self._head[1])
            self._head = next(self._packets, None)
