"""Audio files as strangers send them: sound, odd, and broken."""

import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from antiphon.music.audio import Codec, Writer

RATE = 44_100
Samples = NDArray[np.float32]


def tone(seconds: float, *, rate: int = RATE, channels: int = 2) -> Samples:
    """A rich chord that decays again and again, (n, channels)."""
    t = np.arange(round(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * f * t) / n for n, f in enumerate((220, 277, 330, 440, 1760), start=2))
    decaying = np.asarray(0.4 * chord * np.exp(-4 * (t % 0.5)), np.float32)
    return np.repeat(decaying[:, None], channels, axis=1)


def song(path: Path, *, seconds: float = 2.0, codec: Codec = "mp3") -> Path:
    with Writer(path, RATE, 2, codec) as writer:
        writer.write(tone(seconds))
    return path


def wav(path: Path, samples: Samples, *, rate: int = RATE, width: int = 2) -> Path:
    """A PCM file of any rate, width in bytes and number of channels."""
    whole = np.rint(samples * (2 ** (8 * width - 1) - 1)).astype("<i4")
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], width, rate, 0, "NONE", ""))
        file.writeframes(whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())
    return path


def video(path: Path, *, seconds: int = 1) -> Path:
    """A film with sound, as a telephone records it."""
    with av.open(str(path), "w", format="mp4") as output:
        pictures = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        track = output.add_stream("aac", rate=RATE, layout="stereo")
        track.codec_context.format = av.AudioFormat("fltp")
        for number in range(10 * seconds):
            picture = VideoFrame.from_ndarray(np.full((64, 64, 3), number * 20 % 255, np.uint8))
            picture.pts = number
            output.mux(pictures.encode(picture))
        output.mux(pictures.encode(None))
        frame = AudioFrame.from_ndarray(tone(seconds).reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts = RATE, 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def silence(path: Path, *, seconds: float = 3.0, rate: int = RATE) -> Path:
    return wav(path, np.zeros((round(seconds * rate), 2), np.float32), rate=rate)


def half(path: Path, whole: Path) -> Path:
    data = whole.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def mute_video(path: Path) -> Path:
    with av.open(str(path), "w", format="mp4") as output:
        pictures = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        output.mux(pictures.encode(VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        output.mux(pictures.encode(None))
    return path


def _written(data: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


def _promising_more(path: Path) -> Path:
    """A WAV whose header speaks of ten times the samples that follow."""
    data = bytearray(wav(path, tone(1)).read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (10 * int.from_bytes(data[at : at + 4], "little")).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def _without_riff(path: Path) -> Path:
    path.write_bytes(b"JUNK" + wav(path, tone(1)).read_bytes()[4:])
    return path


SOUND: dict[str, tuple[Callable[[Path], Path], float]] = {
    "video.mp4": (video, 1.0),
    "telephone.wav": (lambda path: wav(path, tone(1, rate=8000, channels=1), rate=8000), 1.0),
    "studio.wav": (lambda path: wav(path, tone(1, rate=192_000), rate=192_000, width=3), 1.0),
    "cinema.wav": (lambda path: wav(path, tone(1, rate=48_000, channels=8), rate=48_000), 1.0),
    "silence.wav": (silence, 3.0),
    "named as something else.txt": (song, 2.0),
}
"""Odd files that are taken all the same: how to make each, and its duration in seconds."""

BROKEN: dict[str, tuple[Callable[[Path], Path], int, str]] = {
    "empty.mp3": (_written(b""), 415, r"^file: .*empty"),
    "text.mp3": (_written(b"la la la, this is only text\n" * 200), 415, r"^file: .*send"),
    "picture.mp3": (_written(b"\x89PNG\r\n\x1a\n" + bytes(500)), 415, r"^file: .*send"),
    "zeros.mp3": (_written(bytes(100_000)), 415, r"^file: .*send"),
    "cut.mp3": (lambda path: half(path, song(path, seconds=6)), 415, r"^file: .*upload the complete file"),
    "cut.flac": (lambda path: half(path, song(path, codec="flac")), 415, r"^file: .*upload the complete file"),
    "promising.wav": (_promising_more, 415, r"^file: .*upload the complete file"),
    "riffless.wav": (_without_riff, 415, r"^file: .*send"),
    "mute.mp4": (mute_video, 415, r"^file: has no audio track; upload"),
    "one sample.wav": (lambda path: wav(path, tone(1 / RATE)), 400, r"^file: .*at least 0.1 s.*longer"),
    "too long.wav": (
        lambda path: wav(path, np.zeros((31 * 8000, 1), np.float32), rate=8000),
        413,
        r"^file: .*longer than 30 s.*ANTIPHON_MAX_DURATION",
    ),
    "too large.wav": (lambda path: silence(path, seconds=29.5), 413, r"^file: larger than 5 MB.*ANTIPHON_MAX_UPLOAD"),
}
"""Files that are refused: how to make each, the code, and what the message must say."""
