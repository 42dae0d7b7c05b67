"""Who sent it, found out before the body is parsed."""

import json
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.contract import signatures
from antiphon.errors import InvalidSignature
from antiphon.receiver.http.verify import Proof, verify

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = "0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000


def documented(task_id: str = TASK, *, key: str = KEY, at: int = NOW) -> dict[str, str]:
    return {
        "X-Webhook-Timestamp": str(at),
        "X-Webhook-Signature": signatures.sign_documented(key, task_id, at),
    }


def standard(body: bytes, *, key: str = KEY) -> dict[str, str]:
    both = signatures.headers([key], task_id=TASK, webhook_id="msg_1", body=body, timestamp=NOW)
    return {name: value for name, value in both.items() if not name.startswith("X-")}


def check(headers: Mapping[str, str], body: bytes, keys: tuple[str, ...] = (KEY,)) -> Proof:
    return verify(headers, body, keys, now=NOW)


def test_standard_webhooks_covers_bytes_that_need_not_even_be_json() -> None:
    assert check(standard(b"\xff not json"), b"\xff not json") == Proof("standard", None, (KEY,))


@pytest.mark.parametrize(
    "body",
    [
        b'{"taskId": "%s"}',
        b'{"task_id" :\n"%s", "data": {}}',
        b'{"data": {"instruments": [], "taskId":"%s"}}',
        b'{"msg": "the task \\"taskId\\": \\"x\\"", "data": {"task_id": "%s"}}',
        b'{"taskId": "another", "data": {"taskId": "%s"}}',
        b'{"taskId": null, "task_id": {}, "data": {"task_id": "%s"}}',
        b'{"data": {"instruments": [' + b'{"name": "task", "notes": []},' * 10 + b'{}], "taskId": "%s"}}',
    ],
)
def test_the_documented_scheme_finds_its_task_id_wherever_it_stands(body: bytes) -> None:
    assert check(documented(), body.replace(b"%s", TASK.encode())) == Proof("documented", TASK, (KEY,))


@pytest.mark.parametrize("task_id", ["a b", "ä", 'quo"te', "\\", "😀" * 200, "../../etc/passwd"])
def test_an_id_is_found_however_json_writes_it(task_id: str) -> None:
    for ascii_only in (True, False):
        body = json.dumps({"data": {"taskId": task_id}}, ensure_ascii=ascii_only).encode()
        assert check(documented(task_id), body).task_id == task_id


def test_a_number_may_be_an_id() -> None:
    assert check(documented("4711"), b'{"data": {"taskId": 4711}}').task_id == "4711"


def test_any_key_will_do_while_one_is_rotated() -> None:
    old = signatures.new_key()
    assert check(documented(key=old), b'{"taskId": "%s"}' % TASK.encode(), (KEY, old)).scheme == "documented"
    assert check(standard(b"{}", key=old), b"{}", (KEY, old)).scheme == "standard"


@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        ({}, b"{}", "X-Webhook-Timestamp is missing".lower()),
        ({"X-Webhook-Timestamp": str(NOW)}, b"{}", "x-webhook-signature is missing"),
        (documented(), b"{}", "the body has none"),
        (documented(), b"not json", "the body has none"),
        (documented(), b'{"taskId": "another"}', "does not match"),
        (documented(key="another"), b'{"taskId": "%s"}' % TASK.encode(), "does not match"),
        (documented(at=NOW - 301), b'{"taskId": "%s"}' % TASK.encode(), "in the past"),
        (documented(at=NOW + 301), b'{"taskId": "%s"}' % TASK.encode(), "in the future"),
        (standard(b"{}"), b"{ }", "does not match"),
        (standard(b"{}") | {"webhook-signature": "v2,x"}, b"{}", "no v1 signature"),
        (documented() | {"webhook-id": "msg_1"}, b'{"taskId": "%s"}' % TASK.encode(), "webhook-timestamp is missing"),
    ],
)
def test_what_is_not_signed_is_refused_in_words(headers: dict[str, str], body: bytes, message: str) -> None:
    with pytest.raises(InvalidSignature, match=message):
        check(headers, body)


def test_where_the_whole_body_must_be_signed_the_documented_scheme_does_not_suffice() -> None:
    body = b'{"taskId": "%s"}' % TASK.encode()
    with pytest.raises(InvalidSignature, match="Standard Webhooks"):
        verify(documented(), body, [KEY], now=NOW, require="standard")
    both = documented() | standard(body)
    assert verify(both, body, [KEY], now=NOW, require="standard") == Proof("standard", None, (KEY,))


def test_an_empty_id_is_not_signed_by_anybody() -> None:
    with pytest.raises(InvalidSignature):
        check(documented(""), b'{"taskId": ""}')


def test_thirty_megabytes_of_ids_are_searched_in_no_time() -> None:
    bodies = [b'"task' * 6_000_000, b'"taskId":"' * 3_000_000, b'"taskId":"\\' * 3_000_000]
    bodies += [b"".join(b'"taskId":"%d",' % number for number in range(1_500_000)), b"\xff" * 30_000_000]
    started = time.perf_counter()
    for body in bodies:
        with pytest.raises(InvalidSignature):
            check(documented(), body)
    assert time.perf_counter() - started < 5


@given(
    st.dictionaries(st.sampled_from([*signatures.STANDARD_HEADERS, *signatures.DOCUMENTED_HEADERS]), st.text()),
    st.binary() | st.binary().map(lambda junk: b'{"taskId": "' + junk + b'"}'),
)
def test_nothing_but_an_invalid_signature_comes_of_junk(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidSignature):
        check(headers, body)
