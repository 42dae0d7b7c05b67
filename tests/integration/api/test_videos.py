"""What a request may ask of a video, and what comes of it."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.integration import songs
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server

SECONDS = 1
RED = (200, 30, 40)
BAD_LYRICS = "[00:00.10]One\n[xx:yy.zz]Two"


@pytest.fixture(scope="module")
def song(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An upload with a red cover and lyrics of which a line has a bad time."""
    folder = tmp_path_factory.mktemp("videos")
    Image.new("RGB", (64, 64), RED).save(folder / "cover.png")
    songs.song(folder / "song.mp3", seconds=SECONDS)
    files = {"file": (folder / "song.mp3").read_bytes(), "cover": (folder / "cover.png").read_bytes()}
    answer = server.call("POST", "/audio/upload", files=files, data={"lyrics": BAD_LYRICS})
    uploaded: dict[str, Any] = answer.raise_for_status().json()["data"]
    return uploaded


def made(server: Server, source: dict[str, Any], **asked: Any) -> dict[str, Any]:
    body = {"taskId": source["taskId"], "audioId": source["audioId"], **asked}
    record: dict[str, Any] = server.ended("video", server.post("/mp4/generate", body)["taskId"])
    assert record["successFlag"] == "SUCCESS", record["errorMessage"]
    return record


def file(server: Server, url: str) -> io.BytesIO:
    return io.BytesIO(server.http.get(url).raise_for_status().content)


def thumbnail(server: Server, record: dict[str, Any]) -> Image.Image:
    answer = server.http.get(record["response"]["thumbnailUrl"]).raise_for_status()
    assert answer.headers["content-type"] == "image/jpeg"
    return Image.open(io.BytesIO(answer.content))


def test_the_documented_fields_alone_give_the_default_and_a_thumbnail_of_it(
    server: Server, receiver: Receiver, song: dict[str, Any]
) -> None:
    record = made(server, song, callBackUrl=receiver.url)
    (callback,) = receiver.wait(record["taskId"])
    with av.open(file(server, record["response"]["videoUrl"]), "r") as opened:
        picture = opened.streams.video[0]
        assert (picture.width, picture.height, float(picture.average_rate or 0)) == (1280, 720, 30)
        assert opened.streams.audio[0].codec_context.name == "aac"
    shown = thumbnail(server, record)
    assert (shown.format, shown.size) == ("JPEG", (1280, 720))
    announced = callback.body["data"]
    assert list(announced) == ["task_id", "video_url", "taskId", "thumbnail_url"]
    assert Image.open(file(server, announced["thumbnail_url"])).tobytes() == shown.tobytes()


def test_every_choice_is_carried_out(server: Server, song: dict[str, Any]) -> None:
    record = made(server, song, theme="circle", aspect="9:16", resolution="1080p", fps=60, audio="copy")
    with av.open(file(server, record["response"]["videoUrl"]), "r") as opened:
        picture = opened.streams.video[0]
        assert (picture.width, picture.height, float(picture.average_rate or 0)) == (1080, 1920, 60)
        assert opened.streams.audio[0].codec_context.name.startswith("mp3")
    assert thumbnail(server, record).size == (1080, 1920)


def test_lyrics_are_the_uploads_unless_the_request_has_some_or_none(server: Server, song: dict[str, Any]) -> None:
    assert any("'lyrics': line 2" in warning for warning in made(server, song)["warnings"])
    assert made(server, song, lyrics="")["warnings"] == []
    assert any("'lyrics': line 1" in warning for warning in made(server, song, lyrics="[99:00]Late")["warnings"])


def test_a_stem_has_the_cover_and_the_lyrics_of_its_song(server: Server, song: dict[str, Any]) -> None:
    source = {"taskId": song["taskId"], "audioId": song["audioId"], "type": "separate_vocal"}
    separation = server.ended("separation", server.post("/vocal-removal/generate", source)["taskId"])
    instrumental = next(
        stem for stem in separation["response"]["originData"] if stem["stem_type_group_name"] == "Instrumental"
    )
    record = made(server, {"taskId": separation["taskId"], "audioId": instrumental["id"]})
    assert any("'lyrics': line 2" in warning for warning in record["warnings"])
    shown = np.asarray(thumbnail(server, record), int)
    assert (np.abs(shown - RED).max(axis=2) < 20).sum() > 20_000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"theme": "stars"}, "theme: input should be 'bars', 'circle' or 'wave' (got 'stars')"),
        ({"aspect": "4:3"}, "aspect: input should be '16:9', '9:16' or '1:1' (got '4:3')"),
        ({"resolution": "4k"}, "resolution: input should be '720p' or '1080p' (got '4k')"),
        ({"fps": 25}, "fps: input should be 30 or 60 (got 25)"),
        ({"audio": "mp3"}, "audio: input should be 'auto' or 'copy' (got 'mp3')"),
        ({"lyrics": ["la"]}, "lyrics: input should be a valid string (got ['la'])"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_by_its_name(
    server: Server, song: dict[str, Any], asked: dict[str, Any], message: str
) -> None:
    body = {"taskId": song["taskId"], "audioId": song["audioId"], **asked}
    answer = server.call("POST", "/mp4/generate", json=body)
    assert answer.status_code == 400
    assert answer.json()["msg"] == f"{message}; correct it and send again"


def test_a_cover_that_breaks_off_is_refused_at_upload(server: Server, tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(whole, "PNG")
    half = whole.getvalue()[: len(whole.getvalue()) // 2]
    files = {"file": songs.song(tmp_path / "song.mp3", seconds=1).read_bytes(), "cover": half}
    answer = server.call("POST", "/audio/upload", files=files)
    assert answer.status_code == 400
    assert answer.json()["msg"].startswith("'cover' is not a picture that can be read")
