"""Audio files in and out: look at one, read it block by block, write one.

Everything is float32 in -1…1, shaped ``(samples, channels)``. Files come from strangers: see ``source`` for
what may be opened at all.
"""

from antiphon.music.audio.conversion import to_wav
from antiphon.music.audio.inspection import MIN_DURATION, AudioInfo, inspect, stated_duration
from antiphon.music.audio.peaks import Peaks, peaks
from antiphon.music.audio.pieces import piece
from antiphon.music.audio.streaming import decode, stream
from antiphon.music.audio.writer import Codec, Writer

__all__ = [
    "MIN_DURATION",
    "AudioInfo",
    "Codec",
    "Peaks",
    "Writer",
    "decode",
    "inspect",
    "peaks",
    "piece",
    "stated_duration",
    "stream",
    "to_wav",
]
