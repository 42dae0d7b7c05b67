"""What the console shows of tasks: one with everything, the family of a song, and all of them live."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from antiphon.listening import sse
from tests.integration.console.browser import Browser
from tests.integration.line import Line
from tests.integration.recording_receiver import Receiver
from tests.integration.server import Server, running, succeeded
from tests.integration.streams import bounded
from tests.waiting import wait_for

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_a_task_is_shown_with_its_parameters_and_files(server: Server, line: Line) -> None:
    task = server.get(f"/tasks/{line.ids['split_stem']}")
    assert (task["kind"], task["state"], task["sourceTaskId"]) == ("separation", "succeeded", line.uploaded["taskId"])
    assert task["parameters"] == {"title": "Clip", "type": "split_stem"}
    assert [artifact["name"] for artifact in task["artifacts"]] == ["vocal", "drums", "bass", "other"]
    for artifact in task["artifacts"]:
        assert artifact["filename"] == f"Clip - {artifact['name']}.flac"
        assert (artifact["contentType"], artifact["duration"]) == ("audio/flac", 6.0)
        assert artifact["expireTime"] == task["expireTime"]
        file = server.http.get(artifact["url"])
        assert (file.content[:4], len(file.content)) == (b"fLaC", artifact["size"])
    audio_ids = {artifact["audioId"] for artifact in task["artifacts"]}
    record = line.records["split_stem"]["response"]
    assert audio_ids == {stem["id"] for stem in record["originData"]}


def test_the_family_of_a_song_is_the_same_from_each_of_its_tasks(server: Server, line: Line) -> None:
    seen = [server.get(f"/tasks/{task_id}/family") for task_id in (line.uploaded["taskId"], *line.ids.values())]
    root, *made = seen[0]["tasks"]
    assert (root["kind"], root["taskId"]) == ("upload", line.uploaded["taskId"])
    assert (root["parameters"]["title"], root["parameters"]["author"]) == ("Clip", "Zoë")
    assert {task["taskId"] for task in made} >= set(line.ids.values())
    assert [task["createTime"] for task in seen[0]["tasks"]] == sorted(t["createTime"] for t in seen[0]["tasks"])
    midi = next(task for task in made if task["taskId"] == line.ids["midi"])
    assert [(a["name"], a["contentType"], a["audioId"]) for a in midi["artifacts"]] == [("midi", "audio/midi", None)]
    for family in seen[1:]:
        assert [task["taskId"] for task in family["tasks"]] == [task["taskId"] for task in seen[0]["tasks"]]


def test_a_failure_is_shown_with_its_words(server: Server, key: str) -> None:
    words = f"file: {XSS}"
    task_id = server.plant(
        "video", "failed", key=key, error_code=415, error_message=words, parameters={"title": XSS, "author": XSS}
    )
    answer = server.call("GET", f"/tasks/{task_id}", key=key)
    task = succeeded(answer)
    assert (task["errorCode"], task["errorMessage"], task["artifacts"]) == (415, words, [])
    assert (task["title"], task["parameters"]["author"]) == (XSS, XSS)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["", "/family"])
def test_another_keys_task_and_an_expired_one_are_not_shown(server: Server, key: str, path: str) -> None:
    foreign = server.plant("midi", "succeeded")
    assert server.call("GET", f"/tasks/{foreign}{path}", key=key).json()["code"] == 404
    assert server.call("GET", f"/tasks/{uuid4().hex}{path}", key=key).json()["code"] == 404
    expired = server.plant("midi", "succeeded", key=key)
    past = datetime.now(UTC) - timedelta(days=1)
    server.sql("UPDATE tasks SET expires_at = %s WHERE id = %s", past, expired)
    gone = server.call("GET", f"/tasks/{expired}{path}", key=key)
    assert (gone.status_code, "expired on" in gone.json()["msg"]) == (410, True)


@contextlib.contextmanager
def watching(browser: Browser, **headers: str) -> Iterator[Iterator[sse.ServerEvent]]:
    """The stream of all tasks, as a browser reads it: with the cookie alone."""
    url = f"{browser.server.url}/api/v1/tasks/events"
    with httpx.stream("GET", url, cookies=browser.http.cookies, headers=headers, timeout=20, trust_env=False) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield sse.read(bounded(20, answer.iter_lines()))


def tasks_in(events: Iterator[sse.ServerEvent], until: str) -> list[dict[str, Any]]:
    """The tasks that are told, up to the first of this id."""
    told: list[dict[str, Any]] = []
    while not told or told[-1]["taskId"] != until:
        event = next(events)
        if event.name == "task":
            told.append(json.loads(event.data))
    return told


def change(server: Server, task_id: str, **values: Any) -> None:
    for name, value in values.items():
        server.sql(f"UPDATE tasks SET {name} = %s WHERE id = %s", value, task_id)
    server.sql("SELECT pg_notify('antiphon_task', %s)", task_id)


def test_a_stream_begins_with_what_is_unfinished_and_tells_every_change(
    signed_in: Browser, server: Server, key: str
) -> None:
    waiting = server.plant("midi", "queued", key=key)
    with watching(signed_in) as events:
        assert next(events).name == "ready"
        (first,) = tasks_in(events, waiting)
        assert first["state"] == "queued"
        foreign = server.plant("midi", "running")
        change(server, foreign, progress=0.5)
        change(server, waiting, state="running", progress=0.25, stage="notes")
        (moved,) = tasks_in(events, waiting)
        assert (moved["state"], moved["progress"], moved["stage"]) == ("running", 0.25, "notes")
        new = server.plant("video", "queued", key=key, parameters={"title": XSS})
        change(server, new)
        (made,) = tasks_in(events, new)
        assert made["title"] == XSS
        signed_in.call("POST", f"/tasks/{new}/cancel")
        (cancelled,) = tasks_in(events, new)
        assert cancelled["state"] == "cancelled"


def test_what_has_not_changed_is_not_told_again(signed_in: Browser, server: Server, key: str) -> None:
    first, second = (server.plant("midi", "queued", key=key) for _ in range(2))
    with watching(signed_in) as events:
        next(events)
        assert [task["taskId"] for task in tasks_in(events, second)] == [first, second]
        change(server, first)
        change(server, second, stage="soon")
        assert [task["taskId"] for task in tasks_in(events, second)] == [second]


def test_after_a_break_comes_what_changed_meanwhile(
    signed_in: Browser, server: Server, receiver: Receiver, key: str
) -> None:
    running_one, quiet = server.plant("midi", "running", key=key), server.plant("midi", "succeeded", key=key)
    server.sql(
        "UPDATE tasks SET created_at = now() - interval '1 h', completed_at = now() - interval '1 h' WHERE id = %s",
        quiet,
    )
    announced = server.plant("midi", "succeeded", key=key, callback_url=receiver.url)
    server.sql(
        "UPDATE tasks SET created_at = now() - interval '1 h', completed_at = now() - interval '1 h' WHERE id = %s",
        announced,
    )
    with watching(signed_in) as events:
        last = next(events).id
        tasks_in(events, running_one)
    change(
        server, running_one, state="failed", completed_at=datetime.now(UTC), expires_at=datetime.now(UTC) + timedelta(1)
    )
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body) VALUES ('msg_1', %s, %s, '127.0.0.1:1', %s)",
        *(announced, receiver.url, b'{"data": {"taskId": "%s"}}' % announced.encode()),
    )
    server.sql("SELECT pg_notify('antiphon_callback', '')")
    wait_for(lambda: server.record("midi", announced, key=key)["callbackState"] == "delivered")
    with watching(signed_in, **{"Last-Event-ID": last}) as events:
        told = {task["taskId"]: task for task in tasks_in(events, announced)}
    assert told[running_one]["state"] == "failed"
    assert told[announced]["callbackState"] == "delivered"
    assert quiet not in told


def test_a_stream_ends_when_its_key_is_revoked_and_when_the_server_stops(
    signed_in: Browser, server: Server, common: dict[str, str], key: str, tmp_path: Any
) -> None:
    task_id = server.plant("midi", "queued", key=key)
    key_id = succeeded(signed_in.request("GET", "/console/session"))["keyId"]
    with running(tmp_path / "data", "api", **common) as other:
        visitor = Browser(other)
        visitor.sign_in(server.key)
        with watching(visitor) as elsewhere, watching(signed_in) as events:
            next(elsewhere)
            next(events)
            server.sql("UPDATE api_keys SET revoked_at = now() WHERE id = %s", key_id)
            change(server, task_id, stage="revoked")
            assert "revoked" not in [json.loads(event.data)["stage"] for event in events]
            began = time.monotonic()
            os.kill(other.pid, signal.SIGTERM)
            list(elsewhere)
            assert time.monotonic() - began < 9


def test_a_strange_event_id_is_refused(signed_in: Browser) -> None:
    for strange in ("yesterday", "1-", "9" * 30, "-1-1"):
        answer = signed_in.call("GET", "/tasks/events", headers={"Last-Event-ID": strange})
        assert (answer.status_code, answer.json()["msg"][:14]) == (400, "Last-Event-ID:"), strange
