"""The receiver: what is kept, what is refused, and that nothing that comes brings it down."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.contract import signatures
from antiphon.errors import BadParameter, SettingsError, StorageError
from antiphon.receiver import app as receiver
from antiphon.receiver.inbox import Inbox
from antiphon.receiver.payload import read

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = "0123456789abcdef0123456789abcdef"
MIDI = json.dumps({"code": 200, "msg": "success", "taskId": TASK, "data": {"taskId": TASK, "instruments": []}}).encode()
Headers = Iterable[tuple[bytes, bytes]]


def signed(body: bytes, *, task_id: str = TASK, key: str = KEY, only: str = "", now: float | None = None) -> Headers:
    stamp = int(time.time() if now is None else now)
    headers = signatures.headers([key], task_id=task_id, webhook_id="msg_1", body=body, timestamp=stamp)
    return [(name.lower().encode(), value.encode()) for name, value in headers.items() if name.startswith(only)]


async def post(
    app: receiver.App, body: bytes, headers: Headers = (), *, method: str = "POST", parts: list[bytes] | None = None
) -> tuple[int, dict[str, Any]]:
    """Drive the app as a server does; ``parts`` are how the body comes in."""
    pieces = [body] if parts is None else parts
    incoming = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1}
        for place, piece in enumerate(pieces)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": method, "path": "/hook", "headers": list(headers)}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.fixture
def app(inbox: Inbox) -> receiver.App:
    return receiver.create_app(inbox, [KEY])


async def test_a_signed_callback_is_kept_raw_and_acknowledged(app: receiver.App, inbox: Inbox) -> None:
    body = b" " + MIDI + b"\n"
    assert await post(app, body, signed(body), parts=[body[:7], body[7:]]) == (
        200,
        {"code": 200, "msg": "success", "data": None},
    )
    (event,) = inbox.events()
    assert (event.kind, event.task_id, event.version, event.code) == ("midi", TASK, 1, 200)
    assert (event.body, event.scheme, event.repeats) == (body, "standard", 0)


async def test_the_documented_signature_alone_is_enough(app: receiver.App, inbox: Inbox) -> None:
    assert (await post(app, MIDI, signed(MIDI, only="X-")))[0] == 200
    assert next(inbox.events()).scheme == "documented"


async def test_a_broken_standard_signature_is_not_saved_by_the_documented_one(app: receiver.App, inbox: Inbox) -> None:
    tampered = MIDI.replace(b"success", b"SUCCESS")
    status, answer = await post(app, tampered, signed(MIDI))
    assert (status, answer["code"]) == (401, 401)
    assert list(inbox.events()) == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        signed(MIDI, key="another"),
        signed(MIDI, now=time.time() - 1000),
        signed(MIDI, task_id="f" * 32, only="X-"),
        [(b"webhook-id", b"\xff\x00"), (b"webhook-timestamp", b"x"), (b"webhook-signature", b"v1,\xff")],
        [(b"x-webhook-timestamp", "１".encode()), (b"x-webhook-signature", b"")],
    ],
)
async def test_what_is_not_signed_by_the_key_gets_401(app: receiver.App, inbox: Inbox, headers: Headers) -> None:
    assert (await post(app, MIDI, headers))[0] == 401
    assert list(inbox.events()) == []


async def test_a_repeated_signature_header_gets_400(app: receiver.App) -> None:
    assert (await post(app, MIDI, [*signed(MIDI), (b"webhook-id", b"msg_2")]))[0] == 400


HOSTILE = [
    b"",
    b"not json",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"\xff\xfe{}",
    b"\x00",
    b'{"taskId": ',
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b"9" * 100_000,
    b'{"taskId": "' + b"x" * 1000 + b'"}',
    b'{"taskId": "a\\u0000b"}',
    b'{"taskId": "\\ud800"}',
    b'{"taskId": "a\\nb"}',
]


@pytest.mark.parametrize("body", HOSTILE)
async def test_junk_gets_400_even_with_a_valid_signature(app: receiver.App, inbox: Inbox, body: bytes) -> None:
    status, answer = await post(app, body, signed(body))
    assert (status, answer["code"]) == (400, 400)
    assert list(inbox.events()) == []


ODD = [
    b"{}",
    b'{"taskId": NaN, "code": Infinity}',
    b'{"code": 1' + b"0" * 400 + b"}",
    b'{"data": [], "code": "200"}',
    b'{"data": {"taskId": "../../etc/passwd", "instruments": null}}',
    b'{"data": {"taskId": {"a": 1}, "task_id": ["b"], "video_url": 5}}',
    b'{"taskId": "a", "taskId": "b", "data": {"text": "\\ud800"}}',
    b'{"taskId": true, "code": true}',
]


@pytest.mark.parametrize("body", ODD)
async def test_odd_but_signed_callbacks_are_kept_whole(app: receiver.App, inbox: Inbox, body: bytes) -> None:
    assert (await post(app, body, signed(body)))[0] == 200
    assert next(inbox.events()).body == body


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary()
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()),
    names=st.lists(st.sampled_from([*signatures.STANDARD_HEADERS, *signatures.DOCUMENTED_HEADERS])),
    value=st.binary(),
)
async def test_nothing_that_comes_gets_a_500(app: receiver.App, body: bytes, names: list[str], value: bytes) -> None:
    status, _ = await post(app, body, [(name.encode(), value) for name in names])
    assert status in (400, 401)


async def test_a_body_over_the_limit_is_refused_at_its_length_or_while_it_streams(
    app: receiver.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await post(app, b"", [(b"content-length", b"32000001")]))[0] == 413
    assert (await post(app, b"", [(b"content-length", b"9" * 5000)]))[0] == 413
    chunk = bytes(8_000_000)
    assert (await post(app, b"", parts=[chunk] * 5))[0] == 413


async def test_a_sender_that_leaves_before_its_body_has_come_leaves_nothing(app: receiver.App, inbox: Inbox) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there to answer")

    await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert list(inbox.events()) == []


async def test_only_post_is_taken(app: receiver.App) -> None:
    assert (await post(app, b"", method="GET"))[0] == 405


async def test_the_server_can_start_and_stop_it(app: receiver.App) -> None:
    incoming = ["lifespan.startup", "lifespan.shutdown"]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": incoming.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_inbox_that_cannot_keep_it_says_so_and_the_sender_will_come_again(
    app: receiver.App, inbox: Inbox
) -> None:
    inbox.close()
    assert (await post(app, MIDI, signed(MIDI)))[0] == 503


async def test_whoever_is_told_hears_of_each_event_and_whether_it_is_new(inbox: Inbox) -> None:
    heard: list[tuple[str, bool]] = []
    app = receiver.create_app(inbox, [KEY], notify=lambda event, new: heard.append((event.task_id, new)))
    await post(app, MIDI, signed(MIDI))
    await post(app, MIDI, signed(MIDI))
    assert heard == [(TASK, True), (TASK, False)]


async def test_without_a_key_it_starts_only_when_insecure_is_asked_for(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SettingsError, match="--insecure"):
        receiver.create_app(inbox, [])
    with pytest.raises(BadParameter, match="webhook key"):
        receiver.create_app(inbox, ["whsec_"])
    app = receiver.create_app(inbox, [], insecure=True)
    assert "INSECURE" in caplog.text
    assert (await post(app, MIDI))[0] == 200
    assert next(inbox.events()).scheme == ""


@pytest.mark.parametrize(
    ("body", "kind", "task_id"),
    [
        ({"taskId": "a", "data": {"instruments": []}}, "midi", "a"),
        ({"data": {"taskId": "a", "state": "failed", "instruments": None}}, "midi", "a"),
        ({"task_id": "a", "instruments": [1]}, "midi", "a"),
        ({"data": {"task_id": "a", "video_url": None}}, "video", "a"),
        ({"data": {"task_id": "a", "vocal_removal_info": {}}}, "separation", "a"),
        ({"data": {"task_id": 12}}, "unknown", "12"),
        ({"taskId": "", "data": {"task_id": "b"}}, "unknown", "b"),
        ({"data": None}, "unknown", ""),
    ],
)
def test_kind_and_task_are_found_wherever_the_sender_put_them(body: dict[str, Any], kind: str, task_id: str) -> None:
    payload = read(json.dumps(body).encode())
    assert (payload.kind, payload.task_id) == (kind, task_id)


def test_the_same_outcome_again_is_counted_and_another_is_a_new_version(inbox: Inbox) -> None:
    failed = b'{"code": 500, "taskId": "a", "data": {"instruments": []}}'
    same = b'{"data":{"instruments":[]},"taskId":"a","code":500}'
    done = b'{"code": 200, "taskId": "a", "data": {"instruments": [{}]}}'
    news = [inbox.add(body)[1] for body in (failed, same, done, failed, done)]
    assert news == [True, False, True, False, False]
    events = list(inbox.events())
    assert [(event.version, event.code, event.body, event.repeats) for event in events] == [
        (1, 500, failed, 2),
        (2, 200, done, 1),
    ]
    assert events[0].repeated_at is not None


def test_the_inbox_is_the_same_after_it_was_opened_again_and_reads_on_from_where_one_stopped(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        for number in range(250):
            inbox.add(json.dumps({"taskId": str(number)}).encode())
    with Inbox(tmp_path) as inbox:
        events = list(inbox.events())
        assert [event.task_id for event in events] == [str(number) for number in range(250)]
        assert [event.task_id for event in inbox.events(after=events[247].id)] == ["248", "249"]


async def test_many_at_once_with_repeats_are_each_kept_once(app: receiver.App, inbox: Inbox) -> None:
    bodies = [json.dumps({"taskId": str(number % 40)}).encode() for number in range(100)]
    answers = await asyncio.gather(*(post(app, body, signed(body)) for body in bodies))
    assert {status for status, _ in answers} == {200}
    events = list(inbox.events())
    assert len(events) == 40
    assert sum(event.repeats for event in events) == 60


def test_a_file_that_is_no_inbox_or_a_newer_one_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inbox.sqlite3").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        Inbox(tmp_path / "a")
    Inbox(tmp_path / "b").close()
    newer = sqlite3.connect(tmp_path / "b" / "inbox.sqlite3")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageError, match="newer"):
        Inbox(tmp_path / "b")
