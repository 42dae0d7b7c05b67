"""Examination of a callback's signatures for a person: which part is right, which is wrong, in words.

Unlike ``signatures``, which stops at the first fault and tells a sender little, this looks at every part, and tries
what commonly goes wrong on the way to a signature that does not fit."""

import base64
import binascii
import json
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from antiphon.contract.results import read_result
from antiphon.contract.signatures import (
    DOCUMENTED_HEADERS,
    PREFIX,
    STANDARD_HEADERS,
    TOLERANCE_S,
    any_equal,
    check_key,
    sign_documented,
    sign_standard,
)
from antiphon.errors import BadParameter

Verdict = Literal["valid", "invalid", "absent"]
PartState = Literal["right", "wrong", "missing", "unchecked"]
Header = tuple[str, str]
Fits = Callable[[str, str], bool]
"""Whether this key's signature of this body is the one that came."""

_NAME = re.compile(r"""[\s>*'"]*(?:-H\s*|--header\s+)?['"]?([A-Za-z0-9-]+)\s*:""")
_SECONDS = re.compile("[0-9]{1,12}")
_ID = re.compile("[!-~]{1,256}")
_DIGEST_BYTES = 32  # of HMAC-SHA256


@dataclass(frozen=True)
class Part:
    """One thing that must be right. ``message`` says what is wrong and what to do."""

    name: str
    state: PartState
    message: str | None = None


@dataclass(frozen=True)
class Examination:
    """What was found of one scheme; no parts when nothing of it is there."""

    scheme: Literal["standard", "documented"]
    parts: tuple[Part, ...]

    @property
    def verdict(self) -> Verdict:
        if not self.parts:
            return "absent"
        return "valid" if all(part.state == "right" for part in self.parts) else "invalid"


def parse_headers(headers: Mapping[str, str] | str) -> list[Header]:
    """Header names, in lower case, and values.

    Args:
        headers: An object; or text of lines ``Name: value``, also as curl and log files show them. Lines that are no
            header are left out.
    """
    if not isinstance(headers, str):
        return [(name.strip().lower(), value.strip()) for name, value in headers.items()]
    found = ((_NAME.match(line), line) for line in headers.splitlines())
    return [(name[1].lower(), _value(line[name.end() :])) for name, line in found if name]


def _value(text: str) -> str:
    """The value of a header as a line shows it: without the quote and the backslash of a command line behind it."""
    text = text.rstrip(string.whitespace + "\\")
    return (text[:-1] if text.endswith(("'", '"')) else text).strip()


def examine(headers: Sequence[Header], body: str, keys: Sequence[str], *, now: float) -> list[Examination]:
    """Examination of both schemes, the standard one first. Nothing is raised.

    Args:
        headers: Names in lower case.
        body: The body as it was pasted.
        keys: Webhook keys that may have signed.
        now: Unix seconds.
    """
    names = {name for name, _ in headers}
    key_part, usable = _key(keys)
    standard: tuple[Part, ...] = ()
    documented: tuple[Part, ...] = ()
    if names & set(STANDARD_HEADERS):
        standard = (*_standard(headers, body, usable, now), key_part)
    if names & set(DOCUMENTED_HEADERS):
        documented = (*_documented(headers, body, usable, now), key_part)
    return [Examination("standard", standard), Examination("documented", documented)]


def _standard(headers: Sequence[Header], body: str, keys: Sequence[str], now: float) -> Iterator[Part]:
    identity, webhook_id = _header(headers, "webhook-id")
    if identity.state == "right" and not _ID.fullmatch(webhook_id):
        identity = Part("webhook-id", "wrong", "expected printable ASCII without spaces; copy it again")
    stamp, timestamp = _timestamp(headers, "webhook-timestamp", now)
    signature, value = _header(headers, "webhook-signature")
    offered = [part.removeprefix("v1,") for part in value.split() if part.startswith("v1,")]
    if signature.state == "right" and not offered:
        signature = Part("webhook-signature", "wrong", "holds no 'v1,…' signature; copy the whole value, with 'v1,'")
    elif signature.state == "right" and not any(map(_is_digest, offered)):
        signature = _no_digest("webhook-signature")
    elif signature.state == "right" and (not keys or timestamp is None or identity.state != "right"):
        signature = _unchecked("webhook-signature")
    elif signature.state == "right":
        reason = _explain(
            lambda key, text: any_equal(
                [sign_standard(key, webhook_id, timestamp or 0, _bytes(text)).removeprefix("v1,")], offered
            ),
            body,
            keys,
        )
        signature = Part("webhook-signature", "wrong" if reason else "right", reason)
    yield from (identity, stamp, signature)


def _documented(headers: Sequence[Header], body: str, keys: Sequence[str], now: float) -> Iterator[Part]:
    stamp, timestamp = _timestamp(headers, "x-webhook-timestamp", now)
    signature, value = _header(headers, "x-webhook-signature")
    task_id = _task_id(body)
    identity = Part("task id", "right")
    if not task_id:
        identity = Part("task id", "missing", "the body holds no task id, which this scheme signs; paste all of it")
    if signature.state == "right" and not _is_digest(value):
        signature = _no_digest("x-webhook-signature")
    elif signature.state == "right" and (not keys or timestamp is None or not task_id):
        signature = _unchecked("x-webhook-signature")
    elif signature.state == "right":
        reason = _explain(lambda key, _: any_equal([sign_documented(key, task_id, timestamp or 0)], [value]), "", keys)
        signature = Part("x-webhook-signature", "wrong" if reason else "right", reason)
    yield from (stamp, signature, identity)


def _header(headers: Sequence[Header], name: str) -> tuple[Part, str]:
    values = [value for known, value in headers if known == name]
    if len(values) == 1:
        return Part(name, "right"), values[0]
    if not values:
        return Part(name, "missing", "this header is missing; paste all headers, and check that no proxy drops it"), ""
    return Part(name, "wrong", f"this header is there {len(values)} times; paste the headers of one request only"), ""


def _timestamp(headers: Sequence[Header], name: str, now: float) -> tuple[Part, int | None]:
    part, value = _header(headers, name)
    if part.state != "right":
        return part, None
    if not _SECONDS.fullmatch(value):
        return Part(name, "wrong", f"expected Unix time in seconds (got {value[:40]!r}); copy it again"), None
    off = int(value) - round(now)
    if abs(off) <= TOLERANCE_S:
        return part, int(value)
    side = "past" if off < 0 else "future"
    remedy = "have it sent again" if off < 0 else "check this machine's clock"
    words = f"lies {abs(off)} s in the {side}, and receivers accept {TOLERANCE_S} s: {remedy}"
    return Part(name, "wrong", words), int(value)


def _key(keys: Sequence[str]) -> tuple[Part, Sequence[str]]:
    if not keys:
        return Part("key", "missing", "there is no webhook key; paste the one that your receiver verifies with"), ()
    try:
        for key in keys:
            check_key(key)
    except BadParameter as error:
        return Part("key", "wrong", error.message), ()
    return Part("key", "right"), keys


def _explain(fits: Fits, body: str, keys: Sequence[str]) -> str | None:
    """Cause why no key's signature fits; None when one does. All keys are tried: the time does not tell which fits."""
    if any([fits(key, body) for key in keys]):  # noqa: C419
        return None
    for text, change in _altered(body):
        if any(fits(key, text) for key in keys):
            return f"fits the body {change}: paste the body exactly as it came, and verify it before anything parses it"
    for key in keys:
        other = key.removeprefix(PREFIX) if key.startswith(PREFIX) else PREFIX + key
        try:
            fitting = fits(other, body)
        except BadParameter:
            continue
        if fitting:
            there = "without" if key.startswith(PREFIX) else "with"
            return f"fits this key {there} '{PREFIX}' before it: use the key exactly as the server showed it"
    signed = "another body" if body else "another task"
    return f"does not match: it was made with another key, or for {signed}; compare both with what the server shows"


def _altered(body: str) -> Iterator[tuple[str, str]]:
    """What copying and parsing make of a body, undone."""
    yield body.strip(), "without the white space around it"
    yield body + "\n", "with a line end behind it"
    yield body.replace("\r\n", "\n"), "with plain line ends"
    try:
        document = json.loads(body)
        compact = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return
    yield compact, "as it was before it was parsed and printed anew"


def _task_id(body: str) -> str:
    try:
        document = json.loads(body)
        task_id = read_result(document).task_id if isinstance(document, dict) else ""
    except (ValueError, RecursionError, BadParameter):
        return ""
    return task_id if task_id.isprintable() else ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_digest(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _DIGEST_BYTES
    except (binascii.Error, ValueError):
        return False


def _no_digest(name: str) -> Part:
    return Part(name, "wrong", f"is not the base64 of {_DIGEST_BYTES} bytes: it was cut or changed; copy it again")


def _unchecked(name: str) -> Part:
    return Part(name, "unchecked", "can be checked when the other parts are right")
