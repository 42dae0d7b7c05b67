"""Reading a callback tolerantly: whose it is and of which kind, wherever the sender put that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from antiphon.errors import BadParameter
from antiphon.receiver import outcome

Kind = Literal["midi", "video", "separation", "unknown"]

LONGEST_ID = 200  # characters; ours have 32, those of others may be longer
DEEPEST = 64  # levels of nesting; a callback has six
MOST_CONTAINERS = 2_000_000  # objects and arrays in one body
ID_FIELDS = ("taskId", "task_id")
# A failed task has its field too, empty or null: what counts is that the name is there.
_TELLING: tuple[tuple[str, Kind], ...] = (
    ("instruments", "midi"),
    ("video_url", "video"),
    ("vocal_removal_info", "separation"),
)
Document = dict[str, Any]


@dataclass(frozen=True)
class Payload:
    """What is known of a callback without trusting it. ``task_id`` is "" when it has none; ``code`` None likewise.

    ``failed`` says that the task failed. ``digest`` is SHA-256 over the outcome, not over the bytes: what is told
    twice, in other words or by polling, is the same (``outcome.py``).
    """

    kind: Kind
    task_id: str
    code: int | None
    failed: bool
    digest: bytes


def read(body: bytes) -> Payload:
    """Read a callback's body. Raises ``BadParameter`` for anything but a JSON object in UTF-8.

    Takes memory for one body at a time: every note is folded into 32 bytes as soon as it is read, and what is not
    a note is limited by number and by depth. Other threads run while a large body is read.
    """
    document = _parse(body)
    data = document.get("data")
    inner: Document = data if isinstance(data, dict) else {}
    kind: Kind = next((kind for name, kind in _TELLING if name in inner or name in document), "unknown")
    task_id = _task_id(document) or _task_id(inner)
    code = read_code(document.get("code"))
    value = next((part[name] for name, its in _TELLING if its == kind for part in (inner, document) if name in part), 0)
    failed = (
        (code is not None and code != 200)
        or "failed" in (inner.get("state"), document.get("state"))
        or (kind in ("video", "separation") and not value)
    )
    return Payload(kind, task_id, code, failed, outcome.digest(kind, task_id, failed, value, document))


def read_code(value: object) -> int | None:
    """A callback's code as a number, also from a text of digits; None for what is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**31:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def read_id(name: str, value: object) -> str:
    """A task id as text, "" for what is none. Raises ``BadParameter`` for one that cannot be printed or is too long."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**LONGEST_ID else None
    if not isinstance(value, str) or not value:
        return ""
    if len(value) > LONGEST_ID or not value.isprintable():
        raise BadParameter(f"{name} is not an id: expected at most {LONGEST_ID} printable characters")
    return value


def _task_id(fields: Mapping[str, Any]) -> str:
    return next((found for name in ID_FIELDS if (found := read_id(name, fields.get(name)))), "")


def _parse(body: bytes) -> Document:
    if body.count(b"{") + body.count(b"[") > MOST_CONTAINERS:  # before memory is spent on them
        raise BadParameter(f"the body has more than {MOST_CONTAINERS:,} objects and arrays; that is no callback")
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=outcome.fold)
    except UnicodeDecodeError:
        raise BadParameter("the body is not UTF-8; a callback is JSON in UTF-8") from None
    except RecursionError:
        raise BadParameter("the body is nested too deeply to be a callback") from None
    except ValueError as error:
        raise BadParameter(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadParameter(f"the body is a JSON {_name(document)}; a callback is an object")
    if not _shallow(document):
        raise BadParameter(f"the body is nested more than {DEEPEST} levels deep; that is no callback")
    return document


def _shallow(document: Document) -> bool:
    """Whether no other reader of this document will run out of stack."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return True
    return False


def _name(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null", bytes: "object that is a single note"}
    return names.get(type(value), "number")
