"""The receiver as an ASGI app: what is kept, what is refused, and that nothing that comes brings it down."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.receiver.sending import KEY, MIDI, TASK, Headers, post, raw, signature

from antiphon.contract import signatures
from antiphon.errors import BadParameter, SettingsError
from antiphon.http_server.bodies import Busy
from antiphon.receiver import Answer, Limits, Notice, Receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path / "inbox", [KEY], steps=[], workers=0) as receiver:
        yield receiver


async def test_a_signed_callback_is_kept_raw_and_acknowledged(receiver: Receiver) -> None:
    body = b" " + MIDI + b"\n"
    assert await post(receiver, body, raw(signature(body)), parts=[body[:7], body[7:]]) == (
        200,
        {"code": 200, "msg": "success", "data": None},
    )
    (event,) = receiver.inbox.events()
    assert (event.kind, event.task_id, event.version, event.code) == ("midi", TASK, 1, 200)
    assert (event.body, event.scheme, event.repeats) == (body, "standard", 0)


async def test_the_documented_signature_alone_is_enough(receiver: Receiver) -> None:
    assert (await post(receiver, MIDI, raw(signature(MIDI, only="X-"))))[0] == 200
    assert next(receiver.inbox.events()).scheme == "documented"


async def test_a_receiver_may_ask_for_the_signature_that_covers_the_whole_body(tmp_path: Path) -> None:
    with Receiver(tmp_path / "inbox", [KEY], require="standard", steps=[], workers=0) as strict:
        seen = signature(MIDI, only="X-")  # by somebody on the way, who makes another body for it
        forged = MIDI.replace(b"success", b"forged!")
        status, answer = await post(strict, forged, raw(seen))
        assert (status, "Standard Webhooks" in answer["msg"]) == (401, True)
        assert (await post(strict, MIDI, raw(signature(MIDI))))[0] == 200
        assert [event.body for event in strict.inbox.events()] == [MIDI]


def test_no_signature_can_be_asked_for_where_none_is_verified(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="require is 'standard'"):
        Receiver(tmp_path, insecure=True, require="standard")
    with pytest.raises(SettingsError, match="require is 'both'"):
        Receiver(tmp_path, [KEY], require="both")  # type: ignore[arg-type]


async def test_a_broken_standard_signature_is_not_saved_by_the_documented_one(receiver: Receiver) -> None:
    tampered = MIDI.replace(b"success", b"SUCCESS")
    status, answer = await post(receiver, tampered, raw(signature(MIDI)))
    assert (status, answer["code"]) == (401, 401)
    assert list(receiver.inbox.events()) == []


@pytest.mark.parametrize(
    "headers",
    [
        [],
        raw(signature(MIDI, key="another")),
        raw(signature(MIDI, now=time.time() - 1000)),
        raw(signature(MIDI, task_id="f" * 32, only="X-")),
        [(b"webhook-id", b"\xff\x00"), (b"webhook-timestamp", b"x"), (b"webhook-signature", b"v1,\xff")],
        [(b"x-webhook-timestamp", "１".encode()), (b"x-webhook-signature", b"")],
    ],
)
async def test_what_is_not_signed_by_the_key_gets_401(receiver: Receiver, headers: Headers) -> None:
    assert (await post(receiver, MIDI, headers))[0] == 401
    assert list(receiver.inbox.events()) == []


async def test_a_repeated_signature_header_gets_400(receiver: Receiver) -> None:
    assert (await post(receiver, MIDI, [*raw(signature(MIDI)), (b"webhook-id", b"msg_2")]))[0] == 400


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
async def test_junk_gets_400_even_with_a_valid_signature(receiver: Receiver, body: bytes) -> None:
    status, answer = await post(receiver, body, raw(signature(body)))
    assert (status, answer["code"]) == (400, 400)
    assert list(receiver.inbox.events()) == []


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
async def test_odd_but_signed_callbacks_are_kept_whole(receiver: Receiver, body: bytes) -> None:
    assert (await post(receiver, body, raw(signature(body))))[0] == 200
    assert next(receiver.inbox.events()).body == body


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary()
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda x: json.dumps(x).encode()),
    names=st.lists(st.sampled_from([*signatures.STANDARD_HEADERS, *signatures.DOCUMENTED_HEADERS])),
    value=st.binary(),
)
async def test_nothing_that_comes_gets_a_500(receiver: Receiver, body: bytes, names: list[str], value: bytes) -> None:
    status, _ = await post(receiver, body, [(name.encode(), value) for name in names])
    assert status in (400, 401)


async def test_a_body_over_the_limit_is_refused_at_its_length_or_while_it_streams(receiver: Receiver) -> None:
    for length in (b"32000001", b"9" * 5000):
        assert (await post(receiver, b"", [(b"content-length", length)]))[0] == 413
    chunk = bytes(8_000_000)
    assert (await post(receiver, b"", raw(signature(b"")), parts=[chunk] * 5))[0] == 413


async def test_a_sender_that_leaves_before_its_body_has_come_leaves_nothing(receiver: Receiver) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there to answer")

    await receiver({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert list(receiver.inbox.events()) == []


async def test_only_post_is_taken(receiver: Receiver) -> None:
    assert (await post(receiver, b"", method="GET"))[0] == 405


async def test_the_server_can_start_and_stop_it(receiver: Receiver) -> None:
    incoming = ["lifespan.startup", "lifespan.shutdown"]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": incoming.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await receiver({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_an_inbox_that_cannot_be_opened_stops_the_server_at_its_start(tmp_path: Path) -> None:
    (tmp_path / "inbox").write_text("a file, no folder")
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    await Receiver(tmp_path / "inbox", [KEY], steps=[])({"type": "lifespan"}, receive, send)
    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "cannot be opened" in sent[0]["message"]


async def test_an_inbox_that_cannot_keep_it_says_so_and_the_sender_will_come_again(receiver: Receiver) -> None:
    receiver.inbox.close()
    assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 503


async def test_a_fault_of_ours_is_a_503_too(receiver: Receiver) -> None:
    def break_down(headers: object, body: bytes) -> None:
        raise ZeroDivisionError

    receiver.intercept = break_down
    assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 503


async def test_who_intercepts_answers_what_is_theirs_and_nothing_of_it_is_kept(receiver: Receiver) -> None:
    theirs = Answer(200, {"content-type": "application/json"}, b"{}")
    receiver.intercept = lambda headers, body: theirs if headers.get("x-probe") else None
    assert await post(receiver, b"anything", [(b"X-Probe", b"1")]) == (200, {})
    assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 200
    assert [event.body for event in receiver.inbox.events()] == [MIDI]


async def test_who_watches_hears_of_each_event_and_whether_it_is_new(tmp_path: Path) -> None:
    heard: list[Notice] = []
    with Receiver(tmp_path, [KEY], steps=[], workers=0, watch=heard.append) as receiver:
        await post(receiver, MIDI, raw(signature(MIDI)))
        await post(receiver, MIDI, raw(signature(MIDI)))
    assert [(notice.event.task_id, notice.what) for notice in heard] == [(TASK, "new"), (TASK, "repeat")]


async def test_a_watcher_that_fails_costs_nobody_an_acknowledgement(tmp_path: Path) -> None:
    def watch(notice: Notice) -> None:
        raise ZeroDivisionError

    with Receiver(tmp_path, [KEY], steps=[], workers=0, watch=watch) as receiver:
        assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 200


async def test_without_a_key_it_starts_only_when_insecure_is_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SettingsError, match="--insecure"):
        Receiver(tmp_path)
    with pytest.raises(BadParameter, match="webhook key"):
        Receiver(tmp_path, ["whsec_"])
    with Receiver(tmp_path, insecure=True, steps=[], workers=0) as receiver:
        assert "INSECURE" in caplog.text
        assert (await post(receiver, MIDI))[0] == 200
        assert next(receiver.inbox.events()).scheme == ""


async def test_a_body_that_does_not_come_in_time_gets_408(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    with Receiver(tmp_path, [KEY], steps=[], workers=0, limits=Limits(seconds=0.02)) as receiver:
        headers = raw(signature(MIDI))
        await receiver({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
        assert sent[0]["status"] == 408
        assert list(receiver.inbox.events()) == []


async def test_bodies_that_come_in_at_the_same_time_may_not_hold_all_memory(tmp_path: Path) -> None:
    with Receiver(tmp_path, [KEY], steps=[], workers=0, limits=Limits(held=2 * len(MIDI) + 1)) as receiver:
        with receiver.intake.body({}, "192.0.2.1") as another:
            another.add(b"xx")
            assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 503
        assert (await post(receiver, MIDI, raw(signature(MIDI))))[0] == 200


@pytest.mark.parametrize("attackers", [["192.0.2.1"], ["192.0.2.1", "192.0.2.2"], ["2001:db8::1", "2001:db8::2"]])
async def test_whatever_an_address_holds_there_is_room_for_the_next_one(tmp_path: Path, attackers: list[str]) -> None:
    limits = Limits(body=32_000, held=256_000)
    with Receiver(tmp_path, [KEY], steps=[], workers=0, limits=limits) as receiver, ExitStack() as held:
        for attacker in attackers:
            with contextlib.suppress(Busy):
                while True:
                    held.enter_context(receiver.intake.body({}, attacker)).add(bytes(1000))
        body = MIDI.replace(b"[]", b"[" + b" " * 30_000 + b"]")
        assert (await post(receiver, body, raw(signature(body)), client="198.51.100.7"))[0] == 200
        assert (await post(receiver, body, raw(signature(body)), client=attackers[0]))[0] == 503


UNBELIEVABLE: dict[str, tuple[Callable[[], dict[str, str]], str]] = {
    "missing": (dict, "missing"),
    "stale": (lambda: signature(MIDI, now=time.time() - 1000), "in the past"),
    "stale, documented": (lambda: signature(MIDI, now=time.time() - 1000, only="X-"), "in the past"),
    "without a time": (lambda: {**signature(MIDI), "webhook-timestamp": "now"}, "not a Unix time"),
    "without an id": (lambda: {**signature(MIDI), "webhook-id": ""}, "not an id"),
    "a part": (lambda: {"webhook-id": "msg_1"}, "missing"),
    "malformed": (lambda: {**signature(MIDI), "webhook-signature": "v1,x"}, "webhook-signature"),
    "another version": (lambda: {**signature(MIDI), "webhook-signature": "v2,x"}, "no v1"),
    "malformed, documented": (lambda: {**signature(MIDI, only="X-"), "X-Webhook-Signature": "x"}, "32 bytes in base64"),
}


@pytest.mark.parametrize("case", UNBELIEVABLE)
async def test_a_body_whose_signature_cannot_hold_is_never_held(receiver: Receiver, case: str) -> None:
    headers, words = UNBELIEVABLE[case]

    def hold(size: int, holder: str) -> None:
        raise AssertionError("it was read")

    receiver.intake.hold = hold  # type: ignore[method-assign]
    status, answer = await post(receiver, b"", raw(headers()), parts=[MIDI[:9], MIDI[9:]])
    assert (status, words in answer["msg"]) == (401, True), answer


async def test_with_standard_required_the_documented_headers_let_no_body_in(tmp_path: Path) -> None:
    def hold(size: int, holder: str) -> None:
        raise AssertionError("it was read")

    with Receiver(tmp_path, [KEY], require="standard", steps=[], workers=0) as receiver:
        receiver.intake.hold = hold  # type: ignore[method-assign]
        assert (await post(receiver, MIDI, raw(signature(MIDI, only="X-"))))[0] == 401


async def test_who_probes_hears_what_came_without_its_signature(receiver: Receiver) -> None:
    heard: list[bytes] = []
    receiver.intercept = lambda headers, body: heard.append(body)
    assert (await post(receiver, MIDI))[0] == 401
    assert heard == [MIDI]


async def test_headers_over_the_limit_get_400(receiver: Receiver) -> None:
    assert (await post(receiver, MIDI, [*raw(signature(MIDI)), (b"x-more", b"x" * 40_000)]))[0] == 400


async def test_many_at_once_with_repeats_are_each_kept_once(receiver: Receiver) -> None:
    bodies = [json.dumps({"taskId": str(number % 40)}).encode() for number in range(100)]
    answers = await asyncio.gather(*(post(receiver, body, raw(signature(body))) for body in bodies))
    assert {status for status, _ in answers} == {200}
    events = list(receiver.inbox.events())
    assert len(events) == 40
    assert sum(event.repeats for event in events) == 60
