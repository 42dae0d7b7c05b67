"""Conversion of any sound file to WAV."""

from pathlib import Path

from antiphon.errors import NotAudio
from antiphon.music.audio.inspection import stated_duration
from antiphon.music.audio.source import UNREADABLE, open_source
from antiphon.music.audio.streaming import stream
from antiphon.music.audio.writer import Writer
from antiphon.music.progress import Progress, silent

_BLOCK_FRAMES = 2**17


def to_wav(source: Path, out: Path, progress: Progress = silent) -> None:
    """Write ``source`` to ``out`` as WAV of 16 bit, at its own sample rate, in mono or stereo.

    More than two channels are folded down. Memory does not grow with the length.

    Raises:
        NotAudio: Nothing of it can be decoded.
    """
    with open_source(source) as opened:
        first = next(iter(opened.chunks()), None)
    if first is None:
        raise NotAudio(UNREADABLE)
    rate, channels = first.sample_rate, min(first.samples.shape[1], 2)
    total, done = stated_duration(source), 0
    with Writer(out, rate, channels, "wav") as writer:
        for block in stream(source, sample_rate=rate, channels=channels, block=_BLOCK_FRAMES):
            writer.write(block)
            done += len(block)
            if total:
                progress(min(done / rate / total, 1.0), "converting")
    progress(1.0, "converted")
