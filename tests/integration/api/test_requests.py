"""Asking for work: once only, not too often, not too much, not during maintenance."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from antiphon.keys import digest
from tests.integration import songs
from tests.integration.server import Server, succeeded


@pytest.fixture
def stems(server: Server, key: str) -> str:
    """A finished separation of this test's own key."""
    return server.plant("separation", "succeeded", key=key, tracks=("vocal",))


def ask(server: Server, key: str, source: str, *, again: str | None = None, **more: str) -> httpx.Response:
    headers = {"Idempotency-Key": again} if again is not None else {}
    return server.call("POST", "/midi/generate", key=key, json={"taskId": source, **more}, headers=headers)


def test_the_same_request_with_the_same_key_gives_the_same_task(server: Server, key: str, stems: str) -> None:
    again = str(uuid4())
    first, second = (succeeded(ask(server, key, stems, again=again)) for _ in range(2))
    assert first == second
    assert succeeded(ask(server, key, stems, again=str(uuid4()))) != first
    assert succeeded(ask(server, key, stems)) != succeeded(ask(server, key, stems))


def test_the_same_request_many_times_at_once_gives_one_task(server: Server, key: str, stems: str) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: ask(server, key, stems, again="one"), range(24)))
    assert len({succeeded(answer)["taskId"] for answer in answers}) == 1
    assert server.sql("SELECT count(*) AS number FROM tasks WHERE source_id = %s", stems) == [{"number": 1}]


def test_another_request_with_the_same_key_is_refused(server: Server, key: str, stems: str) -> None:
    succeeded(ask(server, key, stems, again="mine"))
    answer = ask(server, key, stems, again="mine", audioId=server.audio_id(stems))
    assert answer.status_code == answer.json()["code"] == 409
    assert answer.json()["msg"].startswith("Idempotency-Key: it came with another body before; use a new key")


def test_an_idempotency_key_is_its_owners_only(server: Server, key: str, stems: str) -> None:
    other = server.new_key()
    theirs = server.plant("separation", "succeeded", key=other, tracks=("vocal",))
    ours = succeeded(ask(server, key, stems, again="ours"))
    assert succeeded(ask(server, other, theirs, again="ours")) != ours


def test_an_idempotency_key_is_forgotten_after_a_day(server: Server, key: str, stems: str) -> None:
    first = succeeded(ask(server, key, stems, again="old"))
    server.sql("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
    assert succeeded(ask(server, key, stems, again="old")) != first


@pytest.mark.parametrize("again", ["", "x" * 256])
def test_an_idempotency_key_that_is_none_is_refused(server: Server, key: str, stems: str, again: str) -> None:
    answer = ask(server, key, stems, again=again)
    assert answer.status_code == 400
    assert answer.json()["msg"].startswith("Idempotency-Key: expected 1 to 255")


def test_a_refused_request_does_not_use_up_its_key(server: Server, key: str, stems: str) -> None:
    assert ask(server, key, stems, again="try", audioId=str(uuid4())).status_code == 404
    succeeded(ask(server, key, stems, again="try"))


def test_an_upload_sent_twice_is_kept_once(server: Server, key: str, tmp_path: Path) -> None:
    song = songs.song(tmp_path / "song.mp3", seconds=1)

    def upload(title: str) -> httpx.Response:
        files = {"file": ("song.mp3", song.read_bytes())}
        headers = {"Idempotency-Key": "upload"}
        how: dict[str, Any] = {"files": files, "data": {"title": title}, "headers": headers}
        return server.call("POST", "/audio/upload", key=key, **how)

    first = succeeded(upload("One"))
    kept = server.belongings()
    assert succeeded(upload("One")) == first
    assert upload("Two").status_code == 409
    assert server.belongings() == kept


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """The folder of the test, served over HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def test_a_song_and_its_cover_are_fetched_from_urls(server: Server, key: str, website: str, tmp_path: Path) -> None:
    songs.song(tmp_path / "My Song.mp3", seconds=1)
    Image.new("RGB", (40, 40), "red").save(tmp_path / "cover.png")
    body = {"url": f"{website}/My%20Song.mp3?token=x", "cover": f"{website}/cover.png", "author": "Zoë"}
    headers = {"Idempotency-Key": "fetched"}
    first, second = (server.post("/audio/upload-url", body, key=key, headers=headers) for _ in range(2))
    assert first == second
    assert (first["title"], first["duration"]) == ("My Song", pytest.approx(1, abs=0.06))
    found = server.sql("SELECT name FROM artifacts WHERE task_id = %s ORDER BY name", first["taskId"])
    assert [artifact["name"] for artifact in found] == ["cover", "origin"]


@pytest.mark.parametrize("name", ["nothing.mp3", "text.mp3"])
def test_what_is_no_song_leaves_nothing_when_fetched(server: Server, website: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.mp3").write_text("la la la")
    before = server.belongings()
    answer = server.call("POST", "/audio/upload-url", json={"url": f"{website}/{name}"})
    assert answer.status_code == answer.json()["code"] == {"nothing.mp3": 400, "text.mp3": 415}[name]
    assert server.belongings() == before


def test_a_video_of_a_stem_is_named_after_both(server: Server, key: str, stems: str) -> None:
    body = {"taskId": stems, "audioId": server.audio_id(stems)}
    task_id = server.post("/mp4/generate", body, key=key)["taskId"]
    (task,) = server.get("/tasks", key=key, params={"kind": "video"})["tasks"]
    assert (task["taskId"], task["title"], task["sourceTaskId"]) == (task_id, "Planted (Vocals)", stems)


def test_a_video_of_the_whole_song_may_name_its_separation(server: Server, key: str) -> None:
    song = server.plant("upload", "succeeded", key=key, tracks=("origin",))
    stems = server.plant("separation", "succeeded", key=key, tracks=("vocal",), source_id=song)
    server.post("/mp4/generate", {"taskId": stems, "audioId": server.audio_id(song)}, key=key)
    (task,) = server.get("/tasks", key=key, params={"kind": "video"})["tasks"]
    assert (task["sourceTaskId"], task["title"]) == (song, "Planted")


def test_calls_that_are_too_frequent_wait(server: Server, key: str, stems: str) -> None:
    nearly = "array_fill(now() - interval '4 seconds', ARRAY[998])"
    server.sql(f"UPDATE api_keys SET recent_calls = {nearly} WHERE name = 'test' AND digest = %s", digest(key))
    assert [ask(server, key, stems).status_code for _ in range(3)] == [200, 200, 430]
    answer = ask(server, key, stems)
    assert answer.json()["code"] == 430
    assert "more than 1000 calls in 10 s" in answer.json()["msg"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 6
    assert server.call("GET", "/tasks", key=key).status_code == 200
    assert ask(server, server.key, stems).status_code == 404


def test_too_many_queued_tasks_wait(server: Server, key: str, stems: str) -> None:
    queued = [server.plant("midi", "queued", key=key) for _ in range(100)]
    answer = ask(server, key, stems)
    assert answer.status_code == answer.json()["code"] == 429
    assert "100 tasks of this API key are queued or running" in answer.json()["msg"]
    assert int(answer.headers["Retry-After"]) > 0
    server.post(f"/tasks/{queued[0]}/cancel", key=key)
    succeeded(ask(server, key, stems))
    server.sql("UPDATE tasks SET state = 'cancelled' WHERE id = ANY(%s)", queued)


@pytest.fixture
def maintenance(server: Server) -> Iterator[None]:
    server.sql("UPDATE server_state SET maintenance = true")
    yield
    server.sql("UPDATE server_state SET maintenance = false")


@pytest.mark.usefixtures("maintenance")
def test_during_maintenance_nothing_new_begins_but_polling_goes_on(server: Server, key: str, stems: str) -> None:
    for path in ("/audio/upload", "/audio/upload-url", "/vocal-removal/generate", "/midi/generate", "/mp4/generate"):
        answer = server.call("POST", path, key=key, json={})
        assert answer.status_code == answer.json()["code"] == 455
        assert int(answer.headers["Retry-After"]) > 0
    assert server.record("separation", stems, key=key)["taskState"] == "succeeded"
