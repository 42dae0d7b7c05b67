"""One piece of a long file, exact to the sample, without decoding what stands before it.

Where a container says exactly where each of its packets begins, we seek. Where it says so only for those that have
been read before it (MP3, bare AAC), the packets before are read and not decoded, which costs a hundredth. Where it
does not say so to the sample (Matroska counts milliseconds), all is decoded from the start.
"""

from collections.abc import Iterator

import numpy as np
import soxr
from av.audio.frame import AudioFrame

from antiphon.music.audio.channels import fold
from antiphon.music.audio.source import Samples, Source, chunk_of, decode_packet

RATE = 44_100  # Hz: of every piece, whatever its file has
SECONDS = 10  # whole, so that a piece begins at a whole sample of any rate
_SEEKABLE = {"flac", "wav", "aiff", "mov", "w64", "au", "caf"}
_SETTLING = 1  # second that a decoder needs to forget where it began: MP3's bit reservoir, AAC's overlap
_CONTEXT = 1  # second on either side that the resampler sees, beyond the length of its filter


def piece(source: Source, number: int) -> Samples:
    """The samples (n, 2) of the piece ``number`` from 0; at the end of the file shorter, behind it empty."""
    start, stop = SECONDS * number, SECONDS * (number + 1)
    rate, samples = _between(source, max(start - _CONTEXT, 0), stop + _CONTEXT)
    if rate != RATE and len(samples):
        resampled: Samples = soxr.resample(samples, rate, RATE).reshape(-1, 2)
        samples = resampled
    before = min(start, _CONTEXT) * RATE
    return np.ascontiguousarray(samples[before : before + SECONDS * RATE])


def _between(source: Source, start: int, stop: int) -> tuple[int, Samples]:
    """The file's own rate, and its samples (n, 2) from second ``start`` to second ``stop``; gaps are silent."""
    rate, position = RATE, 0
    parts: list[Samples] = []
    for at, frame in _frames_from(source, start):
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


def _frames_from(source: Source, start: int) -> Iterator[tuple[int, AudioFrame]]:
    """Frames with the place of their first sample, from one that begins before second ``start``."""
    frames = _decoded(source)
    first = next(frames, None)
    if first is None or first.pts is None or first.time_base is None:
        return
    rate, began, unit = first.sample_rate, first.pts, first.time_base
    if unit * rate > 1:  # its clock is coarser than a sample
        yield from _counted(first, frames)
        return
    if start > _SETTLING:
        target = began + int((start - _SETTLING) / unit)
        if _SEEKABLE & set(source.container.format.name.split(",")):
            source.container.seek(target, stream=source.track)
            frames = _decoded(source)
        else:
            source.track.codec_context.flush_buffers()
            frames = _decoded(source, skip_before=target)
    else:
        yield 0, first
    for frame in frames:
        if frame.pts is not None and frame.samples:
            yield round((frame.pts - began) * unit * rate), frame


def _counted(first: AudioFrame, frames: Iterator[AudioFrame]) -> Iterator[tuple[int, AudioFrame]]:
    yield 0, first
    position = first.samples
    for frame in frames:
        yield position, frame
        position += frame.samples


def _decoded(source: Source, *, skip_before: int | None = None) -> Iterator[AudioFrame]:
    for packet in source.container.demux(source.track):
        if skip_before is not None and packet.pts is not None and packet.pts < skip_before:
            continue
        yield from decode_packet(source.track, packet)
