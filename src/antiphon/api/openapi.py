"""What the OpenAPI document says beyond what the models say: errors, callbacks and their examples."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from antiphon.contract.callbacks import MidiCallback, SeparationCallback, VideoCallback
from antiphon.contract.envelope import Failure

DESCRIPTION = """A song in; stems, MIDI and a music video out, each announced by a signed callback.

Every answer is an envelope `{"code", "msg", "data"}`. Send `Authorization: Bearer <api key>` with every call."""

_REASONS = {
    400: "A parameter is missing or wrong; `msg` names it and says what to do.",
    401: "No or wrong API key.",
    404: "No such task, file or path; also the task of another key.",
    405: "Wrong method.",
    409: "The source task has not succeeded (yet) or is of the wrong kind; or an Idempotency-Key was reused.",
    410: "Expired: past the retention time.",
    413: "The file is too large or too long.",
    415: "Not audio.",
    429: "Too many tasks are queued for this key.",
    430: "Calls too frequent; `Retry-After` says how long to wait.",
    455: "Maintenance: no new tasks for the moment.",
    500: "Our fault.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {
        "model": Failure,
        "description": reason,
        "content": {"application/json": {"example": {"code": code, "msg": reason, "data": None}}},
    }
    for code, reason in _REASONS.items()
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named `task`; `data` is a line of the task list as JSON.",
        "content": {
            "text/event-stream": {
                "example": 'event: task\ndata: {"taskId": "…", "state": "running", "progress": 0.4}\n\n'
            }
        },
    }
}
CALLBACK_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events named `callback`; `data` is the task's id, the headers and the body to be posted.",
        "content": {
            "text/event-stream": {
                "example": "event: callback\nid: 1795246801000000-17\n"
                'data: {"taskId": "…", "headers": {"webhook-id": "…"}, "body": "{…}"}\n\n'
            }
        },
    }
}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/octet-stream": {}}},
    206: {"description": "The range that was asked for"},
    416: {"description": "The range lies behind the end of the file"},
}
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
                        "title": {"type": "string", "maxLength": 200},
                        "author": {"type": "string", "maxLength": 50},
                        "cover": {**_BINARY, "description": "a picture"},
                        "lyrics": {"type": "string", "description": "LRC or plain text"},
                    },
                }
            }
        },
    }
}

_TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
_FILES = "https://antiphon.example.com/files/"
_NOTE = {"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}
_MIDI_DATA = {
    "state": "complete",
    "taskId": _TASK,
    "instruments": [{"name": "Electric Bass (finger)", "notes": [_NOTE]}],
}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "midi": {
        "success": {"code": 200, "msg": "success", "taskId": _TASK, "task_id": _TASK, "data": _MIDI_DATA},
        "failure": {
            "code": 500,
            "msg": "the engine 'transcribe' took longer than 3600 s; try a shorter song",
            "taskId": _TASK,
            "task_id": _TASK,
            "data": {"state": "failed", "taskId": _TASK, "instruments": []},
        },
    },
    "video": {
        "success": {"code": 200, "msg": "success", "data": {"task_id": _TASK, "video_url": _FILES + "video"}},
        "failure": {
            "code": 500,
            "msg": "the files of the source task are gone; upload the song again",
            "data": {"task_id": _TASK, "video_url": None},
        },
    },
    "separation": {
        "success": {
            "code": 200,
            "msg": "success",
            "data": {
                "task_id": _TASK,
                "vocal_removal_info": {
                    "origin_url": _FILES + "origin",
                    "vocal_url": _FILES + "vocal",
                    "instrumental_url": _FILES + "instrumental",
                },
            },
        },
        "failure": {
            "code": 500,
            "msg": "the engine 'separate' was killed, most likely because memory ran out; try a shorter song",
            "data": {"task_id": _TASK, "vocal_removal_info": None},
        },
    },
}
_SIGNED = (
    "One POST when the task has ended; 2xx within 15 s acknowledges, anything else is tried again at most 3 times. "
    "Signed twice: `X-Webhook-Timestamp` and `X-Webhook-Signature` (base64 HMAC-SHA256 over `taskId.timestamp`), and "
    "Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`), which covers the body: verify this."
)


def _examples(name: str) -> dict[str, Any]:
    return {outcome: {"value": value} for outcome, value in _EXAMPLES[name].items()}


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
            "requestBody": {"content": {"application/json": {"examples": _examples(name)}}},
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


def operation_id(route: APIRoute) -> str:
    """``separation_generate``: short names for generated clients."""
    return f"{route.tags[0] if route.tags else 'callback'}_{route.name}"


def install(app: FastAPI) -> None:
    """Correct what FastAPI says of errors: its own 422 never comes, and the nulls of our examples count."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            _correct_errors(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _correct_errors(node: Any) -> None:
    if isinstance(node, dict):
        responses = node.get("responses")
        if isinstance(responses, dict):
            responses.pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            node.pop(name, None)
        example = node.get("example")
        if isinstance(example, dict) and "code" in example:
            example.setdefault("data", None)
        for name, callback in node.get("callbacks", {}).items():
            for operations in callback.values():
                operations["post"]["requestBody"]["content"]["application/json"]["examples"] = _examples(name)
        for value in node.values():
            _correct_errors(value)
    elif isinstance(node, list):
        for value in node:
            _correct_errors(value)
