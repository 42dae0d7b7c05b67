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


class UploadedDict(TypedDict, total=False):
    taskId: str
    audioId: str
    duration: float
    title: str
    expireTime: int


class StatusDict(TypedDict, total=False):
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


class StemRecordDict(TypedDict, total=False):
    id: str
    stem_type_group_name: str
    audio_url: str
    duration: float


class SeparationResponseDict(TypedDict, total=False):
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
    originData: list[StemRecordDict]


class SeparationRecordDict(StatusDict, total=False):
    musicId: str
    response: SeparationResponseDict | None
    successFlag: str


class NoteRecordDict(TypedDict, total=False):
    """``start`` and ``end`` in seconds; some servers send them as text."""

    pitch: int
    start: float | str
    end: float | str
    velocity: float


class InstrumentRecordDict(TypedDict, total=False):
    name: str
    notes: list[NoteRecordDict]


class MidiDataDict(TypedDict, total=False):
    state: str
    instruments: list[InstrumentRecordDict]


class KeySpanDict(TypedDict):
    start: float
    end: float
    key: str


class ChordSpanDict(TypedDict):
    start: float
    end: float
    chord: str


class SectionSpanDict(TypedDict):
    start: float
    end: float
    label: str


class SongAnalysisDict(TypedDict, total=False):
    """What a song is built of; times in seconds."""

    tempo: float
    meter: str
    confidence: float
    key: str | None
    beats: list[float]
    downbeats: list[float]
    keys: list[KeySpanDict]
    chords: list[ChordSpanDict]
    sections: list[SectionSpanDict]


class MidiRecordDict(StatusDict, total=False):
    recordTaskId: int
    midiData: MidiDataDict | None
    midiUrl: str | None
    tuningCents: float | None
    analysis: SongAnalysisDict | None
    successFlag: int


class VideoResponseDict(TypedDict, total=False):
    videoUrl: str
    thumbnailUrl: str | None


class VideoRecordDict(StatusDict, total=False):
    musicId: str
    response: VideoResponseDict | None
    successFlag: str
    warnings: list[str]


class TaskItemDict(StatusDict, total=False):
    """A line in the list of tasks."""

    kind: str
    state: str
    sourceTaskId: str | None
    title: str | None
    startTime: int | None


class TaskPageDict(TypedDict):
    tasks: list[TaskItemDict]
    nextCursor: str | None


class AttemptDict(TypedDict, total=False):
    number: int
    time: int
    address: str | None
    status: int | None
    milliseconds: float
    error: str | None
    answer: str | None
    requestHeaders: dict[str, str] | None


class DeliveryDict(TypedDict, total=False):
    number: int
    webhookId: str
    url: str
    state: str
    createTime: int
    nextAttemptTime: int | None
    body: str
    bodySize: int
    bodyComplete: bool
    attempts: list[AttemptDict]


def outcome_of(record: Mapping[str, Any]) -> Outcome:
    """How a task stands by its record: by our ``taskState`` (``state`` in version 0.1), else by ``successFlag``.

    Args:
        record: A record of any kind, of any server of the documented API.

    Returns:
        "pending" also for a word that nobody documented. ``CALLBACK_EXCEPTION`` says only that the callback was given
        up: what the task made tells the outcome.
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
