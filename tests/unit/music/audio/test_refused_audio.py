"""What is no audio, or too much of it, is refused, and why is said."""

import struct
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from tests.unit.music.sounds import HOUR, RATE, encode, noise, save

from antiphon.errors import BadParameter, NotAudio, TooLarge
from antiphon.music.audio import Codec, decode, inspect, stream


def refused(path: Path, error: type[Exception] = NotAudio, *, max_duration: float = HOUR) -> str:
    with pytest.raises(error) as caught:
        inspect(path, max_duration=max_duration)
    return str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp3"
    path.touch()
    assert refused(path).startswith("file: is empty")


@pytest.mark.parametrize("content", [b"Dear diary,\n" * 500, b"\x00" * 5000, b"x", bytes(range(256)) * 40])
def test_what_is_not_audio_is_refused_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    message = refused(path)
    assert "file" in message
    assert "MP3, WAV, FLAC" in message


def test_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp3"
    with av.open(str(path), "w", format="image2") as output:
        picture = output.add_stream("mjpeg", rate=1, width=64, height=64, pix_fmt="yuvj420p")
        output.mux(picture.encode(VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        output.mux(picture.encode(None))
    assert "file" in refused(path)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mute.mp4"
    with av.open(str(path), "w") as output:
        pictures = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for _ in range(5):
            output.mux(pictures.encode(VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        output.mux(pictures.encode(None))
    assert refused(path) == "file: has no audio track; upload a file that holds audio"


@pytest.mark.parametrize("codec", ["flac", "wav", "mp3"])
def test_half_a_file_is_refused_with_both_lengths(tmp_path: Path, codec: Codec) -> None:
    path = save(tmp_path / "song", noise(4.0), codec)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    message = refused(path)
    assert message.startswith(("file: ends after 2.0 s", "file: ends after 1.9 s", "file: ends after 1.8 s"))
    assert message.endswith("although its header promises 4.0 s; upload the complete file")


def test_half_an_mp4_is_refused(tmp_path: Path) -> None:
    path = encode(tmp_path / "song.m4a", noise(4.0), "aac")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "file" in refused(path)


def test_a_file_that_lacks_only_its_last_moment_is_accepted(tmp_path: Path) -> None:
    path = save(tmp_path / "song.mp3", noise(4.0), "mp3")
    path.write_bytes(path.read_bytes()[:-2000])
    assert inspect(path, max_duration=HOUR).duration == pytest.approx(4.0, abs=0.2)


def test_damage_inside_a_file_costs_only_the_damaged_frames(tmp_path: Path) -> None:
    path = save(tmp_path / "song.mp3", noise(4.0), "mp3")
    content = bytearray(path.read_bytes())
    content[40_000:41_000] = bytes(1000)
    path.write_bytes(content)
    assert inspect(path, max_duration=HOUR).duration > 3.8


def wav_header(*, rate: int = RATE, channels: int = 2, bits: int = 16, kind: int = 1, size: int) -> bytes:
    align = channels * bits // 8
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    return b"RIFF" + struct.pack("<I", size + 36 & 0xFFFFFFFF) + b"WAVE" + fmt + b"data" + struct.pack("<I", size)


@pytest.mark.parametrize(
    "header",
    [
        wav_header(size=400_000, rate=0),
        wav_header(size=400_000, rate=7),
        wav_header(size=400_000, rate=2**32 - 1),
        wav_header(size=400_000, channels=0),
        wav_header(size=400_000, channels=1000),
        wav_header(size=400_000, kind=0x5555),
        wav_header(size=400_000, bits=0),
        wav_header(size=900_000),
        b"RIFF" + b"\xff" * 40,
    ],
)
def test_a_wav_with_a_wrong_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(header + bytes(400_000))
    with pytest.raises((NotAudio, TooLarge), match="file"):
        inspect(path, max_duration=HOUR)


def test_a_wav_whose_text_claims_gigabytes_is_refused_before_it_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    info = b"LIST" + struct.pack("<I", 0x7000_0000) + b"INFOIART" + struct.pack("<I", 0x6000_0000)
    header = wav_header(size=400_000)
    path.write_bytes(header[:36] + info + header[36:] + bytes(400_000))
    assert "header is damaged" in refused(path)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_written_into_a_pipe_is_accepted_though_it_does_not_know_its_length(tmp_path: Path, size: int) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(wav_header(size=size) + bytes(4 * RATE))
    assert inspect(path, max_duration=HOUR).duration == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("frames", [1, RATE // 20])
def test_a_file_too_short_to_work_with_is_refused(tmp_path: Path, frames: int) -> None:
    path = tmp_path / "click.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"\x00\x10" * frames)
    assert "expected at least 0.1 s" in refused(path, BadParameter)


def test_a_file_too_long_is_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    path = save(tmp_path / "song.flac", noise(2.0), "flac")
    message = refused(path, TooLarge, max_duration=1.5)
    assert message.startswith("file: is longer than 1.5 s")
    assert "ANTIPHON_MAX_DURATION" in message


def hls(target: Path) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"


def concat(target: Path) -> str:
    return f"ffconcat version 1.0\nfile '{target}'\n"


def dash(target: Path) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )


def sdp(target: Path) -> str:
    return "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"


@pytest.mark.parametrize("playlist", [hls, concat, dash, sdp])
@pytest.mark.parametrize("name", ["song.mp3", "song.m3u8", "song.ffconcat", "song.mpd", "song.sdp"])
def test_a_file_that_points_at_other_files_is_refused(
    tmp_path: Path, playlist: Callable[[Path], str], name: str
) -> None:
    secret = save(tmp_path / "secret.flac", noise(1.0), "flac")
    path = tmp_path / name
    path.write_text(playlist(secret))
    refused(path)
    with pytest.raises(NotAudio):
        decode(path, sample_rate=RATE, channels=1)


def test_reading_many_files_closes_each(tmp_path: Path) -> None:
    path = save(tmp_path / "song.flac", noise(0.2), "flac")
    (tmp_path / "text.mp3").write_text("no audio")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        next(stream(path, sample_rate=RATE, channels=2, block=100))
        refused(tmp_path / "text.mp3")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
