"""``antiphon video``, run in this process."""

from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.unit.music.sounds import RATE, encode, noise, save

from antiphon.commands.video import video
from antiphon.errors import AntiphonError, BadParameter, NotFound

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("songs") / "song.wav", noise(3.0), "wav")


def run(*arguments: object) -> str:
    done = CliRunner().invoke(video, [str(argument) for argument in arguments])
    if isinstance(done.exception, AntiphonError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def picture_of(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        rate = float(stream.average_rate or 0)
        return {"size": (stream.width, stream.height), "rate": rate, "frames": frames}


@pytest.mark.parametrize(
    ("choices", "size"),
    [
        ((), (1280, 720)),
        (("--size", "1080p"), (1920, 1080)),
        (("--aspect", "1:1"), (720, 720)),
        (("--aspect", "9:16", "--size", "1080p"), (1080, 1920)),
        (("--size", "1080x1920"), (1080, 1920)),
        (("--size", "1280×720", "--aspect", "16:9"), (1280, 720)),
    ],
)
def test_a_picture_at_a_second_has_the_size_that_was_asked_for(
    song: Path, tmp_path: Path, choices: tuple[str, ...], size: tuple[int, int]
) -> None:
    out = tmp_path / "frame.png"
    assert run(song, "--out", out, "--preview", 1, *choices).split() == [str(out)]
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", size)


def test_every_theme_looks_different(song: Path, tmp_path: Path) -> None:
    seen = set()
    for theme in ("bars", "circle", "wave"):
        run(song, "--out", tmp_path / "frame.jpg", "--theme", theme)
        with Image.open(tmp_path / "frame.jpg") as picture:
            assert picture.format == "JPEG"
            seen.add(picture.tobytes())
    assert len(seen) == 3


def test_a_preview_is_the_first_seconds_beside_the_song_and_no_video_of_its_own(song: Path) -> None:
    out = song.with_name("song-preview.mp4")
    assert run(song, "--preview", 0.5, "--fps", 60).split()[-1] == str(out)
    assert picture_of(out) == {"size": (1280, 720), "rate": 60, "frames": 30}


def test_lyrics_are_shown_and_their_bad_times_are_told(song: Path, tmp_path: Path) -> None:
    lyrics, plain, sung = tmp_path / "song.lrc", tmp_path / "plain.png", tmp_path / "sung.png"
    lyrics.write_bytes("\ufeff[00:00.00]Ein Lied\r\n[00:02.00]geht\r\n[xx:yy.zz]zu Ende\r\n".encode())
    run(song, "--out", plain, "--preview", 1)
    run(song, "--out", sung, "--preview", 1, "--lyrics", lyrics)
    with Image.open(plain) as first, Image.open(sung) as second:
        assert first.tobytes() != second.tobytes()
    told = run(song, "--out", tmp_path / "video.mp4", "--preview", 0.2, "--lyrics", lyrics)
    assert "warning: 'lyrics': line 3: no time that can be read" in told


def test_mp3_is_kept_on_request(tmp_path: Path) -> None:
    song = encode(tmp_path / "song.mp3", noise(1.0), "libmp3lame")
    for choice, codec in (("auto", "aac"), ("copy", "mp3")):
        run(song, "--audio", choice)
        with av.open(str(tmp_path / "song.mp4")) as container:
            track = container.streams.audio[0]
            assert track.codec_context.name.removesuffix("float") == codec
            assert track.rate == RATE


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (("--theme", "stars"), r"^theme: expected one of bars, circle, wave, not 'stars'"),
        (("--size", "640x480"), r"^--size: expected one of 720p, 1080p, 1280x720, .* \(got '640x480'\)"),
        (
            ("--size", "1080x1920", "--aspect", "1:1"),
            r"^--aspect: 1080x1920 is 9:16, not 1:1; leave one out",
        ),
        (("--out", "song.avi"), r"^--out: expected a name that ends in .mp4, .png or .jpg \(got 'song.avi'\)"),
    ],
)
def test_a_choice_that_there_is_not_is_named(song: Path, choices: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        run(song, *choices)


def test_lyrics_that_are_no_text_or_not_there_are_named(song: Path, tmp_path: Path) -> None:
    (tmp_path / "song.lrc").write_bytes(b"\x89PNG\r\n\0\0")
    with pytest.raises(
        BadParameter, match=r"^--lyrics: it cannot be told how .*song\.lrc is encoded .*; save it as UTF-8"
    ):
        run(song, "--lyrics", tmp_path / "song.lrc")
    with pytest.raises(NotFound, match=r"^--lyrics: there is no file .*none\.lrc"):
        run(song, "--lyrics", tmp_path / "none.lrc")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["frame.png", "piece.mp4"])
def test_what_of_lyrics_is_not_understood_is_told_for_pictures_as_for_videos(
    song: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "song.srt").write_text("1\n00:00:00,100 --> 00:00:01,000\nLa\n\n2\nsoon --> 00:00:02,000\nLi\n")
    result = run(song, "--lyrics", tmp_path / "song.srt", "--preview", "0.2", "--out", tmp_path / name)
    assert "warning: 'lyrics': line 6: no time that can be read" in result
