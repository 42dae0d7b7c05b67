"""Frames and sound into an MP4 file that plays everywhere and starts before it is loaded."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from antiphon.music import audio
from antiphon.music.audio.source import Source, open_source
from antiphon.music.video.yuv import Planes

AAC_BIT_RATE = 320_000
KEYFRAME_SECONDS = 5
LEAD_SECONDS = 0.5
"""How far sound is written ahead of the picture: enough to interleave, little to hold."""


TimedPacket = tuple[float, "Packet[AudioStream]"]


class Mp4:
    """An MP4 being written: H.264 High, yuv420p, BT.709, and the sound of an audio file. Use as a context manager.

    A source that is AAC is copied packet by packet if ``copyable``; any other is encoded as AAC, 320 kbit/s, stereo.
    Either way the first sample that the source's decoder gives is heard with frame 0.
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
    ) -> None:
        self._fps = fps
        with ExitStack() as opened:
            options = {"movflags": "+faststart"}
            self._output = opened.enter_context(av.open(f"file:{path.absolute()}", "w", format="mp4", options=options))
            self._output.metadata.update(metadata)
            self._add_video(width, height, threads, crf)
            source = opened.enter_context(open_source(sound))
            self._packets = (_copied if copyable(sound) else _encoded)(source, self._output)
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


def copyable(sound: Path) -> bool:
    """Whether an MP4 can hold the file's sound as it is: AAC, undamaged, of one configuration throughout.

    Without a container around it, AAC says in the header of every packet what it is (ADTS, ISO 13818-7, 6.2): it may
    change on the way, or leave its channels to the data, and an MP4 can express neither.
    """
    with open_source(sound) as source:
        if source.track.codec_context.name != "aac":
            return False
        if source.track.codec_context.extradata:
            return True
        try:
            packets = (bytes(packet) for packet in source.container.demux(source.track) if packet.size > 7)
            settings = {(data[1], data[2], data[3] >> 6) for data in packets}
        except av.FFmpegError:
            return False
    return len(settings) == 1 and all((high & 1, low) != (0, 0) for _, high, low in settings)


def _copied(source: Source, output: OutputContainer) -> Iterator[TimedPacket]:
    """The source's own packets with their times, moved so that what is heard first is at 0."""
    stream = output.add_stream_from_template(source.track)
    start = source.track.start_time or 0

    def packets() -> Iterator[TimedPacket]:
        for packet in source.container.demux(source.track):
            if packet.pts is None or not packet.size:
                continue
            packet.pts -= start
            packet.dts = packet.pts
            time = float(packet.pts * packet.time_base)
            packet.stream = stream
            yield time, packet

    return packets()


def _encoded(source: Source, output: OutputContainer) -> Iterator[TimedPacket]:
    """The source decoded and encoded. The frames' own times are kept, or the encoder's delay would be heard."""
    rate = 44_100 if source.track.rate in (44_100, 22_050, 11_025, 88_200, 176_400) else 48_000
    stream = output.add_stream("aac", rate=rate, layout="stereo", options={"aac_coder": "fast"})
    stream.codec_context.bit_rate = AAC_BIT_RATE

    def packets() -> Iterator[TimedPacket]:
        position = 0
        for block in audio.stream(source.path, sample_rate=rate, channels=2, block=1024):
            frame = AudioFrame.from_ndarray(block.T.copy(), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
            position += len(block)
            yield from _timed(stream.encode(frame), position / rate)
        yield from _timed(stream.encode(None), position / rate)

    return packets()


def _timed(packets: "list[Packet[AudioStream]]", time: float) -> Iterator[TimedPacket]:
    return ((time, packet) for packet in packets)
