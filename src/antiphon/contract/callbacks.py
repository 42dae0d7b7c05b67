"""Bodies that the server POSTs to ``callBackUrl``. The names differ between kinds because the documented API does so.

Every body carries the task id as ``taskId`` and ``task_id``, at the top and in ``data``: the editions of the documented
API and their sample receivers read it in different places."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from antiphon.contract.kinds import GROUP_NAMES, SPLIT_STEMS, STEMS, SeparationType, callback_key, link_of, stems_of


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
    task_id: str
    instruments: list[InstrumentData] = []


class Callback(BaseModel):
    """The part that all kinds share; ``data`` differs."""

    code: Literal[200, 500] = 200
    msg: str = "success"
    taskId: str
    task_id: str


class MidiCallback(Callback):
    data: MidiCallbackData


class VideoCallbackData(BaseModel):
    task_id: str
    video_url: str | None = Field(examples=["https://example.com/files/eyJ…/Harbour%20Lights%20-%20video.mp4"])
    taskId: str
    thumbnail_url: str | None = Field(None, description="ours: a JPEG of one frame")


class VideoCallback(Callback):
    data: VideoCallbackData


class WavCallbackData(BaseModel):
    audioWavUrl: str | None = Field(examples=["https://example.com/files/eyJ…/Harbour%20Lights.wav"])
    task_id: str
    audio_wav_url: str | None = Field(description="the same; the Chinese edition's spelling")
    taskId: str


class WavCallback(Callback):
    data: WavCallbackData


VocalRemovalInfo = create_model(
    "VocalRemovalInfo",
    __doc__="One link per stem; null where there is none. What is left over is ``fx_url`` and ``other_url``.",
    origin_url=(str, ...),
    **{callback_key(stem): (str | None, None) for stem in GROUP_NAMES},  # type: ignore[call-overload]
)


class SeparationCallbackData(BaseModel):
    task_id: str
    vocal_removal_info: VocalRemovalInfo | None  # type: ignore[valid-type]
    taskId: str
    vocal_separation_info: VocalRemovalInfo | None = Field(  # type: ignore[valid-type]
        description="the same; another edition's name"
    )


class SeparationCallback(Callback):
    data: SeparationCallbackData


def midi_callback(task_id: str, instruments: Sequence[Mapping[str, Any]] | None, error: str | None) -> dict[str, Any]:
    """The body for a finished MIDI task; ``error`` says why it failed."""
    state = "failed" if error else "complete"
    named = [_instrument(item) for item in instruments or ()]
    return _body(task_id, error, {"state": state, "taskId": task_id, "task_id": task_id, "instruments": named})


def _instrument(item: Mapping[str, Any]) -> dict[str, Any]:
    """In the contract's order, which a database does not keep."""
    order = ("pitch", "start", "end", "velocity")
    return {"name": item["name"], "notes": [{name: note[name] for name in order} for note in item["notes"]]}


def video_callback(task_id: str, url: str | None, error: str | None, *, thumbnail: str | None = None) -> dict[str, Any]:
    """The body for a finished video task; a failure is announced without ``thumbnail_url``."""
    data: dict[str, Any] = {"task_id": task_id, "video_url": None if error else url, "taskId": task_id}
    if thumbnail and not error:
        data["thumbnail_url"] = thumbnail
    return _body(task_id, error, data)


def wav_callback(task_id: str, url: str | None, error: str | None) -> dict[str, Any]:
    """The body for a finished conversion to WAV."""
    link = None if error else url
    return _body(task_id, error, {"audioWavUrl": link, "task_id": task_id, "audio_wav_url": link, "taskId": task_id})


def separation_callback(
    task_id: str,
    separation: SeparationType,
    urls: Mapping[str, str] | None,
    error: str | None,
    *,
    stem: str | None = None,
) -> dict[str, Any]:
    """The body for a finished separation.

    Args:
        urls: Links by stem, and ``origin``; None for one that failed.
        stem: The stem that ``split_stem_advanced`` took out.
    """
    info: dict[str, Any] | None = None
    if urls is not None and not error:
        info = {"origin_url": urls["origin"]}
        listed = STEMS[separation] if separation is SeparationType.SEPARATE_VOCAL else SPLIT_STEMS
        for name in dict.fromkeys((*listed, *stems_of(separation, stem))):
            info[callback_key(name)] = link_of(name, urls)
    data = {"task_id": task_id, "vocal_removal_info": info, "taskId": task_id, "vocal_separation_info": info}
    return _body(task_id, error, data)


def _body(task_id: str, error: str | None, data: Mapping[str, Any]) -> dict[str, Any]:
    code = 500 if error else 200
    return {"code": code, "msg": error or "success", "taskId": task_id, "task_id": task_id, "data": dict(data)}
