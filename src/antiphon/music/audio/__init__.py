"""Audio files: inspection, streaming, excerpts, writing.

Everything is float32 in -1…1, shaped ``(samples, channels)``. Files are untrusted: ``source`` says what may be opened
at all.
"""

from antiphon.music.audio.conversion import to_wav
from antiphon.music.audio.inspection import MIN_DURATION_S, AudioInfo, inspect, stated_duration, stated_sample_rate
from antiphon.music.audio.peaks import Outline, peaks
from antiphon.music.audio.pieces import piece
from antiphon.music.audio.streaming import decode, stream
from antiphon.music.audio.writer import Codec, Writer, writable_rate

__all__ = [
    "MIN_DURATION_S",
    "AudioInfo",
    "Codec",
    "Outline",
    "Writer",
    "decode",
    "inspect",
    "peaks",
    "piece",
    "stated_duration",
    "stated_sample_rate",
    "stream",
    "to_wav",
    "writable_rate",
]
