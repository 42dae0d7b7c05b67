"""Ten-second pieces of a long file, exact to the sample, without decoding what stands before them.

Where a container says exactly where each of its packets begins, we seek. Where only those before it tell (MP3, bare
AAC, Ogg), they are read and not decoded, which costs a tenth; of MP3 and bare AAC the places are remembered, so that
the next piece begins where it begins. Where the clock is coarser than a sample (Matroska counts milliseconds), all is
decoded from the start.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
import soxr
from av.audio.frame import AudioFrame

from antiphon.music.audio.channels import fold
from antiphon.music.audio.source import Samples, Source, chunk_of, decode_packet, packets

RATE_HZ = 44_100  # of every piece, whatever its file has
PIECE_S = 10  # whole, so that a piece begins at a whole sample of any rate
_BARE_FORMATS = {"mp3", "aac"}  # packets and nothing else: reading may begin at any of them
_WAYPOINT_DISTANCE_S = 10
_SEEKABLE_FORMATS = {"flac", "wav", "aiff", "mov", "w64", "au", "caf"}
_SETTLING_S = 1  # that a decoder needs to forget where it began: MP3's bit reservoir, AAC's overlap
_CONTEXT_S = 1  # on either side that the resampler sees, beyond the length of its filter


@dataclass
class Waypoints:
    """Where some packets of a bare file lie: their times in its track's unit, and their bytes; both ascending."""

    times: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, time: int, place: int, apart: int) -> None:
        """Remember a packet that lies ``apart`` behind the last one."""
        if not self.times or time >= self.times[-1] + apart:
            self.times.append(time)
            self.places.append(place)

    def before(self, time: int) -> tuple[int, int] | None:
        """The last one that is not behind ``time``."""
        index = bisect_right(self.times, time) - 1
        return (self.times[index], self.places[index]) if index >= 0 else None


def piece(source: Source, number: int, waypoints: Waypoints | None = None) -> Samples:
    """Samples (n, 2) of one piece, at ``RATE_HZ``: shorter at the end of the file, empty behind it.

    Args:
        source: An open file.
        number: Of the piece, from 0; it begins at ``number * PIECE_S`` seconds.
        waypoints: The file's own, kept from piece to piece; None: nothing is known yet.
    """
    start, stop = PIECE_S * number, PIECE_S * (number + 1)
    rate, samples = _between(source, max(start - _CONTEXT_S, 0), stop + _CONTEXT_S, waypoints or Waypoints())
    if rate != RATE_HZ and len(samples):
        resampled: Samples = soxr.resample(samples, rate, RATE_HZ).reshape(-1, 2)
        samples = resampled
    before = min(start, _CONTEXT_S) * RATE_HZ
    return np.ascontiguousarray(samples[before : before + PIECE_S * RATE_HZ])


def _between(source: Source, start: int, stop: int, waypoints: Waypoints) -> tuple[int, Samples]:
    """The file's own rate, and its samples (n, 2) from second ``start`` to second ``stop``; gaps are silent."""
    rate, position = RATE_HZ, 0
    parts: list[Samples] = []
    for at, frame in _frames_from(source, start, waypoints):
        if not parts:
            rate, position = frame.sample_rate, start * frame.sample_rate
        if at >= stop * rate:
            break
        chunk = chunk_of(frame)
        samples = fold(chunk.samples, chunk.layout, 2)[max(position - at, 0) :]
        if not len(samples):
            continue
        if at > position:
            parts.append(np.zeros((at - position, 2), np.float32))
        parts.append(samples)
        position = max(at, position) + len(samples)
    whole = np.concatenate(parts) if parts else np.zeros((0, 2), np.float32)
    return rate, whole[: (stop - start) * rate]


def _frames_from(source: Source, start: int, waypoints: Waypoints) -> Iterator[tuple[int, AudioFrame]]:
    """Frames with the place of their first sample, from one that begins before second ``start``."""
    frames = _decoded(source)
    first = next(frames, None)
    if first is None or first.pts is None or first.time_base is None:
        return
    rate, began, unit = first.sample_rate, first.pts, first.time_base
    if unit * rate > 1:  # its clock is coarser than a sample
        yield from _counted(first, frames)
        return
    kind = set(source.container.format.name.split(","))
    if start <= _SETTLING_S:
        yield 0, first
        timed = _timed(frames)
    elif _SEEKABLE_FORMATS & kind:
        with contextlib.suppress(av.FFmpegError):  # a damaged index: read from where we are
            source.container.seek(began + int((start - _SETTLING_S) / unit), stream=source.track)
        timed = _timed(_decoded(source))
    else:
        ways = waypoints if _BARE_FORMATS & kind else Waypoints()
        timed = _skimmed(
            source, began + int((start - _SETTLING_S) / unit), ways, apart=int(_WAYPOINT_DISTANCE_S / unit)
        )
    for time, frame in timed:
        yield round((time - began) * unit * rate), frame


def _timed(frames: Iterator[AudioFrame]) -> Iterator[tuple[int, AudioFrame]]:
    return ((frame.pts, frame) for frame in frames if frame.pts is not None and frame.samples)


def _skimmed(source: Source, target: int, waypoints: Waypoints, *, apart: int) -> Iterator[tuple[int, AudioFrame]]:
    """Frames with their times from ``target`` on. What lies before is read from the last waypoint, and not decoded.

    Behind a seek to a byte the file's own times begin anew, so packets are counted; and nothing is cut off at the
    end, so the last stretch is read from the start."""
    source.track.codec_context.flush_buffers()
    known = None
    if source.track.duration and target + 2 * apart < source.track.duration:
        known = waypoints.before(target)
    if known:
        source.container.seek(known[1], unsupported_byte_offset=True)
    time = known[0] if known else None
    for packet in packets(source.container, source.track):
        at = packet.pts if time is None else time
        if at is None:
            continue
        if packet.pos is not None:
            waypoints.add(at, packet.pos, apart)
        if time is not None:
            time += packet.duration or 0
        if at >= target:
            yield from (
                (at if known or frame.pts is None else frame.pts, frame)
                for frame in decode_packet(source.track, packet)
            )


def _counted(first: AudioFrame, frames: Iterator[AudioFrame]) -> Iterator[tuple[int, AudioFrame]]:
    yield 0, first
    position = first.samples
    for frame in frames:
        yield position, frame
        position += frame.samples


def _decoded(source: Source) -> Iterator[AudioFrame]:
    for packet in packets(source.container, source.track):
        yield from decode_packet(source.track, packet)
