"""The two signatures of a callback: the documented scheme and Standard Webhooks 1.0.0, signing and verifying.

What a webhook key is: a text. The documented scheme takes its UTF-8 bytes as they are, ``whsec_`` included.
Standard Webhooks takes the bytes that follow ``whsec_`` in base64; a key without that prefix is taken by its
UTF-8 bytes there too, so that a key of the hosted API serves both schemes.
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence

from antiphon.errors import BadParameter, InvalidSignature

TOLERANCE_S = 300  # that a timestamp may differ from now, either way
PREFIX = "whsec_"
KEY_BYTES = 24  # as Standard Webhooks recommends: between 24 and 64
MIN_SECRET_BYTES = 16  # after whsec_; fewer can be guessed from one callback that was seen
MIN_TEXT_KEY_CHARS = (
    8  # characters of a key without whsec_: the sender's choice, so only what cannot be a key is refused
)

DOCUMENTED_HEADERS = ("x-webhook-timestamp", "x-webhook-signature")
STANDARD_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")

_TIMESTAMP = re.compile("[0-9]{1,12}")
_ID = re.compile("[!-~]{1,256}")
_DIGEST = re.compile("[A-Za-z0-9+/]{43}=")
_V1 = re.compile(f"v1,{_DIGEST.pattern}")
_MAX_SIGNATURES = 32  # looked at in one header; a sender has a handful of keys at most


def new_key() -> str:
    """Make a webhook key: ``whsec_`` and the base64 of 24 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def check_key(key: str) -> None:
    """Check that a text can be a webhook key.

    Raises:
        BadParameter: It is empty, has white space in it, has ``whsec_`` without base64 behind it, or is too short to be
            a secret.
    """
    _documented_bytes(key)
    if any(character.isspace() for character in key):
        raise BadParameter("a webhook key has white space in it; copy it again, without what stands around it")
    secret = _standard_bytes(key)
    least = MIN_SECRET_BYTES if key.startswith(PREFIX) else MIN_TEXT_KEY_CHARS
    if len(secret) < least:
        raise BadParameter(
            f"a webhook key is {len(secret)} bytes long, expected at least {least}; copy all of it, "
            "or have 'antiphon keys webhook rotate' make one"
        )


def sign_documented(key: str, task_id: str, timestamp: int) -> str:
    """base64(HMAC-SHA256(key, task id + "." + timestamp)); it does not cover the body."""
    return _digest(_documented_bytes(key), f"{task_id}.{timestamp}".encode())


def sign_standard(key: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One Standard Webhooks signature, ``v1,<base64>``, over ``id.timestamp.raw body``."""
    return "v1," + _digest(_standard_bytes(key), f"{webhook_id}.{timestamp}.".encode() + body)


def headers(keys: Sequence[str], *, task_id: str, webhook_id: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The headers of one attempt at ``timestamp`` (Unix seconds), both schemes; empty when there is no key.

    Args:
        keys: The newest first. All of them sign for Standard Webhooks; the documented scheme has room for one, the
            newest.

    Raises:
        BadParameter: A key is damaged.
    """
    if not keys:
        return {}
    return {
        "X-Webhook-Timestamp": str(timestamp),
        "X-Webhook-Signature": sign_documented(keys[0], task_id, timestamp),
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign_standard(key, webhook_id, timestamp, body) for key in keys),
    }


def has_standard(received: Mapping[str, str]) -> bool:
    """Whether any Standard Webhooks header is there: then that scheme must hold. Names in any case."""
    names = {name.lower() for name in received}
    return any(name in names for name in STANDARD_HEADERS)


def verify_standard(
    received: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: float, tolerance: float = TOLERANCE_S
) -> tuple[str, ...]:
    """Check ``webhook-signature``: one of its signatures must be by one of ``keys``, over exactly this body.

    Args:
        received: The headers; names in any case.
        body: The raw bytes, as they came.
        now: Unix seconds.
        tolerance: Seconds by which the signed time may differ from ``now``, either way.

    Returns:
        The keys by which there is one.

    Raises:
        InvalidSignature: It does not hold. Nothing else is raised, whatever the headers hold.
    """
    webhook_id, stamp, signatures = (_header(received, name) for name in STANDARD_HEADERS)
    _check_id(webhook_id)
    timestamp = _timestamp("webhook-timestamp", stamp, now, tolerance)
    offered = _offered(signatures)
    signed = f"{webhook_id}.{timestamp}.".encode("ascii") + body
    expected = ["v1," + _digest(secret, signed) for secret in _secrets(keys, _standard_bytes)]
    holding = _holding(keys, expected, offered)
    if not holding:
        raise InvalidSignature("the header webhook-signature does not match: another key, or a changed body")
    return holding


def verify_documented(
    received: Mapping[str, str],
    task_id: str,
    keys: Sequence[str],
    *,
    now: float,
    tolerance: float = TOLERANCE_S,
) -> tuple[str, ...]:
    """Check ``X-Webhook-Signature`` for this task id; the body is not signed by it.

    Args:
        received: The headers; names in any case.
        now: Unix seconds.
        tolerance: Seconds by which the signed time may differ from ``now``, either way.

    Returns:
        The keys by which it is signed.

    Raises:
        InvalidSignature: It does not hold. Nothing else is raised.
    """
    stamp, signature = (_header(received, name) for name in DOCUMENTED_HEADERS)
    timestamp = _timestamp("X-Webhook-Timestamp", stamp, now, tolerance)
    try:
        signed = f"{task_id}.{timestamp}".encode()
    except UnicodeEncodeError:
        raise InvalidSignature("the task id is no valid Unicode text, so nothing can have signed it") from None
    expected = [_digest(secret, signed) for secret in _secrets(keys, _documented_bytes)]
    holding = _holding(keys, expected, [signature])
    if not holding:
        raise InvalidSignature("the header X-Webhook-Signature does not match: another key or another task id")
    return holding


def check_headers(
    received: Mapping[str, str], *, now: float, standard_only: bool = False, tolerance: float = TOLERANCE_S
) -> None:
    """Check what can be known without the body: that the headers of a signature are there, well-formed and of now.

    For a receiver that reads no body whose signature cannot hold. Raises ``InvalidSignature``.
    """
    if has_standard(received):
        webhook_id, stamp, signatures = (_header(received, name) for name in STANDARD_HEADERS)
        _check_id(webhook_id)
        _timestamp("webhook-timestamp", stamp, now, tolerance)
        if not any(_V1.fullmatch(offered) for offered in _offered(signatures)):
            raise InvalidSignature("the header webhook-signature holds no v1 signature of 32 bytes in base64")
        return
    if standard_only:
        raise InvalidSignature(
            "the headers of Standard Webhooks are missing, and this receiver takes no other signature (require)"
        )
    stamp, signature = (_header(received, name) for name in DOCUMENTED_HEADERS)
    _timestamp("X-Webhook-Timestamp", stamp, now, tolerance)
    if not _DIGEST.fullmatch(signature):
        raise InvalidSignature("the header X-Webhook-Signature is no signature: 32 bytes in base64")


def _check_id(webhook_id: str) -> None:
    if not _ID.fullmatch(webhook_id):
        raise InvalidSignature("the header webhook-id is not an id: printable ASCII of at most 256 characters")


def _offered(signatures: str) -> list[str]:
    offered = [part for part in signatures.split(" ")[:_MAX_SIGNATURES] if part.startswith("v1,")]
    if not offered:
        raise InvalidSignature("the header webhook-signature holds no v1 signature")
    return offered


def _digest(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")


def _documented_bytes(key: str) -> bytes:
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raise BadParameter("a webhook key is no valid Unicode text") from None
    if not raw:
        raise BadParameter("a webhook key is empty; 'antiphon keys webhook rotate' makes one")
    return raw


def _standard_bytes(key: str) -> bytes:
    if not key.startswith(PREFIX):
        return _documented_bytes(key)
    text = key.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw:
        raise BadParameter(f"a webhook key starts with {PREFIX} but what follows is not base64; copy it again")
    return raw


def _secrets(keys: Sequence[str], read: Callable[[str], bytes]) -> list[bytes]:
    try:
        found = [read(key) for key in keys]
    except BadParameter as error:
        raise InvalidSignature(error.message) from None
    if not found:
        raise InvalidSignature("no webhook key to verify with is configured")
    return found


def _header(received: Mapping[str, str], wanted: str) -> str:
    values = [value for name, value in received.items() if name.lower() == wanted]
    if len(values) != 1:
        raise InvalidSignature(f"the header {wanted} is {'repeated' if values else 'missing'}")
    return values[0].strip(" \t")


def _timestamp(name: str, value: str, now: float, tolerance: float) -> str:
    if not _TIMESTAMP.fullmatch(value):
        raise InvalidSignature(f"the header {name} is not a Unix time in seconds")
    off = int(value) - now
    if abs(off) > tolerance:
        side = "past" if off < 0 else "future"
        raise InvalidSignature(
            f"the header {name} lies {abs(off):.0f} s in the {side}, more than {tolerance:.0f} s; "
            "check this machine's clock, or it is an old callback sent again by somebody else"
        )
    return value


def any_equal(expected: Sequence[str], offered: Sequence[str]) -> bool:
    """Whether one of ours is among those offered, in a time that does not tell how near one came."""
    found = False
    for ours in expected:
        for theirs in offered:  # every pair is compared, so that the time does not tell which was near
            found |= hmac.compare_digest(ours.encode("ascii"), theirs.encode("utf-8", "surrogatepass"))
    return found


def _holding(keys: Sequence[str], expected: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """The keys whose signature, in ``expected``, was offered."""
    return tuple(key for key, ours in zip(keys, expected, strict=True) if any_equal([ours], offered))
