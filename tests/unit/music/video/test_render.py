"""Whole videos, judged by what a player would decode from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from antiphon.errors import BadParameter, NotAudio
from antiphon.music import audio
from antiphon.music.video import RenderedVideo, VideoContent, VideoLook, render, spectrum, still
from antiphon.music.video.theme import load

pytestmark = pytest.mark.slow

RATE = 44_100
CLICK_AT, TONE_FROM, LENGTH = 1.0, 2.0, 4.0
TONE_HZ = 1000.0
COVER_COLOUR = (196, 60, 40)
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Made:
    path: Path
    result: RenderedVideo
    progress: list[tuple[float, str]]
    frames: list[NDArray[np.uint8]]
    """The luma planes (720, 1280) as decoded."""


def write_sound(path: Path, samples: Samples) -> Path:
    with audio.Writer(path, RATE, samples.shape[1], "mp3" if path.suffix == ".mp3" else "wav") as writer:
        writer.write(samples)
    return path


def tone(seconds: float, hertz: float = TONE_HZ) -> Samples:
    wave = 0.6 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave.astype(np.float32)[:, None], 2, axis=1)


def noise(seconds: float) -> Samples:
    return np.random.default_rng(3).normal(0, 0.1, (round(seconds * RATE), 2)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros((round(seconds * RATE), 2), np.float32)


def lumas(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
            yield rows[: frame.height, : frame.width].copy()


def bar_height(luma: NDArray[np.uint8], quiet: NDArray[np.uint8], band: int) -> int:
    """How many pixels of a bar stand out from the same place in a silent frame."""
    place = load().places["bars"]
    x = int(place.x + (band + 0.5) * place.width / spectrum.BANDS)
    area = slice(int(place.y), int(place.y + place.height)), slice(x - 2, x + 2)
    return int((luma[area].astype(int) - quiet[area] > 45).all(axis=1).sum())


def heights(made: Made, frame: int) -> list[int]:
    return [bar_height(made.frames[frame], made.frames[5], band) for band in range(spectrum.BANDS)]


def lag(one: Samples, other: Samples) -> int:
    """By how many samples ``other`` comes later than ``one``."""
    first, second = one[:RATE, 0].astype(np.float64), other[:RATE, 0].astype(np.float64)
    size = len(first) + len(second)
    product = np.fft.irfft(np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size)), size)
    peak = int(product.argmax())
    return peak if peak < size // 2 else peak - size


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A second of silence, a click, silence, then a tone; with a one-coloured cover and words in every field."""
    folder = tmp_path_factory.mktemp("video")
    sound = np.concatenate([silence(TONE_FROM), tone(LENGTH - TONE_FROM)])
    sound[round(CLICK_AT * RATE)] = 1.0
    cover = folder / "cover.png"
    Image.new("RGB", (300, 200), COVER_COLOUR).save(cover)
    progress: list[tuple[float, str]] = []
    out = folder / "video.mp4"
    result = render(
        write_sound(folder / "sound.wav", sound),
        out,
        VideoContent("夜 Night\x00 & Day <2>", author="🎸 Zoë 周杰倫 שלום", domain="example.org", cover=cover),
        threads=2,
        progress=lambda fraction, stage: progress.append((fraction, stage)),
    )
    return Made(out, result, progress, list(lumas(out)))


def test_the_file_is_720p_at_30_frames_for_the_length_of_the_sound(made: Made) -> None:
    assert made.result.frames == len(made.frames) == 120
    assert (made.result.duration, made.result.width, made.result.height) == (LENGTH, 1280, 720)
    with av.open(str(made.path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.average_rate == 30
        assert (stream.codec_context.name, stream.profile, stream.pix_fmt) == ("h264", "High", "yuv420p")
        assert stream.start_time == 0
        assert container.streams.audio[0].codec_context.name == "aac"
        assert float(container.duration or 0) / 1e6 == pytest.approx(LENGTH, abs=0.05)


def test_the_colours_are_tagged_bt709_and_are_so(made: Made) -> None:
    with av.open(str(made.path)) as container:
        context = container.streams.video[0].codec_context
        assert [int(context.colorspace), int(context.color_primaries), int(context.color_trc)] == [1, 1, 1]
        assert int(context.color_range) == 1
        picture = (
            next(container.decode(video=0)).reformat(format="rgb24", src_colorspace=1, dst_colorspace=1).to_ndarray()
        )
    cover = load().places["cover"]
    x, y = int(cover.x), int(cover.y)
    middle = picture[y + 100 : y + 200, x + 100 : x + 200].reshape(-1, 3).mean(axis=0)
    assert np.abs(middle - COVER_COLOUR).max() < 4


def test_the_index_stands_before_the_media_and_the_words_are_in_the_metadata(made: Made) -> None:
    data = made.path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(str(made.path)) as container:
        assert container.metadata["title"] == "夜 Night & Day <2>"
        assert container.metadata["artist"] == "🎸 Zoë 周杰倫 שלום"
        assert "Antiphon" in container.metadata["comment"]


def test_the_bar_of_a_tones_band_is_the_tallest(made: Made) -> None:
    expected = int(np.searchsorted(spectrum.band_edges(), TONE_HZ)) - 1
    shown = heights(made, 100)
    assert shown[expected] == max(shown) > 60
    assert max(shown[:40]) == max(shown)
    assert shown[5] == shown[60] == 0


def test_a_click_is_seen_and_heard_at_the_same_moment(made: Made) -> None:
    moving = [frame for frame in range(6, 55) if max(heights(made, frame)) > 8]
    assert moving[0] == round(CLICK_AT * 30)
    heard = audio.decode(made.path, sample_rate=RATE, channels=1)[: round(TONE_FROM * RATE) - 2000, 0]
    assert int(np.abs(heard).argmax()) == round(CLICK_AT * RATE)


def test_the_progress_line_is_half_full_in_the_middle_of_the_song(made: Made) -> None:
    line = load().places["line"]
    row = int(line.y + line.height / 2)
    knob = made.frames[60][row].astype(int)
    white = np.flatnonzero(knob > 215)
    assert white.mean() == pytest.approx(line.x + line.width / 2, abs=3)
    assert knob[int(line.x) + 100] - made.frames[0][row, int(line.x) + 100] > 30


def test_a_character_without_a_glyph_is_a_warning_not_a_box(made: Made) -> None:
    assert any("'author'" in warning and "U+1F3B8" in warning for warning in made.result.warnings)
    assert not any("Zo" in warning or "U+0000" in warning for warning in made.result.warnings)


def test_progress_rises_to_one(made: Made) -> None:
    fractions = [fraction for fraction, _ in made.progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [stage for _, stage in made.progress][-1] == "frames"


def test_the_same_song_gives_the_same_bytes(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "sound.wav", tone(0.5))
    for name in ("one.mp4", "two.mp4"):
        render(sound, tmp_path / name, VideoContent("Same"))
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_an_aac_source_is_copied_bit_for_bit(tmp_path: Path) -> None:
    source, out = tmp_path / "sound.m4a", tmp_path / "video.mp4"
    write_aac(source, noise(1.0))
    render(source, out, VideoContent("Copied"))
    assert packets(out) == packets(source)
    heard = [audio.decode(path, sample_rate=RATE, channels=2) for path in (source, out)]
    assert lag(*heard) == 0


def test_raw_aac_without_a_container_is_copied_too(tmp_path: Path) -> None:
    source, out = tmp_path / "sound.aac", tmp_path / "video.mp4"
    write_aac(source, noise(1.0))
    render(source, out, VideoContent("Copied"))
    assert [packet[7:] for packet in packets(source)] == packets(out)
    heard = [audio.decode(path, sample_rate=RATE, channels=2) for path in (source, out)]
    assert lag(*heard) == 0


def test_aac_that_changes_on_the_way_is_encoded_so_that_all_of_it_is_heard(tmp_path: Path) -> None:
    first, second, source, out = (tmp_path / name for name in ("1.aac", "2.aac", "sound.aac", "video.mp4"))
    write_aac(first, noise(0.5))
    write_aac(second, noise(0.5), layout="mono")
    source.write_bytes(first.read_bytes() + second.read_bytes())
    result = render(source, out, VideoContent("Encoded"))
    heard = audio.decode(out, sample_rate=RATE, channels=1)
    assert len(heard) / RATE == pytest.approx(result.duration, abs=0.05)
    assert lag(audio.decode(source, sample_rate=RATE, channels=1), heard) == 0


def test_mp3_sound_is_not_late(tmp_path: Path) -> None:
    source, out = write_sound(tmp_path / "sound.mp3", noise(1.0)), tmp_path / "video.mp4"
    render(source, out, VideoContent("Encoded"))
    heard = [audio.decode(path, sample_rate=RATE, channels=2) for path in (source, out)]
    assert lag(*heard) == 0


def test_silence_and_no_words_at_all_give_a_video(tmp_path: Path) -> None:
    out = tmp_path / "video.mp4"
    result = render(
        write_sound(tmp_path / "sound.wav", silence(0.4)), out, VideoContent("\x00 \t", author="🙂", domain="")
    )
    assert result.frames == len(list(lumas(out))) == 12
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "Untitled"


def test_a_video_of_one_sample_has_one_frame(tmp_path: Path) -> None:
    out = tmp_path / "video.mp4"
    assert render(write_sound(tmp_path / "sound.wav", tone(1 / RATE)), out, VideoContent("Short")).frames == 1
    assert len(list(lumas(out))) == 1


def test_a_preview_is_a_piece_of_the_video_with_its_sound(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "sound.wav", np.concatenate([silence(1.0), noise(1.0)]))
    whole, piece = tmp_path / "whole.mp4", tmp_path / "piece.mp4"
    render(sound, whole, VideoContent("Whole"))
    result = render(sound, piece, VideoContent("Whole"), start=0.9, length=0.5)
    assert (result.frames, result.duration) == (15, 0.5)
    shown, expected = list(lumas(piece)), list(lumas(whole))[27:42]
    assert len(shown) == 15
    assert np.abs(shown[9].astype(int) - expected[9]).mean() < 1.5
    heard = audio.decode(piece, sample_rate=RATE, channels=1)[:, 0]
    assert int(np.flatnonzero(np.abs(heard) > 0.05)[0]) == pytest.approx(0.1 * RATE, abs=64)


def test_a_still_is_the_video_s_frame_of_that_moment(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "sound.wav", tone(1.0))
    out = tmp_path / "video.mp4"
    render(sound, out, VideoContent("Still", look=VideoLook("wave", "1:1")))
    picture = np.asarray(
        still(sound, VideoContent("Still", look=VideoLook("wave", "1:1")), at=0.5).picture.convert("L"), float
    )
    shown = (list(lumas(out))[15].astype(float) - 16) * 255 / 219
    assert picture.shape == (720, 720)
    assert np.abs(picture - shown).mean() < 4


def test_what_lyrics_cannot_show_is_a_warning(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "sound.wav", tone(0.2))
    result = render(sound, tmp_path / "video.mp4", VideoContent("x", lyrics="[00:00]Sun 🌞\n[0z:99]later"))
    assert any("'lyrics'" in warning and "U+1F31E" in warning for warning in result.warnings)
    assert any("'lyrics'" in warning and "line 2" in warning for warning in result.warnings)


def test_cancelling_leaves_no_file_behind(tmp_path: Path) -> None:
    def cancel(fraction: float, stage: str) -> None:
        if stage == "frames" and fraction > 0.3:
            raise KeyboardInterrupt

    out = tmp_path / "video.mp4"
    with pytest.raises(KeyboardInterrupt):
        render(write_sound(tmp_path / "sound.wav", tone(2.0)), out, VideoContent("Cancelled"), progress=cancel)
    assert not out.exists()


def test_a_cover_that_is_no_picture_and_a_sound_that_is_none_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "cover.png"
    text.write_text("not a picture")
    with pytest.raises(BadParameter, match="'cover'"):
        render(write_sound(tmp_path / "sound.wav", tone(0.2)), tmp_path / "video.mp4", VideoContent("x", cover=text))
    with pytest.raises(NotAudio):
        render(text, tmp_path / "video.mp4", VideoContent("x"))
    assert not (tmp_path / "video.mp4").exists()


def write_aac(path: Path, samples: Samples, layout: str = "stereo") -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout=layout)
        for start in range(0, len(samples), 1024):
            part = np.ascontiguousarray(samples[start : start + 1024, : stream.codec_context.channels].T)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]
