"""A key's callbacks, streamed by the server: each once, in order, resumed without loss."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from antiphon.contract import signatures
from antiphon.contract.events import CallbackEvent
from tests.integration.line import Line
from tests.integration.server import Server, running
from tests.integration.streams import NOTES, Ended, streaming, task_of
from tests.waiting import wait_for


@pytest.fixture
def end(server: Server, key: str) -> Ended:
    return Ended(server, key)


def test_a_task_without_call_back_url_is_announced_as_a_receiver_would_get_it(
    server: Server, key: str, end: Ended
) -> None:
    with streaming(server, key) as events:
        task_id = end()
        callback = CallbackEvent.model_validate_json(next(events).data)
    assert callback.taskId == task_id
    body = json.loads(callback.body)
    assert body == {
        **{"code": 200, "msg": "success", "taskId": task_id, "task_id": task_id},
        "data": {"state": "complete", "taskId": task_id, "task_id": task_id, **NOTES},
    }
    raw, keys = callback.body.encode(), [server.webhook_key]
    signatures.verify_standard(callback.headers, raw, keys, now=time.time())
    signatures.verify_documented(callback.headers, task_id, keys, now=time.time())
    assert callback.headers["Content-Type"] == "application/json"


def test_a_task_with_call_back_url_keeps_its_identity_and_its_body(server: Server, key: str, end: Ended) -> None:
    with streaming(server, key, params={"since": "1m"}) as events:
        task_id = server.plant("midi", "succeeded", key=key)
        server.sql(
            "INSERT INTO deliveries (webhook_id, task_id, url, host, body, state)"
            " VALUES ('msg_once', %s, 'http://nobody.example/', 'nobody.example:80', %s, 'delivered')",
            *(task_id, '{"frozen": "Zoë\u2028"}'.encode()),
        )
        server.sql("SELECT pg_notify('antiphon_task', %s)", task_id)
        callback = CallbackEvent.model_validate_json(next(events).data)
    assert callback.headers["webhook-id"] == "msg_once"
    assert callback.body == '{"frozen": "Zoë\u2028"}'


def test_the_whole_line_is_streamed_with_the_bytes_that_were_delivered(server: Server, line: Line) -> None:
    streamed: dict[str, CallbackEvent] = {}
    with streaming(server, server.key, params={"since": "1h"}) as events:
        while not set(line.ids.values()) <= set(streamed):
            callback = CallbackEvent.model_validate_json(next(events).data)
            streamed[callback.taskId] = callback
    for name, task_id in line.ids.items():
        delivered = line.callbacks[name]
        assert streamed[task_id].body.encode() == delivered.raw
        assert streamed[task_id].headers["webhook-id"] == delivered.headers["webhook-id"]


def test_stems_that_nobody_is_called_for_are_announced_with_links_that_work(server: Server, line: Line) -> None:
    source = {"taskId": line.uploaded["taskId"], "audioId": line.uploaded["audioId"]}
    with streaming(server, server.key) as events:
        task_id = server.post("/vocal-removal/generate", source)["taskId"]
        callback = CallbackEvent.model_validate_json(next(events).data)
    assert callback.taskId == task_id
    info = json.loads(callback.body)["data"]["vocal_removal_info"]
    assert set(info) == {"origin_url", "vocal_url", "instrumental_url"}
    for url in info.values():
        assert server.http.get(url).status_code == 200


def test_failed_tasks_are_announced_and_others_keys_cancelled_and_uploaded_ones_are_not(
    server: Server, key: str, end: Ended
) -> None:
    with streaming(server, key) as events:
        Ended(server, server.new_key())()
        end("cancelled")
        server.plant("upload", "succeeded", key=key)
        failed = end("failed")
        callback = CallbackEvent.model_validate_json(next(events).data)
    assert callback.taskId == failed
    assert (json.loads(callback.body)["code"], json.loads(callback.body)["msg"]) == (500, "too noisy")


def test_a_stream_resumes_after_the_event_that_came_last(server: Server, key: str, end: Ended) -> None:
    with streaming(server, key) as events:
        first, second = end(), end()
        seen = next(events)
        assert task_of(seen) == first
    third = end()
    with streaming(server, key, headers={"Last-Event-ID": seen.id}) as events:
        assert [task_of(next(events)), task_of(next(events))] == [second, third]
    with streaming(server, key, params={"since": "1h"}) as events:
        assert [task_of(next(events)) for _ in range(3)] == [first, second, third]


def test_many_that_ended_in_one_moment_come_once_each(server: Server, key: str, end: Ended) -> None:
    key_id = server.sql("SELECT max(id) AS id FROM api_keys")[0]["id"]
    server.sql(
        "INSERT INTO tasks (id, api_key_id, kind, state, result, completed_at, expires_at)"
        " SELECT md5(random()::text), %s, 'midi', 'succeeded', '{\"instruments\": []}', now(), now() + '1 day'"
        " FROM generate_series(1, 95)",
        key_id,
    )
    with streaming(server, key, params={"since": "1h"}) as events:
        came = [task_of(next(events)) for _ in range(95)]
        last = end()
        assert task_of(next(events)) == last
    assert len(set(came)) == 95


def test_a_task_whose_end_commits_late_is_not_passed_over(server: Server, key: str, end: Ended) -> None:
    """Its time is the start of its transaction, so another that began later may be seen before it."""
    late = end("queued")
    with streaming(server, key) as events:
        with server.database.transaction():
            server.sql(
                "UPDATE tasks SET state = 'succeeded', result = '{\"instruments\": []}', completed_at = now(),"
                " expires_at = now() + '1 day' WHERE id = %s",
                late,
            )
            with _second(server) as other:
                soon = Ended(other, key)()
            time.sleep(0.4)
        assert [task_of(next(events)), task_of(next(events))] == [late, soon]


@contextlib.contextmanager
def _second(server: Server) -> Iterator[Server]:
    """The same server over a database connection of its own."""
    other = replace(server)
    with other.database:
        yield other


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ({"params": {"since": "soon"}}, 400, "since: expected a time such as"),
        ({"params": {"since": "2999-01-01"}}, 400, "future"),
        ({"headers": {"Last-Event-ID": "msg_1"}}, 400, "Last-Event-ID: expected the id of an event"),
        ({"key": "ak_wrong"}, 401, "API key"),
    ],
)
def test_a_wrong_request_is_refused_in_words(server: Server, how: dict[str, Any], code: int, words: str) -> None:
    answer = server.call("GET", "/callbacks/events", **how)
    assert (answer.status_code, answer.json()["code"]) == (code, code)
    assert words in answer.json()["msg"]


def test_a_key_has_twenty_streams_at_most_and_each_that_ends_makes_room(server: Server, key: str) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(streaming(server, key))
        answer = server.call("GET", "/callbacks/events", key=key)
        assert (answer.status_code, "20 streams" in answer.json()["msg"]) == (430, True)

    def room() -> bool:
        url, headers = f"{server.url}/api/v1/callbacks/events", {"Authorization": f"Bearer {key}"}
        with httpx.stream("GET", url, headers=headers, trust_env=False) as answer:
            return answer.status_code == 200

    assert wait_for(room)


def test_a_key_that_is_revoked_hears_no_more(server: Server, key: str, end: Ended) -> None:
    with streaming(server, key) as events:
        server.sql("UPDATE api_keys SET revoked_at = now() WHERE id = (SELECT max(id) FROM api_keys)")
        end()
        assert list(events) == []


def test_a_server_that_stops_does_not_wait_for_its_listeners(server: Server, key: str, tmp_path: Path) -> None:
    settings = {"database_url": server.database_url, "storage_url": str(server.storage)}
    serving = running(tmp_path / "short", "api", secret="a secret that all servers of these tests share", **settings)
    with contextlib.ExitStack() as stack:
        short = stack.enter_context(serving)
        with streaming(short, key) as events:
            began = time.monotonic()
            stack.close()
            assert time.monotonic() - began < 6
            assert list(events) == []
