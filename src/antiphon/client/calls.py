"""Descriptions of the API's calls: the request, the result of the answer, whether it may be sent twice. No I/O."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from antiphon.client.answers import ApiError
from antiphon.client.records import DeliveryDict, Outcome, TaskItemDict, TaskPageDict, UploadedDict, outcome_of
from antiphon.contract.kinds import Kind, SeparationType, State
from antiphon.errors import BadParameter

Result = TypeVar("Result")
Value = TypeVar("Value", str, str | int)
Record = dict[str, Any]

RECORDS = {
    Kind.MIDI: "/midi/record-info",
    Kind.VIDEO: "/mp4/record-info",
    Kind.SEPARATION: "/vocal-removal/record-info",
    Kind.WAV: "/wav/record-info",
}
INSPECTION_TIMEOUT_S = 330.0  # our server fetches a song for up to 300 s, and inspects it before it answers


@dataclass(frozen=True)
class Call(Generic[Result]):
    """One request. ``body`` is sent as JSON; ``fields`` and ``files`` as multipart, the files opened anew each time.

    ``read`` makes the result of the envelope's ``data`` and of ``Retry-After`` in seconds. ``repeatable``: twice is as
    good as once; else it is where the server honours the ``idempotency_key``. ``timeout`` in seconds replaces the
    client's own.
    """

    method: str
    path: str
    read: Callable[[Any, float | None], Result]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    repeatable: bool = False
    idempotency_key: str | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Look:
    """What one poll of a task has shown. ``retry_after`` is in seconds, None where the server advises nothing."""

    kind: Kind
    record: Record
    outcome: Outcome
    retry_after: float | None


def kind_of(given: Kind | str) -> Kind:
    """A kind of task by its name. Raises ``BadParameter``."""
    if given not in RECORDS:
        raise BadParameter(f"kind: expected {', '.join(RECORDS)} (got {given!r}); only such tasks have a record")
    return Kind(given)


def upload(path: Path, fields: Mapping[str, str | None], cover: Path | None, key: str | None) -> Call[UploadedDict]:
    files = {"file": path} if cover is None else {"file": path, "cover": cover}
    return Call(
        "POST",
        "/audio/upload",
        _uploaded,
        fields=_given(fields),
        files=files,
        idempotency_key=_key(key),
        timeout=INSPECTION_TIMEOUT_S,
    )


def upload_url(url: str, fields: Mapping[str, str | None], cover: str | None, key: str | None) -> Call[UploadedDict]:
    body = _given({"url": url, **fields, "cover": cover})
    return Call(
        "POST", "/audio/upload-url", _uploaded, body=body, idempotency_key=_key(key), timeout=INSPECTION_TIMEOUT_S
    )


def separate(
    task_id: str,
    audio_id: str,
    kind: SeparationType | str,
    callback_url: str | None,
    engine: str | None,
    key: str | None,
) -> Call[str]:
    source = {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url}
    return _create("/vocal-removal/generate", {**source, "type": str(kind), "engine": engine}, key)


def midi(
    task_id: str, callback_url: str | None, audio_id: str | None, quantize: str | None, key: str | None
) -> Call[str]:
    body = {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url, "quantize": quantize}
    return _create("/midi/generate", body, key)


def video(
    task_id: str,
    audio_id: str,
    callback_url: str | None,
    fields: Mapping[str, str | int | None],
    key: str | None,
) -> Call[str]:
    source = {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url}
    return _create("/mp4/generate", {**source, **fields}, key)


def wav(task_id: str, audio_id: str, callback_url: str | None, key: str | None) -> Call[str]:
    return _create("/wav/generate", {"taskId": task_id, "audioId": audio_id, "callBackUrl": callback_url}, key)


def credits() -> Call[int]:
    """What may still be queued, a number."""
    return Call("GET", "/generate/credit", _number, repeatable=True)


def _number(data: Any, retry_after: float | None) -> int:
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise ApiError(500, f"the API said {data!r} where the number of credits was expected")
    return int(data)


def look(kind: Kind, task_id: str, timeout: float | None = None) -> Call[Look]:
    """A task's record, and what it says."""

    def read(data: Any, retry_after: float | None) -> Look:
        # Some servers say 200 and null where ours says 404.
        if not isinstance(data, dict) or (data.get("taskId") or task_id) != task_id:
            raise ApiError(404, f"the API has no record of a {kind} task {task_id}; check the id and the kind")
        return Look(kind, data, outcome_of(data), retry_after)

    return Call("GET", RECORDS[kind], read, query={"taskId": task_id}, repeatable=True, timeout=timeout)


def task_page(
    kind: Kind | None = None,
    state: State | str | None = None,
    search: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[TaskPageDict]:
    query = {"kind": kind, "state": state, "search": search, "cursor": cursor}
    given = {name: str(value) for name, value in query.items() if value is not None}
    return Call("GET", "/tasks", _page, query={**given, "limit": str(limit)}, repeatable=True)


def task(task_id: str) -> Call[TaskItemDict]:
    def read(data: Any, _: float | None) -> TaskItemDict:
        for item in _page(data, None)["tasks"]:  # the search looks into titles, too
            if item.get("taskId") == task_id:
                return item
        raise ApiError(404, f"the API has no task {task_id} of this API key; check the id and the key")

    return Call("GET", "/tasks", read, query={"search": task_id, "limit": "200"}, repeatable=True)


def cancel(task_id: str) -> Call[TaskItemDict]:
    return Call("POST", f"/tasks/{_segment(task_id)}/cancel", _item, repeatable=True)


def callbacks(task_id: str) -> Call[list[DeliveryDict]]:
    return Call("GET", f"/tasks/{_segment(task_id)}/callbacks", _deliveries, repeatable=True)


def resend(task_id: str, key: str | None) -> Call[list[DeliveryDict]]:
    return Call("POST", f"/tasks/{_segment(task_id)}/callbacks/resend", _deliveries, idempotency_key=_key(key))


def _create(path: str, body: Mapping[str, str | int | None], key: str | None) -> Call[str]:
    return Call("POST", path, _task_id, body=_given(body), idempotency_key=_key(key))


def _key(given: str | None) -> str:
    return given or str(uuid.uuid4())


def _given(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}


def _segment(task_id: str) -> str:
    if not task_id or not task_id.replace("-", "").replace("_", "").isalnum() or not task_id.isascii():
        raise BadParameter(f"task_id: expected letters and digits (got {task_id[:60]!r}); give the id of a task")
    return task_id


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ApiError(0, f"the answer says success, but its data is no object: {str(data)[:60]}")
    return data


def _task_id(data: Any, _: float | None) -> str:
    found = _object(data).get("taskId") or _object(data).get("task_id")
    if not isinstance(found, str | int) or not str(found):
        raise ApiError(0, f"the answer says success, but names no taskId: {str(data)[:60]}")
    return str(found)


def _uploaded(data: Any, _: float | None) -> UploadedDict:
    return cast(UploadedDict, _object(data))


def _item(data: Any, _: float | None) -> TaskItemDict:
    return cast(TaskItemDict, _object(data))


def _page(data: Any, _: float | None) -> TaskPageDict:
    found = _object(data)
    items = found.get("tasks")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ApiError(0, "the answer says success, but has no list of tasks")
    return {"tasks": items, "nextCursor": found.get("nextCursor")}


def _deliveries(data: Any, _: float | None) -> list[DeliveryDict]:
    return cast(list[DeliveryDict], _object(data).get("deliveries") or [])
