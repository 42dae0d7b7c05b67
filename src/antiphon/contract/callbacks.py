"""What the server POSTs to ``callBackUrl``. The names differ between kinds because the documented API does so."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from antiphon.contract.kinds import GROUP_NAMES, SPLIT_STEMS, STEMS, SeparationType, callback_key


class NoteData(BaseModel):
    """Seconds from the start of the audio; numbers or numeric strings are read, numbers are sent."""

    model_config = ConfigDict(extra="allow")

    pitch: int = Field(ge=0, le=127, examples=[44])
    start: float = Field(ge=0, examples=[7.6875])
    end: float = Field(ge=0, examples=[7.9115])
    velocity: float = Field(ge=0, le=1, examples=[0.8])


class InstrumentData(BaseModel):
    """``name`` is a General MIDI Level 1 name, or ``Drums``."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(examples=["Electric Bass (finger)"])
    notes: list[NoteData]


class MidiData(BaseModel):
    """What the MIDI record holds."""

    state: Literal["complete", "failed"]
    instruments: list[InstrumentData]


class MidiCallbackData(MidiData):
    state: Literal["complete", "failed"] = "complete"
    taskId: str
    instruments: list[InstrumentData] = []


class MidiCallback(BaseModel):
    """The task id stands at the top and in ``data``, for receivers read it in either place."""

    code: Literal[200, 500] = 200
    msg: str = "success"
    taskId: str
    task_id: str
    data: MidiCallbackData


class VideoCallbackData(BaseModel):
    task_id: str
    video_url: str | None = Field(examples=["https://example.com/files/eyJ…"])
    thumbnail_url: str | None = Field(None, description="ours: a JPEG of one frame")


class VideoCallback(BaseModel):
    code: Literal[200, 500] = 200
    msg: str = "success"
    data: VideoCallbackData


VocalRemovalInfo = create_model(
    "VocalRemovalInfo",
    __doc__="One link per stem; null where the engine makes no such stem.",
    origin_url=(str, ...),
    **{callback_key(stem): (str | None, None) for stem in GROUP_NAMES},  # type: ignore[call-overload]
)


class SeparationCallbackData(BaseModel):
    task_id: str
    vocal_removal_info: VocalRemovalInfo | None  # type: ignore[valid-type]


class SeparationCallback(BaseModel):
    code: Literal[200, 500] = 200
    msg: str = "success"
    data: SeparationCallbackData


def midi_callback(task_id: str, instruments: Sequence[Mapping[str, Any]] | None, error: str | None) -> dict[str, Any]:
    """The body for a finished MIDI task; ``error`` says why it failed."""
    state, code = ("failed", 500) if error else ("complete", 200)
    data = {"state": state, "taskId": task_id, "instruments": [_instrument(item) for item in instruments or ()]}
    return {"code": code, "msg": error or "success", "taskId": task_id, "task_id": task_id, "data": data}


def _instrument(item: Mapping[str, Any]) -> dict[str, Any]:
    """In the contract's order, which a database does not keep."""
    order = ("pitch", "start", "end", "velocity")
    return {"name": item["name"], "notes": [{name: note[name] for name in order} for note in item["notes"]]}


def video_callback(task_id: str, url: str | None, error: str | None, *, thumbnail: str | None = None) -> dict[str, Any]:
    """The body for a finished video task; a failure is announced without ``thumbnail_url``."""
    data: dict[str, Any] = {"task_id": task_id, "video_url": None if error else url}
    if thumbnail and not error:
        data["thumbnail_url"] = thumbnail
    return {"code": 500 if error else 200, "msg": error or "success", "data": data}


def separation_callback(
    task_id: str, separation: SeparationType, urls: Mapping[str, str] | None, error: str | None
) -> dict[str, Any]:
    """The body for a finished separation; ``urls`` by stem, and ``origin``."""
    info: dict[str, Any] | None = None
    if urls is not None and not error:
        stems = SPLIT_STEMS if separation is SeparationType.SPLIT_STEM else STEMS[separation]
        info = {"origin_url": urls["origin"], **{callback_key(stem): urls.get(stem) for stem in stems}}
    data = {"task_id": task_id, "vocal_removal_info": info}
    return {"code": 500 if error else 200, "msg": error or "success", "data": data}
