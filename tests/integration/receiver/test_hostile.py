"""Hostile bodies through the whole receiver: never a 500, never a file outside the inbox."""

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from antiphon.contract import signatures
from antiphon.receiver import Receiver
from antiphon.receiver.inbox.listing import counts
from antiphon.receiver.inbox.payload import read
from tests.integration.receiver.hostile import IDS, corpus, documents, id_name
from tests.waiting import wait_for

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CORPUS = corpus()
FLAC = b"fLaC" + bytes(1000)


class Heard:
    """What the functions of a user were called with."""

    def __init__(self) -> None:
        self.results: list[Any] = []


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def receiver(tmp_path: Path, heard: Heard) -> Iterator[Receiver]:
    """With all of its steps, three folders deep, so that there is room to escape to."""
    folder = tmp_path / "one" / "two" / "inbox"
    with Receiver(folder, keys=[KEY], allow_private=True) as receiver:
        for listen in (receiver.on_midi, receiver.on_video, receiver.on_separation, receiver.on_failure):
            listen(heard.results.append)
        receiver.on_unknown(heard.results.append)
        yield receiver


def signed(body: bytes) -> dict[str, str]:
    headers = signatures.headers([KEY], task_id="a", webhook_id="msg_1", body=body, timestamp=int(time.time()))
    return {name.lower(): value for name, value in headers.items()}


async def by_asgi(receiver: Receiver, body: bytes, headers: dict[str, str]) -> int:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await receiver({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive, send)
    assert json.loads(sent[1]["body"])["code"] == sent[0]["status"]
    return int(sent[0]["status"])


def by_wsgi(receiver: Receiver, body: bytes, headers: dict[str, str]) -> int:
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    environ |= {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    started: list[str] = []
    answer = b"".join(receiver.wsgi(environ, lambda status, headers: started.append(status)))
    assert json.loads(answer)["code"] == int(started[0][:3])
    return int(started[0][:3])


def settled(receiver: Receiver) -> bool:
    """Whether nothing is left that could be done now."""
    return "running" not in counts(receiver.folder) and not receiver.inbox.pending(1)


def strays(tmp_path: Path) -> list[Path]:
    """Files beside the inbox, and links within it."""
    inbox = tmp_path / "one" / "two" / "inbox"
    allowed = {inbox.parent.parent, inbox.parent, inbox}
    found = [path for path in tmp_path.rglob("*") if path not in allowed and not path.is_relative_to(inbox)]
    return found + [path for path in inbox.rglob("*") if path.is_symlink()]


def surprises(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What nobody had thought of is logged with its traceback."""
    return [record.getMessage() for record in caplog.records if record.exc_info]


def test_the_corpus_gets_200_or_400_by_asgi_and_by_wsgi_and_leaves_nothing_beside_the_inbox(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers = {}
    for name, body in CORPUS.items():
        headers = signed(body)
        answers[name] = asyncio.run(by_asgi(receiver, body, headers))
        assert by_wsgi(receiver, body, headers) == answers[name], name
    assert {name: status for name, status in answers.items() if status not in (200, 400)} == {}
    assert all(answers[id_name(task_id)] == 200 for task_id in IDS)
    wait_for(lambda: settled(receiver), "the end of the follow-ups")
    assert strays(tmp_path) == []
    assert surprises(caplog) == []
    folder = receiver.inbox.folder
    assert {path.name for path in folder.iterdir() if path.is_file()} <= {
        *("inbox.sqlite3", "inbox.sqlite3-wal", "inbox.sqlite3-shm", "worker.lock")
    }
    assert len(list((folder / "midi").iterdir())) >= len(IDS)


def test_unsigned_it_all_gets_401(receiver: Receiver) -> None:
    for name, body in CORPUS.items():
        assert asyncio.run(by_asgi(receiver, body, {})) == 401, name
        late = signed(body) | {"webhook-timestamp": "1"}
        assert by_wsgi(receiver, body, late) == 401, name
    assert list(receiver.inbox.events()) == []


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Keeps, and follows nothing up."""
    with Receiver(tmp_path_factory.mktemp("idle") / "inbox", keys=[KEY], workers=0) as receiver:
        yield receiver


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=documents())
def test_whatever_is_made_up_gets_200_or_400_and_is_kept_whole(idle: Receiver, body: bytes) -> None:
    before = idle.inbox.stamp()
    status = idle.handle("POST", signed(body), body).status
    assert status in (200, 400)
    assert (idle.inbox.stamp() != before) is (status == 200)
    if status == 200:
        assert any(body in (event.body, *_others(idle, event.id)) for event in idle.inbox.of(read(body).task_id))


def _others(receiver: Receiver, event_id: int) -> list[bytes | None]:
    return [arrival.body for arrival in receiver.inbox.arrivals(event_id)]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=documents())
def test_what_follows_something_made_up_stays_in_the_inbox(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    receiver.handle("POST", signed(body), body)
    wait_for(lambda: settled(receiver), "the end of the follow-ups")
    assert strays(tmp_path) == []
    assert surprises(caplog) == []


def midi(notes: int, note: bytes = b'{"pitch":1,"start":1,"end":2,"velocity":1}') -> bytes:
    inside = b",".join([note] * notes)
    return b'{"taskId":"%d","data":{"instruments":[{"name":"Drums","notes":[%b]}]}}' % (notes, inside)


def test_a_million_notes_are_taken_as_far_as_the_limit_of_the_body_allows(idle: Receiver) -> None:
    for body, expected in ((midi(1_000_000, b"{}"), 200), (midi(700_000), 200), (midi(1_000_000), 413)):
        assert idle.handle("POST", signed(body), body).status == expected


def test_a_hundred_thousand_notes_are_all_handed_over(receiver: Receiver, heard: Heard) -> None:
    body = midi(100_000)
    assert receiver.handle("POST", signed(body), body).status == 200
    wait_for(lambda: settled(receiver), "the end of the follow-ups")
    assert [len(result.instruments[0].notes) for result in heard.results] == [100_000]


class _Stems(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/flac")
        self.send_header("Content-Length", str(len(FLAC)))
        self.end_headers()
        self.wfile.write(FLAC)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def stems() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Stems) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_downloads_stay_in_the_inbox_however_their_stems_and_tasks_are_called(
    receiver: Receiver, tmp_path: Path, stems: str
) -> None:
    for task_id in IDS[:12]:
        links = {f"{name}_url": f"{stems}{order}" for order, name in enumerate(IDS[:12])}
        body = json.dumps({"data": {"task_id": task_id, "vocal_removal_info": links}}).encode()
        assert receiver.handle("POST", signed(body), body).status == 200
    wait_for(lambda: settled(receiver), "the end of the follow-ups")
    assert strays(tmp_path) == []
    for event in receiver.inbox.events():
        work = receiver.inbox.work(event.id)
        assert (work.state, len(work.files)) == ("done", 12), work.error
        assert all((receiver.inbox.folder / path).read_bytes() == FLAC for path in work.files.values())
