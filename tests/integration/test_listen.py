"""A key's callbacks streamed from the server and posted to a local receiver, whatever breaks off in between."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from antiphon.contract import signatures
from antiphon.contract.events import CallbackEvent
from antiphon.listening import sse
from tests.integration.line import Line
from tests.integration.receiver import Received, Receiver
from tests.integration.server import Server, eventually, running

NOTES = {"instruments": [{"name": "Drums", "notes": [{"pitch": 36, "start": 0.5, "end": 0.6, "velocity": 1.0}]}]}


@pytest.fixture
def fresh() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


class Ended:
    """Ends tasks of one key: there and then, as if a worker had."""

    def __init__(self, server: Server, key: str) -> None:
        self._server, self._key = server, key

    def __call__(self, state: str = "succeeded", **more: Any) -> str:
        more = {"result": NOTES, **more} if state == "succeeded" else {"error_message": "too noisy", **more}
        task_id = self._server.plant("midi", state, key=self._key, **more)
        self._server.sql("SELECT pg_notify('antiphon_task', %s)", task_id)
        return task_id


@pytest.fixture
def end(server: Server, key: str) -> Ended:
    return Ended(server, key)


@contextlib.contextmanager
def streaming(server: Server, key: str, **how: Any) -> Iterator[Iterator[sse.ServerEvent]]:
    """The server's stream, as far as it has been read; its first event has been told to be ``ready``."""
    headers = {"Authorization": f"Bearer {key}", **how.pop("headers", {})}
    url = f"{server.url}/api/v1/callbacks/events"
    with httpx.stream("GET", url, headers=headers, timeout=20, trust_env=False, **how) as answer:
        assert answer.status_code == 200, answer.read()
        events = sse.read(_for(60, answer.iter_lines()))
        first = next(events)
        assert (first.name, first.data) == ("ready", "{}")
        yield events


def _for(seconds: float, lines: Iterator[str]) -> Iterator[str]:
    """A stream that stays silent gives a line every 15 s."""
    end = time.monotonic() + seconds
    for line in lines:
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds} s")
        yield line


def task_of(event: sse.ServerEvent) -> str:
    assert event.name == "callback"
    return CallbackEvent.model_validate_json(event.data).taskId


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
        "data": {"state": "complete", "taskId": task_id, **NOTES},
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

    assert eventually(room)


def test_a_key_that_is_revoked_hears_no_more(server: Server, key: str, end: Ended) -> None:
    with streaming(server, key) as events:
        server.sql("UPDATE api_keys SET revoked_at = now() WHERE id = (SELECT max(id) FROM api_keys)")
        end()
        assert list(events) == []


# --- the command


class Listening:
    """``antiphon listen`` in a process of its own, and what it says."""

    def __init__(self, server_url: str, key: str, forward_to: str, state: Path, *more: str) -> None:
        command = [sys.executable, "-m", "antiphon", "listen", "--server", server_url, "--forward-to", forward_to]
        command += ["--api-key", key, "--state", str(state), *more]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    def says(self, words: str, count: int = 1, seconds: float = 20) -> str:
        """Wait for as many lines with these words; gives the last of them."""

        def look() -> str | None:
            found = [line for line in list(self.lines) if words in line]
            return found[-1] if len(found) >= count else None

        try:
            return str(eventually(look, seconds))
        except TimeoutError:
            raise AssertionError(f"{words!r} was not said:\n{''.join(self.lines)}") from None

    def stop(self, signum: int = signal.SIGINT) -> int:
        self.process.send_signal(signum)
        return self.process.wait(10)


@pytest.fixture
def listen(server: Server, key: str, fresh: Receiver, tmp_path: Path) -> Iterator[Callable[..., Listening]]:
    """Starts the command; it keeps its place in one file."""
    with contextlib.ExitStack() as stack:

        def start(*more: str, url: str = server.url, forward_to: str = fresh.url) -> Listening:
            listening = Listening(url, key, forward_to, tmp_path / "place.json", *more)
            stack.callback(listening.process.kill)
            return listening

        yield start


def test_callbacks_are_posted_to_the_local_receiver_and_told_a_line_each(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    listening = listen()
    listening.says("listening to")
    good, bad = end(), end("failed")
    (request,) = fresh.wait(good, seconds=10)
    fresh.wait(bad, seconds=10)
    _genuine(server, request)
    assert request.headers["user-agent"].startswith("Antiphon/")
    assert "success" in listening.says(good)
    assert "200 in" in listening.says(good)
    assert "code 500" in listening.says(bad)
    assert listening.stop() == 0
    listening.says("the next start goes on from here")


def _genuine(server: Server, request: Received) -> None:
    signatures.verify_standard(request.headers, request.raw, [server.webhook_key], now=time.time())
    signatures.verify_documented(request.headers, request.task_id, [server.webhook_key], now=time.time())


def test_what_ended_while_nobody_listened_comes_at_the_next_start_and_nothing_twice(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    first = listen()
    first.says("listening to")
    before = end()
    fresh.wait(before, seconds=10)
    first.says(before)
    first.stop(signal.SIGKILL)
    meanwhile = [end(), end()]
    listen()
    for task_id in meanwhile:
        fresh.wait(task_id, seconds=10)
    assert [len(fresh.of(task_id)) for task_id in (before, *meanwhile)] == [1, 1, 1]


def test_since_brings_back_what_was_received_before(
    fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    task_id = end()
    listening = listen("--since", "5m")
    fresh.wait(task_id, seconds=10)
    listening.says(task_id)
    listening.stop()
    listen("--since", "5m")
    first, second = fresh.wait(task_id, count=2, seconds=10)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw


def test_a_receiver_that_is_away_gets_its_callbacks_in_order_when_it_is_back(
    server: Server, end: Ended, listen: Callable[..., Listening]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    listening = listen(forward_to=f"http://127.0.0.1:{port}/hook")
    listening.says("listening to")
    task_ids = [end(), end()]
    listening.says("nothing listens on")
    with Receiver(port) as back:
        for task_id in task_ids:
            (request,) = back.wait(task_id, seconds=10)
            _genuine(server, request)
        assert [one.task_id for one in back.received] == task_ids
    assert sum("nothing listens" in line for line in listening.lines) == 1


def test_a_refusal_is_shown_and_the_next_callback_comes_all_the_same(
    fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    listening = listen(forward_to=fresh.refusing_url)
    listening.says("listening to")
    first, second = end(), end()
    assert "answered 503, which is no acknowledgement" in listening.says(first)
    fresh.wait(second, seconds=10)


class Cable:
    """A TCP connection to the server that can be cut and mended."""

    def __init__(self, server: Server) -> None:
        self._target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self._listener: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self._port = 0
        self.mend()
        self.url = f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._pairs += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := one.recv(65536):
                other.sendall(block)
            other.shutdown(socket.SHUT_WR)


def test_a_lost_connection_is_told_and_regained_and_nothing_is_lost_with_it(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    cable = Cable(server)
    listening = listen(url=cable.url)
    listening.says("listening to")
    before = end()
    fresh.wait(before, seconds=10)
    cable.cut()
    listening.says("no connection to")
    meanwhile = end()
    cable.mend()
    listening.says("regained after")
    fresh.wait(meanwhile, seconds=10)
    assert [len(fresh.of(task_id)) for task_id in (before, meanwhile)] == [1, 1]
    cable.cut()


def test_a_wrong_key_and_a_wrong_address_end_it_with_one_line(server: Server, tmp_path: Path) -> None:
    wrong_key = Listening(server.url, "ak_wrong", "http://127.0.0.1:1/", tmp_path / "place")
    assert "answered 401" in wrong_key.says("error: ")
    assert wrong_key.process.wait(10) == 1
    no_url = Listening("localhost:8080", "ak_wrong", "http://127.0.0.1:1/", tmp_path / "place")
    assert "--server: expected a URL" in no_url.says("error: ")
    assert no_url.process.wait(10) == 1


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


def test_a_database_that_drops_every_connection_costs_no_callback(
    postgres_url: str, fresh: Receiver, listen: Callable[..., Listening], tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE listening")
    settings = {
        "database_url": postgres_url.replace("/antiphon?", "/listening?"),
        "storage_url": str(tmp_path / "artifacts"),
    }
    with running(tmp_path / "alone", "api", **settings) as alone:
        listening = listen("--api-key", alone.key, url=alone.url)
        listening.says("listening to")
        before = Ended(alone, alone.key)()
        fresh.wait(before, seconds=10)
        alone.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        meanwhile = [Ended(alone, alone.key)() for _ in range(3)]
        for task_id in meanwhile:
            fresh.wait(task_id, seconds=20)
    assert [len(fresh.of(task_id)) for task_id in (before, *meanwhile)] == [1, 1, 1, 1]
