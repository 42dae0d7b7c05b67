"""Audio files as strangers send them: what is read is what was recorded."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from tests.unit.music.sounds import HOUR, RATE, encode, late, noise, on_grid, save

from antiphon.music.audio import Codec, Writer, decode, inspect, stream
from antiphon.music.audio.channels import fold


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


@pytest.mark.parametrize("codec", ["flac", "wav", "mp3"])
def test_a_file_of_nothing_can_be_written(tmp_path: Path, codec: Codec) -> None:
    path = save(tmp_path / "empty", np.zeros((0, 2), np.float32), codec)
    assert path.exists()


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "stem.flac"
    with pytest.raises(ValueError, match="expected an array"), Writer(path, RATE, 2) as writer:
        writer.write(noise(0.5, channels=1))
    assert list(tmp_path.iterdir()) == []
