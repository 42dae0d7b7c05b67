"""Both signatures of a callback: vectors, rotation, and what junk gets."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.contract import signatures
from antiphon.errors import BadParameter, InvalidSignature

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
NOW = 1614265330
BODY = b'{"test": 2432232314}'
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
TASK = "0123456789abcdef0123456789abcdef"


def signed(*keys: str, body: bytes = BODY, now: int = NOW) -> dict[str, str]:
    return signatures.headers(keys or (KEY,), task_id=TASK, webhook_id=ID, body=body, timestamp=now)


def verify(received: dict[str, str], task_id: str | None) -> None:
    """The documented scheme when a task id is given, else Standard Webhooks."""
    if task_id is None:
        signatures.verify_standard(received, BODY, [KEY], now=NOW)
    else:
        signatures.verify_documented(received, task_id, [KEY], now=NOW)


def test_the_published_vector_of_standard_webhooks_is_met() -> None:
    assert signatures.sign_standard(KEY, ID, NOW, BODY) == VECTOR
    received = {"webhook-id": ID, "webhook-timestamp": str(NOW), "webhook-signature": VECTOR}
    signatures.verify_standard(received, BODY, [KEY], now=NOW)


def test_the_documented_scheme_is_base64_of_hmac_over_id_dot_timestamp_keyed_with_the_text_as_given() -> None:
    expected = hmac.new(KEY.encode(), f"{TASK}.{NOW}".encode(), hashlib.sha256).digest()
    assert signatures.sign_documented(KEY, TASK, NOW) == base64.b64encode(expected).decode()


def test_a_key_without_prefix_serves_both_schemes_by_its_text() -> None:
    received = signed("plain key")
    signatures.verify_standard(received, BODY, ["plain key"], now=NOW)
    signatures.verify_documented(received, TASK, ["plain key"], now=NOW)
    expected = hmac.new(b"plain key", f"{ID}.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    assert received["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_while_a_key_is_rotated_receivers_with_either_key_verify() -> None:
    new = signatures.new_key()
    received = signed(new, KEY)
    assert len(received["webhook-signature"].split(" ")) == 2
    signatures.verify_standard(received, BODY, [KEY], now=NOW)
    signatures.verify_standard(received, BODY, [new], now=NOW)
    signatures.verify_documented(received, TASK, [KEY, new], now=NOW)
    with pytest.raises(InvalidSignature):
        signatures.verify_documented(received, TASK, [KEY], now=NOW)


def test_header_names_match_in_any_case_and_without_a_key_nothing_is_signed() -> None:
    received = {name.upper(): value for name, value in signed().items()}
    signatures.verify_standard(received, BODY, [KEY], now=NOW)
    signatures.verify_documented(received, TASK, [KEY], now=NOW)
    assert signatures.has_standard(received)
    assert not signatures.has_standard({"X-Webhook-Signature": "x"})
    assert signatures.headers([], task_id=TASK, webhook_id=ID, body=BODY, timestamp=NOW) == {}


@pytest.mark.parametrize(("off", "valid"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_timestamp_may_be_five_minutes_off_either_way(off: int, valid: bool) -> None:
    received = signed(now=NOW + off)
    for task_id in (TASK, None):
        if valid:
            verify(received, task_id)
        else:
            with pytest.raises(InvalidSignature, match="imestamp"):
                verify(received, task_id)


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_a", "whsec_n\u00f6", "whsec_a b=", "\ud800"])
def test_a_damaged_key_is_named_when_it_is_set_and_never_verifies(key: str) -> None:
    with pytest.raises(BadParameter, match="webhook key"):
        signatures.check_key(key)
    with pytest.raises(InvalidSignature):
        signatures.verify_standard(signed(), BODY, [key], now=NOW)


@pytest.mark.parametrize("key", [f" {KEY}", f"{KEY}\n", "one key", "\u00a0abcdefgh"])
def test_white_space_in_a_key_is_named_when_it_is_set(key: str) -> None:
    with pytest.raises(BadParameter, match="white space"):
        signatures.check_key(key)


@pytest.mark.parametrize(("key", "size"), [("x", 1), ("1234567", 7), ("whsec_MDEyMzQ1Njc4OWFiY2Rl", 15)])
def test_a_key_that_is_too_short_for_a_secret_is_named_when_it_is_set(key: str, size: int) -> None:
    with pytest.raises(BadParameter, match=f"is {size} bytes long, expected at least"):
        signatures.check_key(key)
    signatures.check_key("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
    signatures.check_key("12345678")


def test_a_new_key_is_new_and_has_24_random_bytes() -> None:
    first, second = signatures.new_key(), signatures.new_key()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 24
    signatures.check_key(first)


def test_no_key_to_verify_with_verifies_nothing() -> None:
    with pytest.raises(InvalidSignature, match="no webhook key"):
        signatures.verify_standard(signed(), BODY, [], now=NOW)


JUNK = st.one_of(st.text(), st.text(alphabet="0123456789.,v1 =+-_eE"), st.sampled_from(["1e9", "１６", "-5", "9" * 99]))


@settings(deadline=None)
@given(webhook_id=JUNK, stamp=JUNK, signature=JUNK, task_id=JUNK, key=JUNK, body=st.binary())
def test_junk_gets_no_other_error_than_an_invalid_signature(
    webhook_id: str, stamp: str, signature: str, task_id: str, key: str, body: bytes
) -> None:
    received = {"webhook-id": webhook_id, "webhook-timestamp": stamp, "webhook-signature": signature}
    received |= {"x-webhook-timestamp": stamp, "x-webhook-signature": signature}
    for keys in ([KEY], [key]):
        with pytest.raises(InvalidSignature):
            signatures.verify_standard(received, body, keys, now=NOW)
        with pytest.raises(InvalidSignature):
            signatures.verify_documented(received, task_id, keys, now=NOW)


@settings(deadline=None)
@given(place=st.integers(0, len(BODY) - 1), change=st.integers(1, 255))
def test_a_changed_byte_never_verifies(place: int, change: int) -> None:
    body = bytearray(BODY)
    body[place] ^= change
    with pytest.raises(InvalidSignature):
        signatures.verify_standard(signed(), bytes(body), [KEY], now=NOW)


@settings(deadline=None)
@given(name=st.sampled_from(sorted(signed())), data=st.data())
def test_a_changed_header_never_verifies(name: str, data: st.DataObject) -> None:
    received = signed()
    value = received[name]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != value[place]))
    received[name] = value[:place] + other + value[place + 1 :]
    with pytest.raises(InvalidSignature):
        verify(received, TASK if name.startswith("X-") else None)
