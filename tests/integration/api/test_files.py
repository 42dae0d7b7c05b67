"""Artifacts by signed link: whole, in part, forged, expired, purged."""

import re
import time
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from antiphon import links
from antiphon.secret import load_secret
from antiphon.services import open_services
from antiphon.settings import Settings
from antiphon.tasks.retention import Retention
from tests.integration import songs
from tests.integration.conftest import SECRET
from tests.integration.line import Line
from tests.integration.server import Server


@pytest.fixture(scope="module")
def link(line: Line) -> str:
    return str(line.records["split_stem"]["response"]["originUrl"])


@pytest.fixture(scope="module")
def whole(clip: Path) -> bytes:
    return clip.read_bytes()


def test_a_file_comes_as_it_was_sent(server: Server, link: str, whole: bytes) -> None:
    answer = server.http.get(link)
    assert answer.status_code == 200
    assert answer.content == whole
    assert answer.headers["content-type"] == "audio/flac"
    assert answer.headers["accept-ranges"] == "bytes"
    assert 'filename="Clip - origin.flac"' in answer.headers["content-disposition"]


def test_head_tells_the_size_and_sends_nothing(server: Server, link: str, whole: bytes) -> None:
    answer = server.http.head(link)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(whole)


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=1000-", slice(1000, None)),
        ("bytes=-500", slice(-500, None)),
        ("bytes=0-99999999999", slice(0, None)),
        ("bytes=-99999999999", slice(0, None)),
    ],
)
def test_a_range_comes_as_asked_for(server: Server, link: str, whole: bytes, wanted: str, span: slice) -> None:
    for method in ("GET", "HEAD"):
        answer = server.http.request(method, link, headers={"Range": wanted})
        assert answer.status_code == 206
        first, last, size = map(int, re.findall(r"\d+", answer.headers["content-range"]))
        assert whole[first : last + 1] == whole[span]
        assert size == len(whole)
        assert int(answer.headers["content-length"]) == last + 1 - first
    answer = server.http.get(link, headers={"Range": wanted})
    assert answer.content == whole[span]


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=99999999-99999999999", "bytes=-0"])
def test_a_range_behind_the_end_is_416(server: Server, link: str, whole: bytes, wanted: str) -> None:
    answer = server.http.get(link, headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=0-1,5-6", "junk"])
def test_a_range_that_is_none_gives_the_whole(server: Server, link: str, whole: bytes, wanted: str) -> None:
    answer = server.http.get(link, headers={"Range": wanted})
    assert (answer.status_code, answer.content == whole) == (200, True)


def test_a_download_goes_on_only_with_the_same_file(server: Server, link: str, whole: bytes) -> None:
    etag = server.http.head(link).headers["etag"]
    for condition, status in ((etag, 206), ('"another"', 200), ("Sat, 21 Nov 2020 00:00:00 GMT", 200)):
        answer = server.http.get(link, headers={"Range": "bytes=10-", "If-Range": condition})
        assert answer.status_code == status


def test_a_file_is_saved_under_its_title_in_any_script(server: Server, tmp_path: Path) -> None:
    uploaded = server.upload(songs.song(tmp_path / "song.mp3", seconds=1), title='Zoë "x"/.. 音楽 🎵')
    stems = server.plant("separation", "succeeded", source_id=uploaded["taskId"])
    answer = server.http.get(server.record("separation", stems)["response"]["originUrl"])
    assert answer.status_code == 200
    plain, encoded = re.findall(r"filename\*?=(\S.*?)(?:;|$)", answer.headers["content-disposition"])
    assert plain == '"Zo? _x__.. ?? ? - origin.mp3"'
    assert unquote(encoded) == "UTF-8''Zoë _x__.. 音楽 🎵 - origin.mp3"


def refused(answer: httpx.Response, code: int, words: str) -> None:
    assert answer.status_code == answer.json()["code"] == code
    assert answer.json()["data"] is None
    assert re.search(words, answer.json()["msg"])


def test_a_forged_link_is_not_found(server: Server, link: str) -> None:
    base, token, _ = link.rsplit("/", 2)
    swapped = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
    other = links.sign(b"another secret", key="x/0/y.flac", expires=int(time.time()) + 60, filename="y.flac")
    for forged in (swapped, token[:-1], token + "A", "x", other, "%00", "..%2F..%2Fetc%2Fpasswd"):
        refused(server.http.get(f"{base}/{forged}"), 404, "not valid|nothing at")


def test_a_link_that_has_run_out_says_when(server: Server, tmp_path: Path) -> None:
    secret = load_secret(tmp_path, SECRET)
    token = links.sign(secret, key="x/0/y.flac", expires=1_700_000_000, filename="y.flac")
    refused(server.http.get(f"{server.url}/files/{token}"), 410, "expired on 2023-11-14")


async def test_after_its_time_a_task_is_gone_from_storage_and_answers_410(server: Server, tmp_path: Path) -> None:
    uploaded = server.upload(songs.song(tmp_path / "song.mp3", seconds=1))
    stems = server.plant("separation", "succeeded", source_id=uploaded["taskId"], tracks=("vocal",))
    working = server.plant("video", "running", source_id=stems)
    gone = [uploaded["taskId"], stems]
    server.sql("UPDATE tasks SET expires_at = '2026-01-02T03:04:00Z' WHERE id = ANY(%s)", gone)
    settings = Settings(data=tmp_path, database_url=server.database_url, storage_url=str(server.storage), secret=SECRET)
    stored = server.storage / uploaded["taskId"]
    assert stored.exists()
    async with open_services(settings) as services:
        await Retention(services).purge_expired()
        assert not stored.exists()
        purged = "SELECT purged_at IS NOT NULL AS purged FROM tasks WHERE id = %s"
        assert server.sql(purged, uploaded["taskId"]) == [{"purged": True}]
        assert server.sql(purged, stems) == [{"purged": False}]  # a running task still needs it
        server.sql("UPDATE tasks SET state = 'failed' WHERE id = %s", working)
        await Retention(services).purge_expired()
    assert server.sql(purged, stems) == [{"purged": True}]
    assert server.sql("SELECT id FROM artifacts WHERE task_id = ANY(%s)", gone) == []
    when = "expired on 2026-01-02 03:04 UTC"
    refused(server.call("GET", "/vocal-removal/record-info", params={"taskId": stems}), 410, when)
    refused(server.call("POST", "/midi/generate", json={"taskId": stems}), 410, when)
    source = {"taskId": uploaded["taskId"], "audioId": uploaded["audioId"]}
    refused(server.call("POST", "/vocal-removal/generate", json=source), 410, when)
    refused(server.call("POST", f"/tasks/{stems}/callbacks/resend"), 410, when)
