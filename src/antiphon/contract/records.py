"""What polling answers. Field names are the documented API's; below them in each record stand ours."""

from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from antiphon.contract.callbacks import MidiData
from antiphon.contract.kinds import GROUP_NAMES, CallbackState, Kind, State, SuccessFlag, record_key

Milliseconds = int


class Created(BaseModel):
    """The answer to a request for work."""

    taskId: str = Field(examples=["5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"])


class Uploaded(BaseModel):
    taskId: str
    audioId: str
    duration: float = Field(description="seconds", examples=[48.02])
    title: str
    expireTime: Milliseconds


class Stem(BaseModel):
    id: str
    stem_type_group_name: str = Field(examples=["Vocals"])
    audio_url: str
    duration: float


SeparationResponse = create_model(
    "SeparationResponse",
    originUrl=(str, ...),
    **{record_key(stem): (str | None, None) for stem in GROUP_NAMES},  # type: ignore[call-overload]
    originData=(list[Stem], ...),
)


class VideoResponse(BaseModel):
    videoUrl: str
    thumbnailUrl: str | None = Field(None, description="a JPEG of one frame")


class Status(BaseModel):
    """Ours, in every record."""

    state: State
    stage: str = Field(examples=["vocals"])
    progress: float = Field(ge=0, le=1)
    callbackState: CallbackState
    expireTime: Milliseconds | None


class SeparationRecord(Status):
    taskId: str
    musicId: str
    audioId: str
    callbackUrl: str | None
    completeTime: Milliseconds | None
    createTime: Milliseconds
    response: SeparationResponse | None  # type: ignore[valid-type]
    successFlag: SuccessFlag
    errorCode: int | None
    errorMessage: str | None


class MidiRecord(Status):
    taskId: str
    recordTaskId: int = -1
    audioId: str | None
    callbackUrl: str | None
    completeTime: Milliseconds | None
    createTime: Milliseconds
    midiData: MidiData | None
    midiUrl: str | None = Field(description="a Standard MIDI File")
    successFlag: int = Field(ge=0, le=3)
    errorCode: int | None
    errorMessage: str | None


class VideoRecord(Status):
    taskId: str
    musicId: str
    audioId: str
    callbackUrl: str | None
    completeTime: Milliseconds | None
    createTime: Milliseconds
    response: VideoResponse | None
    successFlag: SuccessFlag
    errorCode: int | None
    errorMessage: str | None
    warnings: list[str] = Field(description="for example characters of the title that no font has")


class TaskItem(Status):
    """A line in the list of tasks."""

    taskId: str
    kind: Kind
    sourceTaskId: str | None
    audioId: str | None
    title: str | None
    callbackUrl: str | None
    createTime: Milliseconds
    startTime: Milliseconds | None
    completeTime: Milliseconds | None
    errorCode: int | None
    errorMessage: str | None


class SessionRecord(BaseModel):
    """Who is signed in to the console."""

    keyId: int
    name: str = Field(description="of the API key", examples=["first"])
    admin: bool
    csrf: str = Field(description="to be sent as X-CSRF-Token with every call that changes something")
    expireTime: Milliseconds


class ArtifactItem(BaseModel):
    """A file that a task was given or has made."""

    name: str = Field(description="origin, cover, a stem, midi or video", examples=["vocal"])
    audioId: str | None
    url: str
    filename: str = Field(examples=["Harbour Lights - vocal.flac"])
    contentType: str = Field(examples=["audio/flac"])
    size: int = Field(description="bytes")
    duration: float | None = Field(description="seconds")
    expireTime: Milliseconds


class TaskDetail(TaskItem):
    """A task with all that is known of it."""

    parameters: dict[str, Any] = Field(description="what was asked for: title, author, lyrics, type, quantize, …")
    warnings: list[str] = Field(description="of a video: for example characters of the title that no font has")
    artifacts: list[ArtifactItem]


class Peaks(BaseModel):
    """The outline of a sound in stretches of equal length."""

    duration: float = Field(description="seconds")
    buckets: int = Field(description="stretches: as many as were asked for, or fewer where the sound is too short")
    low: list[int] = Field(description="-127…127 for each stretch")
    high: list[int]


class TaskFamily(BaseModel):
    tasks: list[TaskDetail]


class TaskPage(BaseModel):
    tasks: list[TaskItem]
    nextCursor: str | None = Field(description="hand it in as 'cursor' for the next page; null on the last")


class Phases(BaseModel):
    """Milliseconds of each step of an attempt; null for a step that was not needed or not reached."""

    resolve: float | None
    connect: float | None
    tls: float | None
    firstByte: float | None
    total: float


class Attempt(BaseModel):
    number: int
    time: Milliseconds
    address: str | None = Field(examples=["203.0.113.7:443"])
    status: int | None = Field(examples=[200])
    milliseconds: float
    phases: Phases
    connection: str | None = Field(
        description="new, kept, or replaced: a kept one broke off, and the same callback was sent again over a new one",
        examples=["new"],
    )
    error: str | None
    answer: str | None = Field(description="the first 2 KiB")
    requestHeaders: dict[str, str] | None = Field(description="all headers that were sent; null when nothing was")


class Delivery(BaseModel):
    number: int = Field(description="from 1: the first, then one for each resend")
    webhookId: str
    url: str
    state: CallbackState
    createTime: Milliseconds
    nextAttemptTime: Milliseconds | None
    body: str = Field(description="the exact text that is sent; the first 64 KiB of it")
    bodySize: int = Field(description="bytes of the whole; GET …/callbacks/{number}/body gives it")
    bodyComplete: bool
    attempts: list[Attempt]


class Deliveries(BaseModel):
    deliveries: list[Delivery]


class CallbackTrial(BaseModel):
    """One sample that was posted, and what came of it."""

    kind: Kind
    outcome: Literal["success", "failure"] = Field(description="what the sample announces")
    taskId: str = Field(examples=["0000000000000000000000005a3b1e0f"])
    acknowledged: bool
    address: str | None = Field(examples=["203.0.113.7:443"])
    status: int | None = Field(examples=[200])
    milliseconds: float
    phases: Phases
    error: str | None
    answer: str | None = Field(description="the first 2 KiB")
    headers: dict[str, str] = Field(description="the signature headers that were sent")


class CallbackTrials(BaseModel):
    trials: list[CallbackTrial]


class PartCheck(BaseModel):
    """One thing that must be right for a signature to be valid."""

    name: str = Field(description="a header, the key, or the task id in the body", examples=["webhook-timestamp"])
    state: Literal["right", "wrong", "missing", "unchecked"]
    message: str | None = Field(description="what is wrong and what to do; null when it is right")


class SchemeCheck(BaseModel):
    scheme: Literal["standard", "documented"]
    verdict: Literal["valid", "invalid", "absent"]
    parts: list[PartCheck]


class CallbackVerdict(BaseModel):
    """What is right and what is not about the signatures of a callback."""

    valid: bool = Field(description="at least one scheme is there, and each that is there is valid")
    schemes: list[SchemeCheck]


class ApiKeyItem(BaseModel):
    id: int
    name: str = Field(examples=["website"])
    admin: bool
    createTime: Milliseconds
    revokeTime: Milliseconds | None
    current: bool = Field(description="the one that asks")


class ApiKeyList(BaseModel):
    keys: list[ApiKeyItem]


class NewApiKey(ApiKeyItem):
    key: str = Field(description="told this once: only its digest is kept")


class WebhookKeyItem(BaseModel):
    id: int
    createTime: Milliseconds
    expireTime: Milliseconds | None = Field(description="until then it signs beside the current one; null for that one")


class WebhookKeyList(BaseModel):
    keys: list[WebhookKeyItem]


class NewWebhookKey(WebhookKeyList):
    key: str = Field(description="told this once: what receivers verify with")


class StorageState(BaseModel):
    kind: Literal["folder", "s3", "gs", "az"]
    location: str
    freeBytes: int | None = Field(description="on the disk of a folder; null for a bucket")
    artifactBytes: int = Field(description="of all artifacts")


class DatabaseState(BaseModel):
    embedded: bool
    version: str = Field(examples=["18.4"])
    location: str
    bytes: int


class WeightsState(BaseModel):
    name: str
    ready: bool
    licence: str
    detail: str


class Process(BaseModel):
    """A living process of the server, on any machine."""

    roles: list[Literal["api", "worker", "sender"]]
    host: str
    version: str
    startTime: Milliseconds


class TaskCount(BaseModel):
    kind: Kind
    state: State
    number: int


class CallbackQueue(BaseModel):
    pending: int = Field(description="not ended, retries among them")
    sending: int = Field(description="claimed by a sender")
    oldestDue: float = Field(description="seconds that the oldest one that is due has waited")


class Check(BaseModel):
    """What 'antiphon doctor' says of one part."""

    name: str = Field(examples=["storage"])
    good: bool
    verdict: str


class System(BaseModel):
    version: str
    publicUrl: str
    retentionDays: float
    maintenance: bool
    storage: StorageState
    database: DatabaseState
    weights: list[WeightsState] = Field(description="on the machine that answers")
    processes: list[Process]
    tasks: list[TaskCount] = Field(description="unfinished ones")
    callbacks: CallbackQueue
    checks: list[Check]


def origin_data(stems: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """``originData`` from stems by name, each with ``id``, ``url`` and ``duration``."""
    return [
        {
            "id": stem["id"],
            "stem_type_group_name": GROUP_NAMES[name],
            "audio_url": stem["url"],
            "duration": stem["duration"],
        }
        for name, stem in stems.items()
    ]
