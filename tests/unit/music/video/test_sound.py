"""The sound of a video beside the sound of its source: the same moment in both, to the sample."""

import math
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from tests.unit.music.sounds import RATE, Samples, encode, late, noise, save

from antiphon.music import audio
from antiphon.music.audio.source import open_source
from antiphon.music.video.sound import AudioMode, copyable, packets

pytestmark = pytest.mark.slow

SECONDS = 2.0


def aac(path: Path, layout: str = "stereo") -> Path:
    return encode(path, noise(SECONDS, channels=1 if layout == "mono" else 2), "aac", layout=layout)


def mp3(path: Path, rate: int = RATE, layout: str = "stereo") -> Path:
    channels = 1 if layout == "mono" else 2
    return encode(path, noise(SECONDS, rate=rate, channels=channels), "libmp3lame", rate=rate, layout=layout)


def source(folder: Path, kind: str) -> Path:
    path = folder / f"sound.{kind.split()[0]}"
    match kind:
        case "wav" | "flac":
            return save(path, noise(SECONDS), kind)
        case "m4a" | "aac":
            return aac(path)
        case "mp3":
            return mp3(path)
        case "mp3 48k":
            return mp3(path, 48_000)
        case "opus":
            return encode(path, noise(SECONDS, rate=48_000), "libopus", rate=48_000, sample_format="flt")
        case "ogg":
            return encode(path, noise(SECONDS), "vorbis")
    raise ValueError(kind)


def mux(sound: Path, out: Path, mode: AudioMode = "auto", start: float = 0.0, end: float = math.inf) -> Path:
    """The sound alone in an MP4."""
    with open_source(sound) as opened, av.open(str(out), "w") as output:
        for _, packet in packets(opened, output, copy=copyable(sound, mode), start=start, end=end):
            output.mux(packet)
    return out


def codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.name


def payloads(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def heard(path: Path) -> Samples:
    return audio.decode(path, sample_rate=RATE, channels=2)


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a", "aac", "mp3", "mp3 48k", "opus", "ogg"])
def test_no_source_is_heard_a_sample_late_or_early(tmp_path: Path, kind: str) -> None:
    given = source(tmp_path, kind)
    made = mux(given, tmp_path / "out.mp4")
    assert codec(made) == "aac"
    assert late(heard(given), heard(made)) == 0


@pytest.mark.parametrize("kind", ["mp3", "mp3 48k"])
def test_an_mp3_that_is_kept_is_not_late_either_and_is_kept_bit_for_bit(tmp_path: Path, kind: str) -> None:
    given = source(tmp_path, kind)
    made = mux(given, tmp_path / "out.mp4", "copy")
    assert payloads(made) == payloads(given)
    assert late(heard(given), heard(made)) == 0


@pytest.mark.parametrize("kind", ["wav", "m4a", "mp3"])
def test_a_part_of_the_sound_begins_and_ends_where_it_is_cut(tmp_path: Path, kind: str) -> None:
    given = source(tmp_path, kind)
    made = heard(mux(given, tmp_path / "out.mp4", start=0.7301, end=1.6))
    assert late(heard(given)[round(0.7301 * RATE) :], made, at=RATE // 4) == 0
    assert len(made) / RATE == pytest.approx(0.8699, abs=0.024)


def test_a_first_part_of_aac_is_still_copied(tmp_path: Path) -> None:
    given = source(tmp_path, "m4a")
    made = mux(given, tmp_path / "out.mp4", end=1.0)
    kept = payloads(made)
    assert kept == payloads(given)[: len(kept)]
    assert len(heard(made)) / RATE == pytest.approx(1.0, abs=0.024)


def test_sound_that_is_encoded_gets_320_kbit_a_second(tmp_path: Path) -> None:
    made = mux(save(tmp_path / "sound.wav", 10 * noise(SECONDS), "wav"), tmp_path / "out.mp4")
    assert sum(map(len, payloads(made))) * 8 / SECONDS == pytest.approx(320_000, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "mode", "kept"),
    [
        ("m4a", "auto", True),
        ("aac", "copy", True),
        ("mp3", "auto", False),
        ("mp3", "copy", True),
        ("wav", "copy", False),
        ("flac", "copy", False),
        ("opus", "copy", False),
        ("ogg", "copy", False),
    ],
)
def test_what_is_kept_as_it_is(tmp_path: Path, kind: str, mode: AudioMode, kept: bool) -> None:
    assert copyable(source(tmp_path, kind), mode) is kept


def test_an_mp3_that_changes_on_the_way_or_is_of_mpeg_2_5_is_not_kept(tmp_path: Path) -> None:
    stereo, mono, both = mp3(tmp_path / "1.mp3"), mp3(tmp_path / "2.mp3", layout="mono"), tmp_path / "3.mp3"
    both.write_bytes(stereo.read_bytes() + mono.read_bytes())
    assert copyable(mono, "copy")
    assert not copyable(both, "copy")
    assert copyable(mp3(tmp_path / "mpeg2.mp3", 16_000), "copy")
    assert not copyable(mp3(tmp_path / "mpeg2.5.mp3", 8_000), "copy")


def test_a_source_of_one_channel_is_heard_on_both_sides(tmp_path: Path) -> None:
    made = mux(save(tmp_path / "sound.wav", noise(SECONDS, channels=1), "wav"), tmp_path / "out.mp4")
    with av.open(str(made)) as container:
        track = container.streams.audio[0]
        assert isinstance(track, AudioStream) and track.codec_context.layout.name == "stereo"
    left, right = heard(made).T
    assert np.abs(left).max() > 0.01 and np.allclose(left, right, atol=0.01)
