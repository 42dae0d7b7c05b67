"""MP4 file of picture and sound that plays everywhere and starts before it is loaded."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from antiphon.music.audio.source import open_source
from antiphon.music.video.segments import Packets, Picture
from antiphon.music.video.sound import packets
from antiphon.music.video.thumbnail import attach

LEAD_SECONDS = 0.5
"""How far sound is written ahead of the picture: enough to interleave, little to hold."""


class Mp4:
    """An MP4 being written: a picture that is encoded already, and the sound of an audio file. A context manager.

    The sound is taken over packet by packet with ``copy`` (the source must be ``sound.copyable``), else it is encoded
    as AAC, 320 kbit/s, stereo: all of it, or what is heard from ``start`` to ``end`` (seconds). ``thumbnail`` is a JPEG
    for the file's cover art.
    """

    def __init__(
        self,
        path: Path,
        sound: Path,
        picture: Picture,
        *,
        metadata: Mapping[str, str],
        copy: bool,
        thumbnail: bytes,
        start: float = 0.0,
        end: float = math.inf,
    ) -> None:
        with ExitStack() as opened:
            options = {"movflags": "+faststart"}
            self._output = opened.enter_context(av.open(f"file:{path.absolute()}", "w", format="mp4", options=options))
            self._output.metadata.update(metadata)
            # Its encoder is never fed: it is there for the parameter sets, which are those of all segments.
            self._video = self._output.add_stream("libx264", rate=picture.fps)
            picture.configure(self._video.codec_context)
            source = opened.enter_context(open_source(sound))
            self._packets = packets(source, self._output, copy=copy, start=start, end=end)
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
                self._write_sound(float("inf"))

    def write(self, segment: Packets) -> None:
        """Appends a segment of the picture, and the sound that belongs beside it."""
        for packet in segment:
            assert packet.time_base is not None
            assert packet.dts is not None
            self._write_sound(float(packet.dts * packet.time_base) + LEAD_SECONDS)
            packet.stream = self._video
            self._output.mux(packet)

    def _write_sound(self, until: float) -> None:
        while self._head is not None and self._head[0] < until:
            self._output.mux(self._head[1])
            self._head = next(self._packets, None)
