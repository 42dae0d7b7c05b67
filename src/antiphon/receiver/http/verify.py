"""Verification of a callback's signature, without parsing its body."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from antiphon.contract import signatures
from antiphon.errors import InvalidSignature
from antiphon.receiver.inbox.payload import MAX_ID_CHARS

Scheme = Literal["standard", "documented"]
Require = Literal["any", "standard"]
"""Which signatures will do: any of the two, or only the one that covers the whole body."""

_MAX_IDS = 8  # tried in one body
_MAX_PLACES = 64  # looked at in one body
_START = b'"task'
_MAX_ESCAPED_ID_BYTES = 12 * MAX_ID_CHARS  # bytes of an id in which every character is two escapes
_FIELD = re.compile(
    rb'"(taskId|task_id)"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.){1,%d}"|-?[0-9]{1,%d})'
    % (_MAX_ESCAPED_ID_BYTES, MAX_ID_CHARS)
)


@dataclass(frozen=True)
class Proof:
    """What a signature proves: by "standard" the whole body, ``task_id`` is None; by "documented" nothing but this
    task id, which must then be the one that is used. ``keys`` are those by which it is signed."""

    scheme: Scheme
    task_id: str | None
    keys: tuple[str, ...] = field(repr=False)


def verify(
    headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: float, require: Require = "any"
) -> Proof:
    """Check a callback's signature without parsing its body; ``now`` is Unix seconds.

    With any header of Standard Webhooks that scheme must hold, which covers the raw bytes; else the documented
    headers must, for one of the task ids that the body seems to have. Takes time in proportion to the body: a hash
    or a search of it.

    Args:
        keys: Any of them will do, so that a key can be rotated.
        require: With "standard" the documented headers never suffice.

    Raises:
        InvalidSignature: No signature holds. Nothing else is raised.
    """
    if signatures.has_standard(headers):
        return Proof("standard", None, signatures.verify_standard(headers, body, keys, now=now))
    if require == "standard":
        raise InvalidSignature(
            "the headers of Standard Webhooks are missing, and this receiver takes no other signature (require)"
        )
    if not {name.lower() for name in headers}.issuperset(signatures.DOCUMENTED_HEADERS):
        signatures.verify_documented(headers, "", keys, now=now)  # says which is missing
    failure = InvalidSignature(
        "X-Webhook-Signature signs the task id, and the body has none: no taskId or task_id that is a text or a number"
    )
    for task_id in _ids(body):
        try:
            return Proof("documented", task_id, signatures.verify_documented(headers, task_id, keys, now=now))
        except InvalidSignature as error:
            failure = error
    raise failure


def _ids(body: bytes) -> Iterator[str]:
    """The task ids that stand anywhere in these bytes, each once, a handful at most. Takes no JSON for granted."""
    seen: set[str] = set()
    place = -1
    for _ in range(_MAX_PLACES):
        place = body.find(_START, place + 1)
        if place < 0 or len(seen) == _MAX_IDS:
            return
        if field := _FIELD.match(body, place):
            found = _text(field[2])
            if found and found not in seen:
                seen.add(found)
                yield found


def _text(literal: bytes) -> str:
    """A text or a number in JSON as text, "" for what cannot be read."""
    try:
        return str(json.loads(literal))
    except ValueError:
        return ""
