"""Trying a receiver out, by the API and by the command: one attempt a sample, signed, guarded, told at once."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antiphon.contract import signatures
from tests.integration.recording_receiver import Received, Receiver
from tests.integration.server import Server
from tests.waiting import wait_for

ALL = {(kind, outcome) for kind in ("separation", "midi", "video") for outcome in ("success", "failure")}


@pytest.fixture
def fresh() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def received(receiver: Receiver, task_ids: list[str]) -> dict[str, Received]:
    """What came, of which each task must have come once."""
    each = {task_id: receiver.wait(task_id, seconds=5) for task_id in task_ids}
    assert {len(requests) for requests in each.values()} == {1}
    return {task_id: requests[0] for task_id, requests in each.items()}


def test_a_sample_of_each_kind_comes_once_signed_twice_and_its_outcome_is_told(
    server: Server, fresh: Receiver, key: str
) -> None:
    trials = server.post("/callbacks/test", {"callBackUrl": fresh.url}, key=key)["trials"]
    assert {(trial["kind"], trial["outcome"]) for trial in trials} == ALL
    requests = received(fresh, [trial["taskId"] for trial in trials])
    for trial in trials:
        request = requests[trial["taskId"]]
        assert (trial["acknowledged"], trial["status"], trial["error"]) == (True, 200, None)
        assert 0 < trial["phases"]["firstByte"] <= trial["phases"]["total"] == trial["milliseconds"] < 5000
        assert trial["address"] in fresh.url
        assert trial["headers"] == {name: request.headers[name.lower()] for name in trial["headers"]}
        assert {name.lower() for name in trial["headers"]} == {
            *signatures.DOCUMENTED_HEADERS,
            *signatures.STANDARD_HEADERS,
        }
        keys = [server.webhook_key]
        signatures.verify_standard(request.headers, request.raw, keys, now=time.time())
        signatures.verify_documented(request.headers, trial["taskId"], keys, now=time.time())
        assert request.body["code"] == (200 if trial["outcome"] == "success" else 500)


def test_a_refusal_is_told_in_words_and_not_tried_again(server: Server, fresh: Receiver, key: str) -> None:
    body = {"callBackUrl": fresh.refusing_url, "kinds": ["midi"]}
    trials = server.post("/callbacks/test", body, key=key)["trials"]
    assert [trial["kind"] for trial in trials] == ["midi", "midi", "midi"]
    for trial in trials:
        assert (trial["acknowledged"], trial["status"]) == (False, 503)
        assert "answered 503" in trial["error"]
    time.sleep(0.3)  # the retries of this server would come within 0.2 s
    received(fresh, [trial["taskId"] for trial in trials])


@pytest.fixture
def chatty() -> Iterator[str]:
    """A server whose every word is a secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302, "secret-phrase")
            self.send_header("Location", "http://secret-host/secret-path")
            self.send_header("Content-Length", "11")
            self.end_headers()
            self.wfile.write(b"secret-body")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


def test_what_a_server_said_is_told_to_admins_alone(server: Server, chatty: str, key: str) -> None:
    body = {"callBackUrl": chatty, "kinds": ["video"]}
    for trial in server.post("/callbacks/test", body, key=key)["trials"]:
        assert (trial["status"], trial["acknowledged"], trial["answer"]) == (302, False, None)
        assert "answered 302, a redirect" in trial["error"]
        assert "secret" not in json.dumps(trial)
    for trial in server.post("/callbacks/test", body, key=server.key)["trials"]:
        assert trial["answer"] == "secret-body" and "secret-host" in trial["error"]


def test_nothing_of_a_trial_is_kept(server: Server, fresh: Receiver, key: str) -> None:
    before = server.belongings()
    server.post("/callbacks/test", {"callBackUrl": fresh.url}, key=key)
    assert server.belongings() == before


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "callBackUrl"),
        ({"callBackUrl": "ftp://example.com/"}, "callBackUrl must start with http"),
        ({"callBackUrl": "http://127.0.0.1/", "kinds": []}, "kinds"),
        ({"callBackUrl": "http://127.0.0.1/", "kinds": ["upload"]}, "kinds"),
        ({"callBackUrl": "http://127.0.0.1/", "callbackUrl": "x"}, "callbackUrl"),
        ({"callBackUrl": "http://10.1.2.3/"}, "ANTIPHON_CALLBACK_ALLOW"),
    ],
)
def test_a_wrong_request_is_refused_by_name(server: Server, key: str, body: dict[str, object], words: str) -> None:
    answer = server.call("POST", "/callbacks/test", key=key, json=body)
    assert answer.status_code == answer.json()["code"] == 400
    assert words in answer.json()["msg"]


def test_the_guard_holds_without_an_exception(strict_server: Server, fresh: Receiver, key: str) -> None:
    answer = strict_server.call("POST", "/callbacks/test", key=key, json={"callBackUrl": fresh.url})
    assert answer.status_code == 400
    assert "loopback" in answer.json()["msg"]


def test_a_trial_needs_a_key(server: Server) -> None:
    answer = server.call("POST", "/callbacks/test", key="ak_wrong", json={"callBackUrl": "http://127.0.0.1/"})
    assert answer.status_code == 401


def command(server: Server, *arguments: str) -> "subprocess.CompletedProcess[str]":
    settings = {"DATA": server.data, "DATABASE_URL": server.database_url, "CALLBACK_ALLOW": "127.0.0.0/8"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {f"ANTIPHON_{name}": str(value) for name, value in settings.items()}
    environment["ANTIPHON_SECRET"] = "a secret that all servers of these tests share"
    whole = [sys.executable, "-m", "antiphon", "callbacks", *arguments]
    return subprocess.run(whole, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_shows_what_was_sent_and_what_came_of_it(server: Server, fresh: Receiver) -> None:
    done = command(server, "test", fresh.url, "--kind", "video", "--kind", "midi")
    assert done.returncode == 0, done.stderr
    assert "5 of 5 samples were acknowledged" in done.stdout
    assert "webhook-signature: v1," in done.stdout
    assert "X-Webhook-Signature: " in done.stdout
    assert "separation" not in done.stdout
    refused = command(server, "test", fresh.refusing_url)
    assert refused.returncode == 1
    assert "0 of 7 samples were acknowledged" in refused.stdout
    assert "answered 503" in refused.stdout


def test_the_command_that_recovers_says_how_many_and_which(server: Server, fresh: Receiver, key: str) -> None:
    task_id = server.plant("midi", "succeeded", key=key)
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body, state, attempts, finished_at)"
        " VALUES ('msg_lost', %s, %s, 'lost.example:80', %s, 'stopped', 4, now())",
        *(task_id, fresh.url, b'{"code": 200, "data": {"taskId": "%s"}}' % task_id.encode()),
    )
    counted = command(server, "recover", "--since", "1h", "--host", "lost.example", "--dry-run")
    assert counted.returncode == 0, counted.stderr
    assert "1  lost.example:80" in counted.stdout
    assert fresh.of(task_id) == []
    done = command(server, "recover", "--since", "1h", "--host", "lost.example", "--rate", "50/s")
    assert "1 callbacks are queued again" in done.stdout
    (request,) = fresh.wait(task_id)
    assert request.headers["webhook-id"] == "msg_lost"
    again = command(server, "recover", "--since", "1h", "--host", "lost.example")
    assert "0  callbacks in all" in again.stdout
    for arguments, words in (
        (("--since", "yesterday"), "--since: expected a time such as"),
        (("--since", "1h", "--rate", "fast"), "--rate: expected a number"),
        (("--since", "1h", "--state", "delivered"), "--until: give a time"),
    ):
        refused = command(server, "recover", *arguments)
        assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr


def test_the_command_that_lists_shows_each_attempt_and_where_its_time_went(
    server: Server, fresh: Receiver, key: str
) -> None:
    task_id = server.plant("midi", "succeeded", key=key)
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body) VALUES ('msg_seen', %s, %s, 'seen:80', %s)",
        *(task_id, fresh.url, b'{"data": {"taskId": "%s"}}' % task_id.encode()),
    )
    server.sql("SELECT pg_notify('antiphon_callback', '')")
    fresh.wait(task_id)
    shown = wait_for(lambda: found if "1." in (found := command(server, "list", task_id).stdout) else "")
    assert "msg_seen  delivered" in shown
    assert "  200  " in shown
    assert "answer" in shown
    assert shown.rstrip().endswith("acknowledged")
