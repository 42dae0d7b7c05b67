"""A piece of a long file is what the whole file has there, to the sample, in every container."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.integration import songs

from antiphon.music.audio import Writer, decode, peaks, piece
from antiphon.music.audio.pieces import Waypoints
from antiphon.music.audio.source import Samples, open_source

pytestmark = pytest.mark.slow

RATE = 44_100
SECONDS = 33.3
MADE_UP = 2048  # samples at the end, where AAC fills up with noise of its decoder's own


@pytest.fixture(scope="module")
def noise() -> Samples:
    """Something that is nowhere like it is elsewhere: a sweep and noise, (n, 2)."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    sweep = 0.4 * np.sin(2 * np.pi * (200 + 60 * t) * t)
    random = np.random.default_rng(7).normal(0, 0.05, (len(t), 2))
    return np.asarray(sweep[:, None] + random, np.float32)


def written(path: Path, samples: Samples, codec: str, *, rate: int = RATE, container: str | None = None) -> Path:
    with av.open(str(path), "w", format=container) as output:
        track: Any = output.add_stream(codec, rate=rate, layout="stereo", options={"strict": "experimental"})
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(track.codec_context.format, "stereo", rate, frame_size=track.frame_size or 1024)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(track.encode(part))
        output.mux(track.encode(None))
    return path


FORMATS = {
    "flac": ("flac", None),
    "wav": ("pcm_s16le", None),
    "aiff": ("pcm_s16be", None),
    "mp3": ("libmp3lame", None),
    "m4a": ("aac", "mp4"),
    "aac": ("aac", "adts"),
    "ogg": ("vorbis", None),
    "opus": ("libopus", "ogg"),
    "mka": ("aac", "matroska"),
    "webm": ("libopus", "webm"),
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_pieces_put_together_are_the_whole_file(tmp_path: Path, noise: Samples, suffix: str) -> None:
    codec, container = FORMATS[suffix]
    rate = 48_000 if "opus" in codec else RATE
    path = written(tmp_path / f"song.{suffix}", noise, codec, rate=rate, container=container)
    whole = decode(path, sample_rate=RATE, channels=2)
    pieces = []
    for number in range(5):
        with open_source(path) as source:
            pieces.append(piece(source, number))
    full, last = 10 * RATE, len(whole) % (10 * RATE)
    assert [len(part) for part in pieces] == [*[full] * (len(whole) // full), last, *[0] * (4 - len(whole) // full)]
    heard = len(whole) - (MADE_UP if codec == "aac" else 0)
    difference = np.abs(np.concatenate(pieces) - whole)[:heard]
    assert difference.max() <= (1e-6 if rate != RATE else 0)


@pytest.mark.parametrize("suffix", ["mp3", "aac"])
def test_a_piece_is_the_same_when_reading_begins_at_a_waypoint(tmp_path: Path, noise: Samples, suffix: str) -> None:
    codec, container = FORMATS[suffix]
    path = written(tmp_path / f"song.{suffix}", np.concatenate([noise] * 3), codec, container=container)
    whole = decode(path, sample_rate=RATE, channels=2)
    waypoints = Waypoints()
    for number in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 5, 9):
        with open_source(path) as source:
            found = piece(source, number, waypoints)
        expected = whole[number * 10 * RATE : (number + 1) * 10 * RATE]
        heard = len(expected) - (MADE_UP if suffix == "aac" and number == 9 else 0)
        assert len(found) == len(expected)
        assert np.array_equal(found[:heard], expected[:heard]), number
    assert len(waypoints.times) == len(waypoints.places) == 10


def test_a_file_of_another_rate_and_one_channel_is_cut_without_a_seam(tmp_path: Path, noise: Samples) -> None:
    path = songs.wav(tmp_path / "song.wav", noise[:, :1], rate=32_000)
    whole = decode(path, sample_rate=RATE, channels=2)
    pieces = []
    for number in range(5):
        with open_source(path) as source:
            pieces.append(piece(source, number))
    together = np.concatenate(pieces)
    assert len(together) == len(whole)
    assert np.abs(together - whole).max() < 1e-4


def test_the_outline_of_a_sound_is_where_the_sound_is(tmp_path: Path) -> None:
    samples = np.zeros((10 * RATE, 2), np.float32)
    samples[3 * RATE : 4 * RATE, 0] = 0.5
    samples[7 * RATE : 8 * RATE, 1] = -1.0
    with Writer(tmp_path / "song.flac", RATE, 2) as writer:
        writer.write(samples)
    found = peaks(tmp_path / "song.flac", most=100)
    assert (found.duration, len(found.low), len(found.high)) == (10.0, 100, 100)
    assert {at for at, value in enumerate(found.high) if value} - {29, 40} == set(range(30, 40))
    assert set(found.high[31:39]) == {64} and set(found.low[71:79]) == {-127}
    assert set(found.low[:69]) == {0} and not any(found.high[41:])


def test_a_sound_shorter_than_the_outline_has_a_shorter_one(tmp_path: Path) -> None:
    found = peaks(songs.wav(tmp_path / "song.wav", songs.tone(0.2)), most=1600)
    assert 0 < len(found.low) == len(found.high) <= 35
    assert max(found.high) > 10 > -10 > min(found.low)
