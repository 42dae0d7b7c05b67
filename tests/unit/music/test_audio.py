"""Audio files as strangers send them: what is read is what was recorded, and what is refused says why."""

import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from antiphon.errors import BadParameter, NotAudio, TooLarge
from antiphon.music.audio import Codec, Writer, decode, inspect, stream
from antiphon.music.audio.channels import fold

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


# --- what is read


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_lossless_files_come_back_bit_for_bit(tmp_path: Path, codec: Codec) -> None:
    samples = on_grid(noise(1.3))
    path = save(tmp_path / "song", samples, codec)
    assert np.array_equal(decode(path, sample_rate=RATE, channels=2), samples)


def test_mp3_comes_back_in_place_and_in_full(tmp_path: Path) -> None:
    samples = noise(2.0)
    heard = decode(save(tmp_path / "song.mp3", samples, "mp3"), sample_rate=RATE, channels=2)
    assert len(heard) == len(samples)
    assert late(samples, heard) == 0
    assert np.corrcoef(heard[:, 0], samples[:, 0])[0, 1] > 0.99


def test_aac_in_mp4_comes_back_in_place(tmp_path: Path) -> None:
    samples = noise(2.0)
    heard = decode(encode(tmp_path / "song.m4a", samples, "aac"), sample_rate=RATE, channels=2)
    assert late(samples, heard) == 0
    assert abs(len(heard) - len(samples)) < 1024


@pytest.mark.parametrize(
    ("name", "encoder", "sample_format"),
    [
        ("a.ogg", "libopus", "flt"),
        ("a.webm", "libopus", "flt"),
        ("a.mka", "flac", "s16"),
        ("a.aiff", "pcm_s16be", "s16"),
    ],
)
def test_other_formats_are_read_too(tmp_path: Path, name: str, encoder: str, sample_format: str) -> None:
    samples = noise(1.0, rate=48_000)
    path = encode(tmp_path / name, samples, encoder, rate=48_000, sample_format=sample_format)
    info = inspect(path, max_duration=HOUR)
    heard = decode(path, sample_rate=48_000, channels=2)
    assert info.duration == pytest.approx(1.0, abs=0.02)
    assert (info.sample_rate, info.channels) == (48_000, 2)
    assert late(samples, heard, at=20_000) == 0


def test_clipping_is_the_worst_that_loud_samples_get(tmp_path: Path) -> None:
    loud = np.array([[3.0], [-3.0], [0.5]] * 3000, np.float32)
    heard = decode(save(tmp_path / "loud.flac", loud, "flac"), sample_rate=RATE, channels=1)
    assert heard[:3, 0] == pytest.approx([32767 / 32768, -1.0, 0.5])


def test_blocks_put_together_are_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "song.flac", noise(1.0), "flac")
    blocks = list(stream(path, sample_rate=22_050, channels=1, block=1000))
    assert [len(block) for block in blocks] == [1000] * 22 + [50]
    assert all(block.dtype == np.float32 and block.shape[1] == 1 for block in blocks)
    assert np.array_equal(np.concatenate(blocks), decode(path, sample_rate=22_050, channels=1))


def test_an_excerpt_is_the_same_samples_as_in_the_whole(tmp_path: Path) -> None:
    path = save(tmp_path / "song.mp3", noise(3.0), "mp3")
    whole = decode(path, sample_rate=RATE, channels=2)
    excerpt = decode(path, sample_rate=RATE, channels=2, start=1.5, duration=0.25)
    assert np.array_equal(excerpt, whole[66_150 : 66_150 + 11_025])
    assert len(decode(path, sample_rate=RATE, channels=2, start=9.0)) == 0


@pytest.mark.parametrize("rate", [8_000, 22_050, 192_000])
def test_resampling_keeps_pitch_and_place(tmp_path: Path, rate: int) -> None:
    seconds = np.arange(rate) / rate
    tone = np.asarray(0.5 * np.sin(2 * np.pi * 1000 * seconds), np.float32)[:, np.newaxis]
    heard = decode(save(tmp_path / "tone.wav", tone, "wav", rate), sample_rate=RATE, channels=1)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert abs(len(heard) - RATE) <= 1
    assert heard[2000:40_000, 0] == pytest.approx(expected[2000:40_000], abs=2e-3)


def test_mono_becomes_the_same_on_both_sides(tmp_path: Path) -> None:
    path = save(tmp_path / "mono.wav", noise(0.5, rate=8_000, channels=1), "wav", 8_000)
    heard = decode(path, sample_rate=RATE, channels=2)
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert inspect(path, max_duration=HOUR).sample_rate == 8_000


def test_surround_is_folded_without_losing_a_speaker_or_clipping() -> None:
    layout = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
    full = fold(np.ones((1, 8), np.float32), layout, 2)
    assert full == pytest.approx(np.ones((1, 2)), abs=1e-6)
    left, right = zip(*(fold(np.eye(8, dtype=np.float32)[[n]], layout, 2)[0] for n in range(8)), strict=True)
    assert left[0] > 0
    assert right[0] == 0
    assert left[2] == pytest.approx(left[0] * 0.5**0.5)
    assert left[3] == right[3] == 0
    assert left[4] == left[6] == right[5] == right[7] > 0
    assert fold(np.ones((1, 2), np.float32), ("FL", "FR"), 1) == pytest.approx(np.ones((1, 1)))


def test_seven_point_one_files_are_read(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", noise(0.5, channels=8), "pcm_s16le", layout="7.1", sample_format="s16")
    assert inspect(path, max_duration=HOUR).channels == 8
    assert decode(path, sample_rate=RATE, channels=2).shape == (22_050, 2)
    assert decode(path, sample_rate=RATE, channels=1).shape == (22_050, 1)


def test_studio_files_of_24_bit_and_192_khz_are_read(tmp_path: Path) -> None:
    samples = noise(0.5, rate=192_000)
    path = encode(tmp_path / "a.flac", samples, "flac", rate=192_000, sample_format="s32")
    info = inspect(path, max_duration=HOUR)
    assert (info.sample_rate, info.codec) == (192_000, "flac")
    assert info.duration == pytest.approx(0.5)
    assert decode(path, sample_rate=192_000, channels=2) == pytest.approx(samples, abs=2**-22)


def test_silence_is_audio(tmp_path: Path) -> None:
    path = save(tmp_path / "silence.flac", np.zeros((RATE, 2), np.float32), "flac")
    assert inspect(path, max_duration=HOUR).duration == pytest.approx(1.0)
    assert not decode(path, sample_rate=22_050, channels=1).any()


def test_of_a_video_the_sound_is_used(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.mp4", noise(1.0), "aac", video=True)
    info = inspect(path, max_duration=HOUR)
    assert (info.codec, info.channels) == ("aac", 2)
    assert info.duration == pytest.approx(1.0, abs=0.03)


def test_title_and_artist_are_read_as_one_line(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    with av.open(str(path), "w") as output:
        output.metadata.update({"TITLE": "Räuber\n 夜曲\x07 👩\u200d🎤", "artist": " A  B "})
        track = output.add_stream("flac", rate=RATE, layout="mono")
        frame = AudioFrame.from_ndarray(np.zeros((1, RATE), np.int16), format="s16", layout="mono")
        frame.sample_rate = RATE
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    info = inspect(path, max_duration=HOUR)
    assert (info.title, info.artist) == ("Räuber 夜曲 👩\u200d🎤", "A B")


# --- what is refused


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


@pytest.mark.parametrize("codec", ["flac", "wav", "mp3"])
def test_a_file_of_nothing_can_be_written(tmp_path: Path, codec: Codec) -> None:
    path = save(tmp_path / "empty", np.zeros((0, 2), np.float32), codec)
    assert path.exists()


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "stem.flac"
    with pytest.raises(ValueError, match="expected an array"), Writer(path, RATE, 2) as writer:
        writer.write(noise(0.5, channels=1))
    assert list(tmp_path.iterdir()) == []


def test_reading_many_files_closes_each(tmp_path: Path) -> None:
    path = save(tmp_path / "song.flac", noise(0.2), "flac")
    (tmp_path / "text.mp3").write_text("no audio")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        next(stream(path, sample_rate=RATE, channels=2, block=100))
        refused(tmp_path / "text.mp3")
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
