"""The picture of a video alone, for ``bench.video``: what it costs to encode, and what encoding costs it.

A process of its own for each step, so that its CPU time and memory are that step's:

``python -m bench.frames reference SONG OUT RESOLUTION`` renders the song's video hardly compressed (x264's crf 1).
``python -m bench.frames encode REFERENCE`` encodes its frames again, as a render does, from memory; prints JSON.
``python -m bench.frames psnr REFERENCE VIDEO`` prints the video's PSNR (dB) against it, of Y, U and V together.
``python -m bench.frames silence OUT LENGTH SECONDS…`` writes silence with a click at each of these times.
``python -m bench.frames clicks VIDEO SECONDS…`` prints, for each click, when (s) it is seen and when it is heard.
"""

import json
import math
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.video import VideoContent, VideoLook, render
from antiphon.music.video.render import CRF
from antiphon.music.video.segments import KEYFRAME_SECONDS, SEGMENT_SECONDS, Picture
from antiphon.music.video.yuv import Planes

NEARLY_LOSSLESS = 1.0
TITLE, AUTHOR, DOMAIN = "Call, and I Will Answer", "Antiphon", "music.example.com"
RATE = 44_100
BESIDE = 2.0
"""Seconds around a click that are looked at; it has died away by then."""

VISIBLE = 24
"""Levels of luma by which a pixel that a click moves differs from its place at rest."""


def reference(song: Path, out: Path, resolution: str) -> None:
    look = VideoLook(resolution=resolution)
    render(song, out, VideoContent(TITLE, author=AUTHOR, domain=DOMAIN, look=look), crf=NEARLY_LOSSLESS)


def planes(video: Path) -> Iterator[Planes]:
    """The frames of a video, each in a buffer of its own."""
    with av.open(str(video)) as container:
        track = container.streams.video[0]
        track.thread_type = "AUTO"
        for frame in container.decode(track):
            made = Planes.empty(frame.width, frame.height)
            made.buffer[:] = frame.to_ndarray(format="yuv420p")
            yield made


def encode(video: Path) -> dict[str, Any]:
    """CPU and wall seconds of x264 on one thread, with the render's settings and in its segments, whose frames lie in
    memory; and these settings, by the names of FFmpeg's options."""
    with av.open(str(video)) as container:
        track = container.streams.video[0]
        picture = Picture(track.width, track.height, round(float(track.average_rate or 0)), CRF)
    frames, cpu, wall = planes(video), 0.0, 0.0
    while held := list(islice(frames, SEGMENT_SECONDS * picture.fps)):
        cpu -= time.process_time()
        wall -= time.perf_counter()
        context = av.CodecContext.create("libx264", "w")
        picture.configure(context)
        for index, one in enumerate(held):
            context.encode(picture.frame(one, index))
        context.encode(None)
        cpu += time.process_time()
        wall += time.perf_counter()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    settings = {**picture.options, "g": str(KEYFRAME_SECONDS * picture.fps)}
    return {"cpu": cpu, "seconds": wall, "rss": rss, "settings": settings}


def psnr(first: Path, second: Path) -> float:
    """Of the mean square error over all frames and planes (each plane's samples count once)."""
    error, samples = 0.0, 0
    for one, other in zip(planes(first), planes(second), strict=True):
        difference = one.buffer.astype(np.int16) - other.buffer
        error += float(np.square(difference, dtype=np.int32).sum(dtype=np.int64))
        samples += difference.size
    return 10 * math.log10(255**2 * samples / max(error, 1.0))


def silence(out: Path, length: float, at: list[float]) -> None:
    with audio.Writer(out, RATE, 2, "flac") as writer:
        for second in range(math.ceil(length)):
            block = np.zeros((RATE, 2), np.float32)
            for time_of_click in at:
                if second <= time_of_click < second + 1:
                    block[round((time_of_click - second) * RATE)] = 1.0
            writer.write(block)


def clicks(video: Path, expected: list[float]) -> list[tuple[float, float]]:
    """Of each click: the second at which it is first seen, and at which it is heard."""
    heard = audio.decode(video, sample_rate=RATE, channels=1)[:, 0]
    return [(_seen(video, at), _heard(heard, at)) for at in expected]


def _seen(video: Path, at: float) -> float:
    """The time of the first frame near ``at`` that shows at least half of what the click moves."""
    with av.open(str(video)) as container:
        track = container.streams.video[0]
        container.seek(int(max(0.0, at - 1.0) * 1_000_000))
        shown = [(one.time, _luma(one)) for one in container.decode(track) if abs((one.time or 0.0) - at) <= BESIDE]
    quiet = shown[-1][1]
    moved = [int((np.abs(luma - quiet) > VISIBLE).sum()) for _, luma in shown]
    return next(time for (time, _), count in zip(shown, moved, strict=True) if count >= max(moved) / 2)


def _luma(frame: VideoFrame) -> NDArray[np.int16]:
    return frame.to_ndarray(format="yuv420p")[: frame.height].astype(np.int16)


def _heard(samples: NDArray[np.float32], at: float) -> float:
    first = max(0, round((at - 0.5) * RATE))
    return (first + int(np.abs(samples[first : round((at + 0.5) * RATE)]).argmax())) / RATE


def main() -> None:
    step, arguments = sys.argv[1], sys.argv[2:]
    if step == "reference":
        reference(Path(arguments[0]), Path(arguments[1]), arguments[2])
    elif step == "encode":
        print(json.dumps(encode(Path(arguments[0]))))
    elif step == "psnr":
        print(json.dumps(psnr(Path(arguments[0]), Path(arguments[1]))))
    elif step == "silence":
        silence(Path(arguments[0]), float(arguments[1]), [float(at) for at in arguments[2:]])
    elif step == "clicks":
        print(json.dumps(clicks(Path(arguments[0]), [float(at) for at in arguments[1:]])))


if __name__ == "__main__":
    main()
