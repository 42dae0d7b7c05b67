"""The examples of receivers, each as real processes, called by the real sender and by people with bad intentions."""

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from antiphon.contract import signatures
from antiphon.contract.callbacks import midi_callback, separation_callback, video_callback
from antiphon.contract.kinds import SeparationType
from tests.acceptance.examples import EXAMPLES, FAILING_FLUSH, Example, Started, prepared
from tests.integration.server import Server, running
from tests.waiting import wait_for

LONGEST = 70  # lines of an example
OLD_KEY = signatures.new_key()  # is being rotated out
NOTES = [{"name": "Drums", "notes": [{"pitch": 36, "start": 0.5, "end": 0.6, "velocity": 0.9}]}]
VIDEO = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(5000)
AUDIO = b"fLaC\0\0\0\x22" + bytes(5000)


@pytest.fixture(scope="module")
def server(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """API and sender; tasks are planted, so that no engine need run."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE examples")
    folder = tmp_path_factory.mktemp("examples")
    settings = {
        "database_url": postgres_url.replace("/antiphon?", "/examples?"),
        "storage_url": str(folder / "artifacts"),
        "callback_allow": "127.0.0.0/8",
        "callback_retry_delays": "0.2,0.2,0.2",
        "secret": "a secret that the server of these tests has",
        "rate_limit": "1000",
    }
    with running(folder / "server", "api", "sender", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def files() -> Iterator[str]:
    """Where the links of callbacks lead: ``….mp4`` and ``….flac``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = ("video/mp4", VIDEO) if self.path.endswith(".mp4") else ("audio/flac", AUDIO)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()


@pytest.fixture(params=EXAMPLES, ids=lambda example: example.name)
def example(request: pytest.FixtureRequest) -> Example:
    found: Example = request.param
    return found


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def receiver(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Started]:
    """Each example, as it is, running."""
    folder = tmp_path_factory.mktemp(request.param.name) / "copy"
    with prepared(request.param, folder, OLD_KEY, server.webhook_key) as started:
        yield started.start()


def announce(server: Server, url: str, kind: str, body: Callable[[str], dict[str, Any]]) -> str:
    """A task that has just ended, whose callback the sender now delivers; gives its id."""
    task_id = server.plant(kind, "failed" if body("")["code"] == 500 else "succeeded")
    server.sql(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body) VALUES (%s, %s, %s, %s, %s)",
        *(f"msg_{task_id}", task_id, url, url.split("/")[2], json.dumps(body(task_id)).encode()),
    )
    server.sql("SELECT pg_notify('antiphon_callback', '')")
    return task_id


def announce_midi(server: Server, url: str) -> str:
    return announce(server, url, "midi", lambda task_id: midi_callback(task_id, NOTES, None))


def statuses(server: Server, task_id: str, attempts: int = 1) -> list[int]:
    """What the receiver answered to each attempt, once there are so many and the last one has ended."""

    def look() -> list[int]:
        found = server.get(f"/tasks/{task_id}/callbacks")["deliveries"]
        made = [attempt["status"] for delivery in found for attempt in delivery["attempts"]]
        return made if len(made) >= attempts and all(one["state"] != "pending" for one in found) else []

    return wait_for(look, seconds=30)


def worked(receiver: Started, task_id: str) -> str:
    """What the work on this task said; it must have said it once."""
    wait_for(lambda: receiver.worked(task_id), seconds=30)
    (said,) = receiver.worked(task_id)
    return said


def resend(server: Server, task_id: str) -> None:
    server.post(f"/tasks/{task_id}/callbacks/resend")


def post(receiver: Started, body: bytes, headers: dict[str, str]) -> int:
    """By hand; gives the status."""
    return httpx.post(receiver.url, content=body, headers=headers, timeout=20, trust_env=False).status_code


def midi_body(task_id: str) -> bytes:
    return json.dumps(midi_callback(task_id, NOTES, None)).encode()


def signed(key: str, body: bytes, task_id: str, *, age: int = 0) -> dict[str, str]:
    """The headers of a callback that was signed ``age`` seconds ago."""
    return signatures.headers(
        [key], task_id=task_id, webhook_id=f"msg_{task_id}", body=body, timestamp=int(time.time()) - age
    )


def documented(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("X-")}


def standard(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("webhook-")}


def test_an_example_is_short_and_its_readme_starts_it_in_one_line(example: Example) -> None:
    assert len((example.folder / example.source).read_text().splitlines()) <= LONGEST
    (line, *_) = [line for line in (example.folder / "README.md").read_text().splitlines() if line.startswith("    ")]
    assert all(command in line for command in example.commands)
    assert "WEBHOOK_KEYS=whsec_…" in line


def test_each_outcome_is_acknowledged_at_once_and_worked_on_once_however_often_it_comes(
    example: Example, server: Server, files: str, tmp_path: Path
) -> None:
    stems = {name: f"{files}/{name}.flac" for name in ("origin", "vocal", "instrumental")}
    separation, reason = SeparationType.SEPARATE_VOCAL, "the song is silent from the first second to the last"
    with prepared(example, tmp_path / "copy", server.webhook_key) as receiver:
        receiver.start()
        url = receiver.url
        tasks = {
            "midi: Drums": announce_midi(server, url),
            "video: ": announce(server, url, "video", lambda task: video_callback(task, f"{files}/v.mp4", None)),
            "stems: ": announce(
                server, url, "separation", lambda task: separation_callback(task, separation, stems, None)
            ),
            f"failed: {reason}": announce(server, url, "midi", lambda task: midi_callback(task, None, reason)),
        }
        for words, task_id in tasks.items():
            assert statuses(server, task_id) == [200]
            assert worked(receiver, task_id).startswith(words)
            resend(server, task_id)
            assert statuses(server, task_id, 2) == [200, 200]
        receiver.kill()
        receiver.start()
        for task_id in tasks.values():
            resend(server, task_id)
            assert statuses(server, task_id, 3) == [200, 200, 200]
        worked(receiver, announce_midi(server, url))  # what came before it would have been worked on by now
        for task_id in tasks.values():
            worked(receiver, task_id)


def test_the_answer_does_not_wait_for_the_work_which_survives_a_crash(
    example: Example, server: Server, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with prepared(example, tmp_path / "copy", server.webhook_key, extra=example.waiting, GATE=str(gate)) as receiver:
        receiver.start()
        tasks = [announce_midi(server, receiver.url) for _ in range(3)]
        for task_id in tasks:
            assert statuses(server, task_id) == [200]
            assert receiver.worked(task_id) == []
        receiver.kill()
        receiver.start()
        gate.touch()
        for task_id in tasks:
            assert worked(receiver, task_id).startswith("midi: Drums")


def test_work_that_fails_is_tried_again(example: Example, server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with prepared(example, tmp_path / "copy", server.webhook_key, extra=example.failing, GATE=str(gate)) as receiver:
        receiver.start()
        task_id = announce_midi(server, receiver.url)
        assert statuses(server, task_id) == [200]
        wait_for(lambda: "not yet" in receiver.log)
        assert receiver.worked(task_id) == []
        gate.touch()
        assert worked(receiver, task_id).startswith("midi: Drums")


def test_the_samples_that_try_a_receiver_out_are_acknowledged(receiver: Started, server: Server) -> None:
    trials = server.post("/callbacks/test", {"callBackUrl": receiver.url})["trials"]
    assert [trial["status"] for trial in trials] == [200] * 7


def test_either_scheme_alone_is_enough_and_either_key_while_one_is_rotated(example: Example, tmp_path: Path) -> None:
    """By keys that have signed nothing yet: a receiver need not take the weaker scheme after the stronger one."""
    keys = signatures.new_key(), signatures.new_key()
    with prepared(example, tmp_path / "copy", *keys) as receiver:
        receiver.start()
        for key in keys:
            for scheme in (documented, standard):
                task_id = uuid4().hex
                body = midi_body(task_id)
                assert post(receiver, body, scheme(signed(key, body, task_id))) == 200
                assert worked(receiver, task_id).startswith("midi: Drums")


def test_what_the_holder_of_the_key_did_not_sign_just_now_is_refused_and_leaves_no_trace(
    receiver: Started, server: Server
) -> None:
    task_id, other = uuid4().hex, uuid4().hex
    body, key = midi_body(task_id), server.webhook_key
    good, forged = signed(key, body, task_id), signed(signatures.new_key(), body, task_id)
    refused = {
        "no signature": (body, {}),
        "forged": (body, forged),
        "forged, documented": (body, documented(forged)),
        "expired": (body, signed(key, body, task_id, age=301)),
        "expired, documented": (body, documented(signed(key, body, task_id, age=301))),
        "from the future": (body, signed(key, body, task_id, age=-310)),
        "tampered body": (body.replace(b"0.9", b"0.1"), good),
        "task id of another": (midi_body(other), documented(good)),
        "fallback to the weaker scheme": (body, documented(good) | standard(forged)),
        "half of the headers": (body, documented(good) | {"webhook-id": "msg_1"}),
        "a timestamp that was changed": (body, good | {"webhook-timestamp": str(int(time.time()) + 1)}),
        "the key's text for its bytes": (body, standard(signed(key.removeprefix("whsec_"), body, task_id))),
    }
    assert {name: post(receiver, *request) for name, request in refused.items()} == dict.fromkeys(refused, 401)
    assert post(receiver, body, good) == 200  # it is new: nothing above was kept
    assert worked(receiver, task_id).startswith("midi: Drums")
    assert receiver.worked(other) == []


def test_junk_is_refused_and_never_our_fault(receiver: Started, server: Server) -> None:
    key, body = server.webhook_key, midi_body("junk")
    bodies = [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{",
        b'{"taskId": "a"',
        b'"taskId": "a"',
        b"[" * 100_000,
    ]
    for junk in bodies:
        assert post(receiver, junk, signed(key, junk, "a")) in (400, 401), junk[:20]
        assert post(receiver, junk, documented(signed(key, junk, "a"))) in (400, 401), junk[:20]
    headers = [
        {"webhook-id": "é", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,é v1,*** v1a,x ,"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": "-1", "webhook-id": "", "webhook-signature": "v1,"},
        {"X-Webhook-Timestamp": str(int(time.time())), "X-Webhook-Signature": "é"},
        {"X-Webhook-Timestamp": "NaN", "X-Webhook-Signature": "="},
    ]
    for junk_headers in headers:
        raw = {name.encode(): value.encode() for name, value in junk_headers.items()}
        answer = httpx.post(receiver.url, content=body, headers=raw, timeout=20, trust_env=False)
        assert answer.status_code in (400, 401), junk_headers
    assert post(receiver, b" " * 33_000_000, {}) == 413
    assert post(receiver, b"a=1&taskId=2", {"Content-Type": "application/x-www-form-urlencoded"}) in (400, 401)
    assert post(receiver, b"--b\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=b"}) in (400, 401)
    assert httpx.get(receiver.url, trust_env=False).status_code in (401, 404, 405)


def test_a_hostile_task_id_becomes_no_path(receiver: Started, server: Server) -> None:
    before = {path for path in receiver.folder.parent.rglob("*") if receiver.folder not in path.parents}
    for task_id in ("../../escaped", "/tmp/escaped", "..\\escaped", "a/../../../escaped", "CON", "x" * 5000, "a\0b"):
        body = midi_body(task_id)
        assert post(receiver, body, signed(server.webhook_key, body, "any")) in (200, 400, 401), task_id
    after = {path for path in receiver.folder.parent.rglob("*") if receiver.folder not in path.parents}
    assert after == before
    assert not list(receiver.folder.glob("*escaped*"))


def test_of_the_same_callback_many_times_at_once_one_is_worked_on(receiver: Started, server: Server) -> None:
    tasks = [uuid4().hex for _ in range(5)]
    bodies = {task_id: midi_body(task_id) for task_id in tasks}
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(
            lambda task_id: post(receiver, bodies[task_id], signed(server.webhook_key, bodies[task_id], task_id)),
            tasks * 16,
        )
        assert set(answers) == {200}
    worked(receiver, announce_midi(server, receiver.url))
    for task_id in tasks:
        worked(receiver, task_id)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=False).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def limit_files(disk: Path, number: int) -> None:
    subprocess.run(["mount", "-o", f"remount,nr_inodes={number}", str(disk)], check=True)


def test_on_a_full_disk_nothing_is_acknowledged_until_there_is_space_again(
    example: Example, server: Server, tmp_path: Path, small_disk: Path
) -> None:
    inbox = str(small_disk / "inbox.sqlite3" if example.name == "php" else small_disk / "inbox")
    with prepared(example, tmp_path / "copy", server.webhook_key, INBOX=inbox) as receiver:
        receiver.start()
        first, task_id = uuid4().hex, uuid4().hex
        assert post(receiver, midi_body(first), signed(server.webhook_key, midi_body(first), first)) == 200
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024))
        body = midi_callback(task_id, NOTES, None) | {"padding": "x" * 100_000}
        raw = json.dumps(body).encode()
        assert post(receiver, raw, signed(server.webhook_key, raw, task_id)) == 503
        ballast.unlink()
        assert post(receiver, raw, signed(server.webhook_key, raw, task_id)) == 200


def test_a_disk_that_has_no_room_for_another_file_is_no_acknowledgement_and_no_500(
    example: Example, server: Server, tmp_path: Path, small_disk: Path
) -> None:
    inbox = str(small_disk / "inbox.sqlite3" if example.name == "php" else small_disk / "inbox")
    with prepared(example, tmp_path / "copy", server.webhook_key, INBOX=inbox) as receiver:
        receiver.start()
        task_id = uuid4().hex
        signed_ = signed(server.webhook_key, midi_body(task_id), task_id)
        room = os.statvfs(small_disk)
        limit_files(small_disk, room.f_files - room.f_ffree)
        answer = post(receiver, midi_body(task_id), signed_)
        assert answer == 503 or (answer == 200 and example.name != "express")  # a database has its file already
        limit_files(small_disk, room.f_files)
        assert post(receiver, midi_body(task_id), signed_) == 200


def test_express_works_on_what_is_linked_though_the_folder_could_not_be_flushed(server: Server, tmp_path: Path) -> None:
    (express,) = [example for example in EXAMPLES if example.name == "express"]
    fault, broken = tmp_path / "fault.mjs", tmp_path / "broken"
    fault.write_text(FAILING_FLUSH)
    options = {"NODE_OPTIONS": f"--import {fault}", "BROKEN": str(broken)}
    with prepared(express, tmp_path / "copy", server.webhook_key, **options) as receiver:
        receiver.start()
        broken.touch()
        task_id = uuid4().hex
        body = midi_body(task_id)
        assert post(receiver, body, signed(server.webhook_key, body, task_id)) == 503
        wait_for(lambda: receiver.worked(task_id))
        broken.unlink()
        assert post(receiver, body, signed(server.webhook_key, body, task_id)) == 200
        worked(receiver, task_id)


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_***", "short"])
def test_without_a_key_that_can_be_one_an_example_says_so_and_acknowledges_nothing(
    example: Example, tmp_path: Path, key: str
) -> None:
    body = midi_body("a")
    with prepared(example, tmp_path / "copy", key) as receiver:
        with contextlib.suppress(AssertionError):  # some end before they listen
            receiver.start()
        wait_for(lambda: any(process.poll() for process in receiver.processes))
        with contextlib.suppress(httpx.ConnectError):
            assert post(receiver, body, signed("whsec_AAAA", body, "a")) == 503
        assert re.search("webhook.?key", receiver.log, re.IGNORECASE)
