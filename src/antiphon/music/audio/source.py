"""Decoder of an untrusted file's sound, which can open nothing but that file.

FFmpeg has "formats" that are lists of other files or URLs (HLS, concat, DASH, SDP, image sequences). A server
that opens those lets an upload read its disk or its network. So only containers that carry their
data themselves may be opened, the file is handed over as an open handle, and no protocol is allowed at all.
"""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard
from numpy.typing import NDArray

from antiphon.errors import NotAudio
from antiphon.music.audio.claims import check_claims

CONTAINERS = (
    "aac,ac3,adts,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,loas,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,mpeg,mpegts,ogg,tak,tta,voc,w64,wav,wv"
)
MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_CHANNELS = 32
MAX_BAD_READS = 100
MAX_STREAMS = 100
"""Tracks of a file, pictures and subtitles included; those behind are left out."""

UNREADABLE = (
    "file: holds no audio that can be decoded; send a complete MP3, WAV, FLAC, AAC/M4A, Ogg, Opus or a video with sound"
)

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One decoded frame: ``samples`` (n, channels), float32 in -1…1; ``layout`` names the channels ("FL")."""

    samples: Samples
    sample_rate: int
    layout: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An open file and the audio track that is used."""

    path: Path
    container: InputContainer
    track: AudioStream

    def frames(self) -> Iterator[AudioFrame]:
        """Decode the track from its start. Encoder delay and padding are cut off where the file states them;
        frames that are damaged are left out."""
        return (frame for frame in _frames(self.container, self.track) if frame.samples)

    def chunks(self) -> Iterator[Chunk]:
        """The ``frames`` as float samples.

        Raises:
            NotAudio: As ``check``.
        """
        return map(chunk_of, self.frames())


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Context in which ``path`` is open for decoding.

    Raises:
        NotAudio: It cannot be opened, or is no audio file.
    """
    if path.stat().st_size == 0:
        raise NotAudio("file: is empty; upload a file that holds audio")
    check_claims(path)
    with _Handle(path) as handle, open_handle(handle, path) as source:
        yield source


@contextmanager
def open_handle(handle: BinaryIO | io.RawIOBase, path: Path) -> Iterator[Source]:
    """``open_source`` for what is open already, and has been looked at before. ``path`` is its name."""
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none", "max_streams": str(MAX_STREAMS)}
    try:
        container = av.open(handle, "r", container_options=options, metadata_errors="replace")
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise NotAudio(UNREADABLE) from error
    with container:
        track = container.streams.best("audio")
        if not isinstance(track, AudioStream):
            raise NotAudio("file: has no audio track; upload a file that holds audio")
        for other in container.streams:
            if other.index != track.index:
                other.discard = Discard.all
        yield Source(path, container, track)


class _Handle(io.FileIO):
    """A damaged file may send FFmpeg to a place before its start. PyAV prints the exception that this raises; the
    error number is enough."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(offset, whence)
        except (OSError, OverflowError):
            return -errno.EINVAL


def _frames(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    for packet in packets(container, track):
        yield from decode_packet(track, packet)


def packets(container: InputContainer, track: AudioStream) -> Iterator["av.Packet[AudioStream]"]:
    """The packets of a track; a damaged one costs itself, and a file that is nothing but damage ends."""
    bad = 0
    while bad < MAX_BAD_READS:
        try:
            for packet in container.demux(track):
                yield packet
                if packet.size:
                    bad = 0
            return
        except (av.FFmpegError, ValueError, IndexError):  # IndexError: a track that begins later in the file
            bad += 1


def decode_packet(track: AudioStream, packet: "av.Packet[AudioStream]") -> list[AudioFrame]:
    """The frames of a packet; none of a damaged one."""
    try:
        return track.decode(packet)
    except (av.FFmpegError, ValueError):
        return []


def check(frame: AudioFrame) -> None:
    """Refuse a frame that no music has.

    Raises:
        NotAudio: Its sample rate or its number of channels is out of range.
    """
    if not MIN_RATE <= frame.sample_rate <= MAX_RATE:
        raise NotAudio(
            f"file: has {frame.sample_rate} samples a second; expected {MIN_RATE} to {MAX_RATE}: "
            "is its header damaged? Export it again"
        )
    if not 1 <= frame.layout.nb_channels <= MAX_CHANNELS:
        raise NotAudio(
            f"file: has {frame.layout.nb_channels} channels; expected 1 to {MAX_CHANNELS}: export it as stereo"
        )


def chunk_of(frame: AudioFrame) -> Chunk:
    """A decoded frame as float samples.

    Raises:
        NotAudio: As ``check``.
    """
    check(frame)
    layout = tuple(channel.name for channel in frame.layout.channels)
    raw = frame.to_ndarray()
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, len(layout))
    return Chunk(_to_float(samples), frame.sample_rate, layout)


def _to_float(samples: NDArray[np.generic]) -> Samples:
    """Scale integer samples to -1…1; what is not a number becomes silence."""
    kind = samples.dtype
    if kind == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
    if np.issubdtype(kind, np.signedinteger):
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * kind.itemsize))
    floats = samples.astype(np.float32)
    return np.nan_to_num(floats, copy=False, posinf=0.0, neginf=0.0).clip(-16, 16)
