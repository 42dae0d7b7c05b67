"""Writer of audio files, block by block."""

from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

import av
import numpy as np
from av.audio.format import AudioFormat
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from antiphon.music.audio.source import Samples

Codec = Literal["flac", "mp3", "wav"]
MP3_BIT_RATE = 256_000

MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
MAX_RATE = 192_000
"""Hz; what is beyond it is written at half the rate, as often as needed."""

_ENCODERS = {"flac": "flac", "mp3": "libmp3lame", "wav": "pcm_s16le"}
_FULL_SCALE = 32768


def writable_rate(sample_rate: int, codec: Codec) -> int:
    """The sample rate at which such a file is written: the sound's own, where the format has it."""
    if codec == "mp3":
        return next((rate for rate in MP3_RATES if rate >= sample_rate), MP3_RATES[-1])
    while sample_rate > MAX_RATE:
        sample_rate //= 2
    return sample_rate


class Writer:
    """A 16-bit FLAC or WAV file, or an MP3 of 256 kbit/s, written block by block.

    A context manager; when its body fails the unfinished file is removed.

    Args:
        path: The file to write.
        sample_rate: Hz; MP3 takes 8,000 to 48,000.
        channels: 1 or 2.
        codec: The kind of file.

    Raises:
        ValueError: ``channels`` or ``codec`` is none of these.
    """

    def __init__(self, path: Path, sample_rate: int, channels: int, codec: Codec = "flac") -> None:
        if channels not in (1, 2) or codec not in _ENCODERS:
            raise ValueError(f"expected 1 or 2 channels and flac, mp3 or wav; got {channels} and {codec}")
        self.path = path
        self.sample_rate = sample_rate
        self.channels = channels
        self.written = 0
        self._layout = "mono" if channels == 1 else "stereo"
        self._container = av.open(f"file:{path.absolute()}", "w", format=codec)
        try:
            stream = self._container.add_stream(_ENCODERS[codec], rate=sample_rate, layout=self._layout)
            self._stream = cast(AudioStream, stream)
            self._stream.codec_context.format = AudioFormat("s16p" if codec == "mp3" else "s16")
            if codec == "mp3":
                self._stream.bit_rate = MP3_BIT_RATE
            self._container.start_encoding()
        except BaseException:
            self._abandon()
            raise

    def write(self, block: Samples) -> None:
        """Append ``block`` (n, channels), float in -1…1; what is louder is clipped."""
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise ValueError(f"expected an array (n, {self.channels}), got {block.shape}")
        if not len(block):
            return
        scaled = np.clip(np.rint(block * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        frame = AudioFrame.from_ndarray(scaled.reshape(1, -1), format="s16", layout=self._layout)
        frame.sample_rate = self.sample_rate
        frame.pts = self.written
        self._container.mux(self._stream.encode(frame))
        self.written += len(block)

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _abandon(self) -> None:
        self._container.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._abandon()
