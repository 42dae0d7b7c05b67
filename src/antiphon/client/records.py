"""Types of records and answers for the type checker, and a task's outcome by its record.

Everything is optional: what another server of the documented API leaves out is simply not there. Times are Unix
milliseconds."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

Outcome = Literal["pending", "succeeded", "failed", "cancelled"]

_MIDI_NUMBERS: dict[int, Outcome] = {0: "pending", 1: "succeeded", 2: "failed", 3: "failed"}
_STATES: dict[str, Outcome] = {
    "queued": "pending",
    "running": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}


class Uploaded(TypedDict, total=False):
    taskId: str
    audioId: str
    duration: float
    title: str
    expireTime: int


class Status(TypedDict, total=False):
    """In every record; from ``stage`` on only our server says it."""

    taskId: str
    audioId: str | None
    callbackUrl: str | None
    completeTime: int | None
    createTime: int
    errorCode: int | None
    errorMessage: str | None
    stage: str
    progress: float
    callbackState: str
    expireTime: int | None
    taskState: str


class StemRecord(TypedDict, total=False):
    id: str
    stem_type_group_name: str
    audio_url: str
    duration: float


class SeparationResponse(TypedDict, total=False):
    originUrl: str
    vocalUrl: str | None
    instrumentalUrl: str | None
    backingVocalsUrl: str | None
    drumsUrl: str | None
    bassUrl: str | None
    guitarUrl: str | None
    keyboardUrl: str | None
    percussionUrl: str | None
    stringsUrl: str | None
    synthUrl: str | None
    fxUrl: str | None
    brassUrl: str | None
    woodwindsUrl: str | None
    otherUrl: str | None
    pianoUrl: str | None
    originData: list[StemRecord]


class SeparationRecord(Status, total=False):
    musicId: str
    response: SeparationResponse | None
    successFlag: str


class NoteRecord(TypedDict, total=False):
    """``start`` and ``end`` in seconds; some servers send them as text."""

    pitch: int
    start: float | str
    end: float | str
    velocity: float


class InstrumentRecord(TypedDict, total=False):
    name: str
    notes: list[NoteRecord]


class MidiData(TypedDict, total=False):
    state: str
    instruments: list[InstrumentRecord]


class MidiRecord(Status, total=False):
    recordTaskId: int
    midiData: MidiData | None
    midiUrl: str | None
    tuningCents: float | None
    successFlag: int


class VideoResponse(TypedDict, total=False):
    videoUrl: str
    thumbnailUrl: str | None


class VideoRecord(Status, total=False):
    musicId: str
    response: VideoResponse | None
    successFlag: str
    warnings: list[str]


class TaskItem(Status, total=False):
    """A line in the list of tasks."""

    kind: str
    state: str
    sourceTaskId: str | None
    title: str | None
    startTime: int | None


class TaskPage(TypedDict):
    tasks: list[TaskItem]
    nextCursor: str | None


class Attempt(TypedDict, total=False):
    number: int
    time: int
    address: str | None
    status: int | None
    milliseconds: float
    error: str | None
    answer: str | None
    requestHeaders: dict[str, str] | None


class Delivery(TypedDict, total=False):
    number: int
    webhookId: str
    url: str
    state: str
    createTime: int
    nextAttemptTime: int | None
    body: str
    bodySize: int
    bodyComplete: bool
    attempts: list[Attempt]


def outcome_of(record: Mapping[str, Any]) -> Outcome:
    """How the task stands: as our ``taskState`` says (``state`` in version 0.1), else ``successFlag``.

    ``CALLBACK_EXCEPTION`` says only that the callback was given up: what the task made tells the outcome.
    """
    known = _STATES.get(str(record.get("taskState", record.get("state"))).lower())
    if known:
        return known
    flag = record.get("successFlag")
    made = bool(record.get("response") or record.get("midiData"))
    if isinstance(flag, bool):
        return "succeeded" if flag else "pending"
    text = str("" if flag is None else flag).strip().upper()
    if text.isdecimal():
        return _MIDI_NUMBERS.get(int(text), "failed")
    if text == "SUCCESS" or (text == "CALLBACK_EXCEPTION" and made):
        return "succeeded"
    # A word that nobody documented is no end, unless it says so.
    return "failed" if any(part in text for part in ("FAIL", "ERROR", "EXCEPTION")) else "pending"
