"""The unified form of the documented API: one call that makes every kind of task, one record, one callback.

Documented are the calls, the words of ``state`` and that ``resultJson`` is a string. ``{"resultUrls": […]}`` of a video
was seen in public clients. What ``resultJson`` says of stems and MIDI is our choice: the fields of the other form.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from antiphon.contract.kinds import Kind, State
from antiphon.contract.requests import Midi, Request, Separation, Video, Wav

MODEL_PREFIX = "ai-music-api/"
MODELS: dict[str, tuple[Kind, type[Request]]] = {
    f"{MODEL_PREFIX}separate-vocals": (Kind.SEPARATION, Separation),
    f"{MODEL_PREFIX}generate-midi-from-audio": (Kind.MIDI, Midi),
    f"{MODEL_PREFIX}create-music-video": (Kind.VIDEO, Video),
    f"{MODEL_PREFIX}convert-to-wav-format": (Kind.WAV, Wav),
}
"""Kind of task and request by model."""

JobState = Literal["waiting", "queuing", "generating", "success", "fail"]
_STATES: dict[State, JobState] = {
    State.QUEUED: "queuing",
    State.RUNNING: "generating",
    State.SUCCEEDED: "success",
    State.FAILED: "fail",
    State.CANCELLED: "fail",
}


class JobRecord(BaseModel):
    """Times are Unix milliseconds."""

    taskId: str
    model: str = Field(examples=["ai-music-api/create-music-video"])
    state: JobState
    param: str = Field(description="the request's input as JSON")
    resultJson: str = Field(description="JSON; empty until the task has succeeded")
    failCode: str | None
    failMsg: str | None
    costTime: int | None = Field(description="milliseconds of work")
    completeTime: int | None
    createTime: int
    task_id: str
    progress: float = Field(ge=0, le=1, description="ours")


class JobCallback(BaseModel):
    code: Literal[200, 500] = 200
    msg: str = "success"
    taskId: str
    task_id: str
    data: JobRecord


def state_of(state: State) -> JobState:
    return _STATES[state]


def request_of(fields: Mapping[str, Any], callback_url: str | None) -> dict[str, Any]:
    """The body of the other form from an ``input`` in snake_case: ``audio_id`` → ``audioId``."""
    camel = {_camel(name): value for name, value in fields.items()}
    return {**camel, "callBackUrl": callback_url} if callback_url is not None else camel


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def result_json(kind: Kind, urls: Mapping[str, str], instruments: list[Any] | None) -> str:
    """``resultJson`` of a task that succeeded. ``urls`` are links by artifact: stems, ``midi``, ``video``, ``wav``."""
    result: dict[str, Any] = {"resultUrls": [url for name, url in urls.items() if name not in ("thumbnail", "origin")]}
    if kind is Kind.SEPARATION:
        result |= {f"{name}_url": url for name, url in urls.items()}
    if kind is Kind.WAV:
        result["audioWavUrl"] = urls.get("wav")
    if kind is Kind.VIDEO:
        result["thumbnail_url"] = urls.get("thumbnail")
    if kind is Kind.MIDI:
        result |= {"midi_url": urls.get("midi"), "state": "complete", "instruments": instruments or []}
    return json.dumps(result, ensure_ascii=False)


def job_callback(record: JobRecord) -> dict[str, Any]:
    """The body that announces a task of the unified form."""
    failed = record.state == "fail"
    return {
        "code": 500 if failed else 200,
        "msg": record.failMsg if failed else "success",
        "taskId": record.taskId,
        "task_id": record.taskId,
        "data": record.model_dump(mode="json"),
    }
