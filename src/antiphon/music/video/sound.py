"""Sound of a video: the source's own where an MP4 that plays everywhere can hold it, else encoded as AAC.

Either way the first sample that the source's decoder gives is heard with frame 0.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from antiphon.music import audio
from antiphon.music.audio.source import Samples, Source, open_source

AudioMode = Literal["auto", "copy"]
"""``copy`` also keeps MP3, which Apple's players do not play in an MP4."""

TimedPacket = tuple[float, "Packet[AudioStream]"]

AAC_BIT_RATE = 320_000


def copyable(path: Path, mode: AudioMode = "auto") -> bool:
    """Whether an MP4 can hold the file's sound as it is: AAC, or MP3 if asked for, of one configuration throughout.

    MP3, and AAC without a container around it (ADTS), say in the header of every packet what they are (ISO 11172-3,
    2.4.1.3; ISO 13818-7, 6.2): it may change on the way, or leave its channels to the data, and an MP4 can express
    neither.
    """
    with open_source(path) as source:
        context = source.track.codec_context
        if context.name == "aac" and context.extradata:
            return True
        header = {"aac": _adts, "mp3": _mp3, "mp3float": _mp3 if mode == "copy" else None}.get(context.name)
        if header is None:
            return False
        try:
            settings = {header(bytes(packet)) for packet in source.container.demux(source.track) if packet.size > 7}
        except av.FFmpegError:
            return False
    return len(settings) == 1 and None not in settings


def packets(
    source: Source, output: OutputContainer, *, copy: bool, start: float = 0.0, end: float = math.inf
) -> Iterator[TimedPacket]:
    """Adds the sound's track to ``output`` at once, then gives its packets, each with its time in seconds.

    ``copy`` wants a source that is ``copyable``. Of the source, the part from ``start`` to ``end`` (seconds) is taken;
    one that does not begin at 0 is encoded, for only an encoder begins between two packets.
    """
    return _copied(source, output, end) if copy and not start else _encoded(source, output, start, end)


def _adts(packet: bytes) -> tuple[int, ...] | None:
    """What a packet's header says of format, rate and channels; None for channels that only the data tells."""
    channels = (packet[2] & 1) << 2 | packet[3] >> 6
    return (packet[1], packet[2], packet[3] >> 6) if channels else None


def _mp3(packet: bytes) -> tuple[int, ...] | None:
    """As ``_adts``: version, rate, and whether there is one channel or two; None for MPEG 2.5, unknown to an MP4."""
    if packet[0] != 0xFF or packet[1] & 0xF6 != 0xF2:
        return None
    return packet[1] & 0x08, packet[2] >> 2 & 3, int(packet[3] >> 6 == 3)


def _copied(source: Source, output: OutputContainer, end: float) -> Iterator[TimedPacket]:
    """The source's own packets with their times, moved so that what is heard first is at 0."""
    stream = output.add_stream_from_template(source.track)
    start = source.track.start_time or 0

    def shifted() -> Iterator[TimedPacket]:
        for packet in source.container.demux(source.track):
            if packet.pts is None or not packet.size:
                continue
            packet.pts -= start
            packet.dts = packet.pts
            time = float(packet.pts * packet.time_base)
            if time >= end:
                return
            packet.stream = stream
            yield time, packet

    return shifted()


def _encoded(source: Source, output: OutputContainer, start: float, end: float) -> Iterator[TimedPacket]:
    """The source decoded and encoded. The frames' own times are kept, or the encoder's delay would be heard."""
    rate = 44_100 if source.track.rate in (44_100, 22_050, 11_025, 88_200, 176_400) else 48_000
    stream = output.add_stream("aac", rate=rate, layout="stereo", options={"aac_coder": "fast"})
    stream.codec_context.bit_rate = AAC_BIT_RATE

    def encoded() -> Iterator[TimedPacket]:
        position = 0
        whole = audio.stream(source.path, sample_rate=rate, channels=2, block=1024)
        for block in _cut(whole, round(start * rate), end * rate):
            frame = AudioFrame.from_ndarray(block.T.copy(), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
            position += len(block)
            yield from _timed(stream.encode(frame), position / rate)
        yield from _timed(stream.encode(None), position / rate)

    return encoded()


def _cut(blocks: Iterable[Samples], first: int, end: float) -> Iterator[Samples]:
    """The samples from ``first`` to before ``end``."""
    position = 0
    for block in blocks:
        if position >= end:
            return
        kept = block[max(0, first - position) : math.ceil(min(len(block), end - position))]
        position += len(block)
        if len(kept):
            yield kept


def _timed(packets: "list[Packet[AudioStream]]", time: float) -> Iterator[TimedPacket]:
    return ((time, packet) for packet in packets)
