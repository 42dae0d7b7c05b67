"""Reading of a callback before it is kept: its task, kind and outcome."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antiphon.contract.lenient import number
from antiphon.contract.results import FailedResult, ResultKind, kind_of, read_result
from antiphon.contract.unified_callback import separate_form
from antiphon.errors import BadParameter
from antiphon.receiver.inbox import fingerprint

MAX_ID_CHARS = 200  # characters; ours have 32, those of others may be longer
MAX_NESTING = 64  # levels of nesting; a callback has six
MAX_CONTAINERS = 2_000_000  # objects and arrays in one body
MAX_INTEGER_DIGITS = 400  # digits; the largest float has 309

_INSTRUMENTS = "instruments"
Document = dict[str, Any]


@dataclass(frozen=True)
class Payload:
    """What is known of a callback without trusting it. ``task_id`` is "" when it has none; ``code`` None likewise.

    ``failed`` says that the task failed. ``digest`` is SHA-256 over the outcome, not over the bytes: what is told
    twice, in other words or by polling, is the same (``fingerprint.py``).
    """

    kind: ResultKind
    task_id: str
    code: int | None
    failed: bool
    digest: bytes


def read(body: bytes) -> Payload:
    """What is known of a callback by its body.

    Plain notes are folded into 32 bytes each as soon as they are read, so that a body takes some four times its size of
    memory, not twenty times. Other threads run meanwhile.

    Raises:
        BadParameter: It is no JSON object in UTF-8, or not within bounds: its task id, its depth, the number of its
            parts.
    """
    document = dict(separate_form(_parse(body)))
    kind = kind_of(document)
    result = read_result(_without_notes(document) if kind == "midi" else document)
    if len(result.task_id) > MAX_ID_CHARS or not result.task_id.isprintable():
        raise BadParameter(f"the task id is not an id: expected at most {MAX_ID_CHARS} printable characters")
    code = number(document.get("code"), -(2.0**31), 2.0**31)
    return Payload(
        kind,
        result.task_id,
        None if code is None or code != int(code) else int(code),
        isinstance(result, FailedResult),
        fingerprint.digest(result, _instruments(document), document),
    )


def _instruments(document: Document) -> Any:
    return next((fields[_INSTRUMENTS] for fields in _places(document) if _INSTRUMENTS in fields), None)


def _places(document: Document) -> tuple[Document, ...]:
    data = document.get("data")
    return (data, document) if isinstance(data, dict) else (document,)


def _without_notes(document: Document) -> Document:
    light = {**document, _INSTRUMENTS: []}
    data = document.get("data")
    return {**light, "data": {**data, _INSTRUMENTS: []}} if isinstance(data, dict) else light


def _parse(body: bytes) -> Document:
    if body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:  # before memory is spent on them
        raise BadParameter(f"the body has more than {MAX_CONTAINERS:,} objects and arrays; that is no callback")
    try:
        document = load(body, fingerprint.fold)
    except UnicodeDecodeError:
        raise BadParameter("the body is not UTF-8; a callback is JSON in UTF-8") from None
    except RecursionError:
        raise BadParameter("the body is nested too deeply to be a callback") from None
    except ValueError as error:
        raise BadParameter(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadParameter(f"the body is a JSON {_name(document)}; a callback is an object")
    if not _shallow(document):
        raise BadParameter(f"the body is nested more than {MAX_NESTING} levels deep; that is no callback")
    return document


def load(body: bytes, hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """``json.loads`` of UTF-8, in which an integer that Python would refuse for its length is a text: no reader here
    takes that for a number, so it costs a note and not the callback. ``hook`` is ``object_pairs_hook``."""
    text = body.decode("utf-8")
    try:
        return json.loads(text, object_pairs_hook=hook)
    except json.JSONDecodeError:
        raise
    except ValueError:  # reading each integer ourselves takes longer, so only when there is such a one
        return json.loads(text, object_pairs_hook=hook, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else digits


def _shallow(document: Document) -> bool:
    """Whether no other reader of this document will run out of stack."""
    level: list[Any] = [document]
    for _ in range(MAX_NESTING):
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
