"""Audio files for tests: noise in whatever codec and container."""

from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from antiphon.music.audio import Codec, Writer

RATE = 44_100


HOUR = 3600.0


Samples = NDArray[np.float32]


def noise(seconds: float, *, rate: int = RATE, channels: int = 2, seed: int = 1) -> Samples:
    """Low-passed noise: every moment differs from every other, and codecs keep it."""
    white = np.random.default_rng(seed).normal(size=(round(seconds * rate) + 31, channels))
    smooth = np.stack([np.convolve(column, np.hanning(33)[1:], mode="valid") for column in white.T], axis=1)
    return np.asarray(0.05 * smooth[: round(seconds * rate)], np.float32)


def on_grid(samples: Samples) -> Samples:
    return np.asarray(np.rint(samples * 32768) / 32768, np.float32)


def save(path: Path, samples: Samples, codec: Codec, rate: int = RATE) -> Path:
    with Writer(path, rate, samples.shape[1], codec) as writer:
        for start in range(0, len(samples), 5000):
            writer.write(samples[start : start + 5000])
    return path


def encode(
    path: Path,
    samples: Samples,
    encoder: str,
    *,
    rate: int = RATE,
    layout: str = "stereo",
    container: str | None = None,
    sample_format: str = "fltp",
    video: bool = False,
) -> Path:
    """Write with any encoder, and with a moving picture if asked."""
    with av.open(str(path), "w", format=container) as output:
        track = cast(AudioStream, output.add_stream(encoder, rate=rate, layout=layout))
        track.codec_context.format = av.AudioFormat(sample_format)
        track.codec_context.options = {"strict": "experimental"}  # FFmpeg's own Vorbis encoder calls itself so
        if video:
            pictures = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
            for number in range(10):
                picture = VideoFrame.from_ndarray(np.full((64, 64, 3), number * 20, np.uint8))
                picture.pts = number
                output.mux(pictures.encode(picture))
            output.mux(pictures.encode(None))
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def late(true: Samples, heard: Samples, *, at: int = RATE // 2, length: int = 8192) -> int:
    """By how many samples ``heard`` lags behind ``true``."""
    window = heard[at : at + length, 0]
    lags = range(-2500, 2501)
    return max(lags, key=lambda lag: float(window @ true[at - lag : at - lag + length, 0]))
