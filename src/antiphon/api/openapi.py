"""OpenAPI document beyond the models: errors, headers, callbacks and examples."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from antiphon.api.examples import CALLBACKS, OPERATIONS, Examples, Operation
from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback, WavCallback
from antiphon.contract.envelope import Failure
from antiphon.contract.requests import (
    MAX_LYRICS_CHARS,
    MAX_NAME_CHARS,
    MAX_PATH_CHARS,
    NO_CONTROLS,
    NO_CONTROLS_BUT_LINES,
    pattern,
)
from antiphon.errors import Unauthorized
from antiphon.tasks.file_names import CONTENT_TYPES, UNKNOWN_TYPE

DESCRIPTION = """A song in; stems, MIDI and a music video out, each announced by a signed callback.

Every answer is an envelope `{"code", "msg", "data"}`. Send `Authorization: Bearer <api key>` with every call.

An error's `code` is its HTTP status, and its `msg` names what was wrong and what to do. Beyond the errors that each
operation lists, an unknown path answers 404, a known one with another method 405 (`Allow` names the right ones), and
any body over 1 MB but an upload's 413, a body that does not come within 30 s (an upload that pauses for 60 s) 408, and
one for which there is no room beside the others 503."""

ERRORS = {
    400: "A parameter is missing or wrong; `msg` names it and says what to do.",
    401: "No or wrong API key.",
    403: "The key is no admin, or a call of the console came without its `X-CSRF-Token`.",
    404: "No such task, file or path; also the task of another key.",
    405: "Wrong method.",
    409: "It does not fit the present state of the task, or an Idempotency-Key was reused.",
    410: "Expired: past the retention time.",
    413: "The file or the body is too large, or the song too long.",
    415: "Not audio.",
    429: "Too many tasks are queued for this key.",
    430: "Calls too frequent; `Retry-After` says how long to wait.",
    455: "Maintenance: no new tasks for the moment.",
    500: "Our fault.",
}
"""What each code of the contract means."""
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named `task`; `data` is a line of the task list as JSON.",
        "content": {"text/event-stream": _TEXT},
    }
}
CALLBACK_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named `callback`; `data` is the task's id, the headers and the body to be posted.",
        "content": {"text/event-stream": _TEXT},
    }
}
METRICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The text exposition format, 0.0.4", "content": {"text/plain": _TEXT}}
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {kind: {} for kind in (*CONTENT_TYPES.values(), UNKNOWN_TYPE)}},
    206: {"description": "The range that was asked for"},
    416: {"description": "The range lies behind the end of the file"},
}
SEGMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The piece",
        "content": {f"audio/{codec}": {"schema": {"type": "string", "format": "binary"}} for codec in ("flac", "wav")},
    }
}
ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The ZIP",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
CALLBACK_BODY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The body",
        "content": {"application/json": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_LINE = pattern(NO_CONTROLS)
_BINARY = {"type": "string", "format": "binary"}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {**_BINARY, "description": "the song: audio, or a video with sound"},
                        "title": {"type": "string", "maxLength": 200, **_LINE},
                        "author": {"type": "string", "maxLength": 50, **_LINE},
                        "cover": {**_BINARY, "description": "a picture"},
                        "lyrics": {
                            "type": "string",
                            "maxLength": MAX_LYRICS_CHARS,
                            "description": "LRC, SRT, WebVTT, ASS, TTML or plain text",
                            **pattern(NO_CONTROLS_BUT_LINES),
                        },
                    },
                }
            }
        },
    }
}

_FILE_FIELDS = {
    "uploadPath": {"type": "string", "maxLength": MAX_PATH_CHARS, **_LINE},
    "fileName": {"type": "string", "maxLength": MAX_NAME_CHARS, **_LINE},
}


def _file_body(media: str, required: str, **fields: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": [required], "properties": {**fields, **_FILE_FIELDS}}
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


FILE_STREAM_BODY = _file_body("multipart/form-data", "file", file=_BINARY)
FILE_BASE64_BODY = _file_body("application/json", "base64Data", base64Data={"type": "string"})

_SIGNED = (
    "One POST when the task has ended; 2xx within 15 s acknowledges, anything else is tried again at most 3 times. "
    "Signed twice: `X-Webhook-Timestamp` and `X-Webhook-Signature` (base64 HMAC-SHA256 over `taskId.timestamp`), and "
    "Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), which covers the body: verify this."
)


def _callback(name: str, model: type) -> list[Any]:
    """The OpenAPI callback of a kind of task."""
    router = APIRouter()

    def announce(body: Any) -> None: ...

    announce.__annotations__ = {"body": model, "return": None}
    router.add_api_route(
        "{$request.body#/callBackUrl}",
        announce,
        methods=["POST"],
        name=name,
        summary=f"The {name} has ended",
        description=_SIGNED,
        responses={200: {"description": "Acknowledged"}},
        openapi_extra={
            "parameters": [
                {"name": header, "in": "header", "schema": {"type": "string"}, "description": description}
                for header, description in _HEADERS.items()
            ],
        },
    )
    return router.routes


_HEADERS = {
    "X-Webhook-Timestamp": "Unix seconds of this attempt",
    "X-Webhook-Signature": "base64(HMAC-SHA256(key, taskId + '.' + timestamp))",
    "webhook-id": "stable over retries and resends",
    "webhook-timestamp": "Unix seconds of this attempt",
    "webhook-signature": "v1,<base64> over id.timestamp.body; several, space-separated, while a key is rotated",
}
SEPARATION_CALLBACK = _callback("separation", SeparationCallback)
MIDI_CALLBACK = _callback("midi", MidiCallback)
VIDEO_CALLBACK = _callback("video", VideoCallback)
WAV_CALLBACK = _callback("wav", WavCallback)


def operation_id(route: APIRoute) -> str:
    """``separation_generate``: short names for generated clients."""
    return f"{route.tags[0] if route.tags else 'callback'}_{route.name}"


def install(app: FastAPI) -> None:
    """Say of each operation what is in ``OPERATIONS``. An operation that is missing there is a ``KeyError``."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            _complete(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]
    schemas["Failure"] = Failure.model_json_schema()
    for never in ("HTTPValidationError", "ValidationError"):  # of FastAPI's own 422, which never comes
        schemas.pop(never, None)
    for path in schema["paths"].values():
        for operation in path.values():
            _describe(operation, OPERATIONS[operation["operationId"]])


def _describe(operation: dict[str, Any], said: Operation) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    _illustrate(operation.get("requestBody", {}), said.request)
    _illustrate(responses["200"], said.answers)
    if operation["operationId"] in _POLLED:
        responses["200"]["headers"] = _seconds(_POLL)
    for code, examples in said.errors.items():
        responses[str(code)] = _error(code, examples)
    for kind, callback in operation.get("callbacks", {}).items():
        for operations in callback.values():
            operations["post"]["responses"].pop("422", None)
            _illustrate(operations["post"]["requestBody"], CALLBACKS[kind])


def _illustrate(part: dict[str, Any], examples: Examples) -> None:
    """Written after FastAPI is done, which would drop the nulls."""
    if examples:
        for media in part["content"].values():
            media["examples"] = examples


_POLLED = {f"{kind}_record_info" for kind in ("separation", "midi", "video", "wav", "jobs")}
_POLL = "Seconds until it is worth asking again; only while the task is queued or running"
_RETRY_AFTER = {
    429: "Seconds to wait",
    430: "Seconds to wait",
    455: "Seconds to wait",
    500: "Seconds to wait; only when the database does not answer",
}


def _seconds(description: str) -> dict[str, Any]:
    return {
        "Retry-After": {"description": description, "schema": {"type": "integer", "minimum": 1}, "example": 10},
    }


def _error(code: int, examples: Examples) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": ERRORS[code],
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}, "examples": examples}},
    }
    if code in _RETRY_AFTER and (code != 500 or "database" in examples):
        answer["headers"] = _seconds(_RETRY_AFTER[code])
    if code == Unauthorized.code:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}
    return answer
