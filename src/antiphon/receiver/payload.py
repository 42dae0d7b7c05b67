"""Reading a callback tolerantly: whose it is and of which kind, wherever the sender put that."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from antiphon.errors import BadParameter

Kind = Literal["midi", "video", "separation", "unknown"]

LONGEST_ID = 200  # characters; ours have 32, those of others may be longer
_ID_FIELDS = ("taskId", "task_id")
# A failed task has its field too, empty or null: what counts is that the name is there.
_TELLING: tuple[tuple[str, Kind], ...] = (
    ("instruments", "midi"),
    ("video_url", "video"),
    ("vocal_removal_info", "separation"),
)


@dataclass(frozen=True)
class Payload:
    """What is known of a callback without trusting it. ``task_id`` is "" when it has none; ``code`` None likewise.

    ``digest`` is SHA-256 over the JSON in a canonical form, so that the same outcome sent with other white space
    or another order of fields is the same.
    """

    kind: Kind
    task_id: str
    code: int | None
    digest: bytes


def read(body: bytes) -> Payload:
    """Read a callback's body. Raises ``BadParameter`` for anything but a JSON object in UTF-8."""
    try:
        document = json.loads(body.decode("utf-8"))
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    except UnicodeDecodeError:
        raise BadParameter("the body is not UTF-8; a callback is JSON in UTF-8") from None
    except RecursionError:
        raise BadParameter("the body is nested too deeply to be a callback") from None
    except ValueError as error:
        raise BadParameter(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise BadParameter(f"the body is a JSON {_name(document)}; a callback is an object")
    data = document.get("data")
    inner: dict[str, Any] = data if isinstance(data, dict) else {}
    code = document.get("code")
    return Payload(
        kind=next((kind for name, kind in _TELLING if name in inner or name in document), "unknown"),
        task_id=_task_id(document) or _task_id(inner),
        code=code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 2**31 else None,
        digest=hashlib.sha256(canonical.encode("ascii")).digest(),
    )


def _task_id(fields: dict[str, Any]) -> str:
    for name in _ID_FIELDS:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if abs(value) < 10**LONGEST_ID else None
        if not isinstance(value, str) or not value:
            continue
        if len(value) > LONGEST_ID or not value.isprintable():
            raise BadParameter(f"{name} is not an id: expected at most {LONGEST_ID} printable characters")
        return value
    return ""


def _name(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
