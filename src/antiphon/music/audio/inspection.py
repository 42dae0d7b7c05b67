"""Inspection of an audio file by decoding it once, since headers may be wrong."""

from dataclasses import dataclass
from pathlib import Path

import av

from antiphon.errors import BadParameter, NotAudio, TooLarge
from antiphon.music.audio.riff import present_share
from antiphon.music.audio.source import UNREADABLE, Source, check, open_source

MIN_DURATION_S = 0.1
MIN_DECODED_SHARE = 0.9
"""A file of which less than this part can be decoded is damaged, not merely a little long in its header."""

# Containers whose header counts the samples of the audio track. Others estimate, or speak of the whole file.
_EXACT = {"aiff", "ape", "au", "dsf", "flac", "mov", "mpc", "mpc8", "tak", "tta", "wv"}
_MAX_TAG_CHARS = 300
_JOINER = "\u200d"  # holds the parts of one emoji together


@dataclass(frozen=True)
class AudioInfo:
    """What a file holds: ``duration`` in seconds, as decoded; ``sample_rate`` in Hz; names of codec and container as
    FFmpeg has them; title and artist from its tags."""

    duration: float
    sample_rate: int
    channels: int
    codec: str
    container: str
    title: str | None
    artist: str | None


def inspect(path: Path, *, max_duration: float) -> AudioInfo:
    """Decode the file once, holding none of it.

    Args:
        path: Any file.
        max_duration: Seconds of sound after which it is refused.

    Raises:
        NotAudio: There is no sound, or less of it than the header promises.
        TooLarge: It is longer than ``max_duration``; decoding stops there.
        BadParameter: It is shorter than ``MIN_DURATION_S``.
    """
    with open_source(path) as source:
        duration, sample_rate, channels = 0.0, 0, 0
        for frame in source.frames():
            check(frame)
            if not sample_rate:
                sample_rate, channels = frame.sample_rate, frame.layout.nb_channels
            duration += frame.samples / frame.sample_rate
            if duration > max_duration:
                raise TooLarge(
                    f"file: is longer than {max_duration:g} s, the longest allowed (ANTIPHON_MAX_DURATION); "
                    "upload a shorter one"
                )
        if not sample_rate:
            raise NotAudio(UNREADABLE)
        _check_complete(source, duration)
        if duration < MIN_DURATION_S:
            raise BadParameter(
                f"file: is {duration:.3g} s long; expected at least {MIN_DURATION_S} s: upload a longer one"
            )
        return AudioInfo(
            duration=duration,
            sample_rate=sample_rate,
            channels=channels,
            codec=source.track.codec_context.codec.canonical_name,
            container=source.container.format.name,
            title=_tag(source, "title"),
            artist=_tag(source, "artist"),
        )


def stated_duration(path: Path) -> float | None:
    """Length in seconds that the header states or FFmpeg guesses, without decoding; good enough to show progress with.

    Returns:
        None where nothing is stated.

    Raises:
        NotAudio: The file cannot be opened.
    """
    with open_source(path) as source:
        microseconds = source.container.duration
        return microseconds / av.time_base if microseconds and microseconds > 0 else None


def stated_sample_rate(path: Path) -> int:
    """Samples a second that the header states, without decoding; 44,100 where it states none.

    Raises:
        NotAudio: The file cannot be opened.
    """
    with open_source(path) as source:
        return source.track.codec_context.sample_rate or 44_100


def _check_complete(source: Source, duration: float) -> None:
    promised = _promised_duration(source, duration)
    if promised is not None and duration < MIN_DECODED_SHARE * promised:
        raise NotAudio(
            f"file: ends after {duration:.1f} s although its header promises {promised:.1f} s; upload the complete file"
        )


def _promised_duration(source: Source, duration: float) -> float | None:
    """The length in seconds that the header states exactly, or None where it states none."""
    names = set(source.container.format.name.split(","))
    track = source.track
    if "wav" in names:
        return duration / share if (share := present_share(source.path)) else None
    if "matroska" in names and len(source.container.streams) == 1 and source.container.duration:
        return source.container.duration / av.time_base
    if names & _EXACT or ("mp3" in names and _counts_frames(source.path)):
        return float(track.duration * track.time_base) if track.duration and track.time_base else None
    return None


def _counts_frames(path: Path) -> bool:
    """Whether an MP3 begins with a Xing, Info or VBRI header; without one its length is a guess."""
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and len(head) == 10:
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            file.seek(10 + size)
        else:
            file.seek(0)
        start = file.read(4096)
    return any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))


def _tag(source: Source, name: str) -> str | None:
    """A tag as one printable line. Ogg keeps its tags at the track, other containers at the file."""
    for metadata in (source.container.metadata, source.track.metadata):
        for key, value in metadata.items():
            if key.lower() == name:
                text = " ".join("".join(c if c.isprintable() or c == _JOINER else " " for c in value).split())
                if text:
                    return text[:_MAX_TAG_CHARS]
    return None
