"""Records: the answers to polling. Field names are the documented API's; below them in each record stand ours."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from antiphon.contract.callbacks import MidiData
from antiphon.contract.kinds import GROUP_NAMES, CallbackState, Kind, State, SuccessFlag, record_key

Milliseconds = int


Ignored = Annotated[
    list[str] | None,
    Field(
        description="ours: unknown fields of the request; absent when there are none",
        exclude_if=lambda names: not names,
    ),
]


class Created(BaseModel):
    """The answer to a request for work."""

    taskId: str = Field(examples=["5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"])
    ignored: Ignored = None


class Uploaded(BaseModel):
    taskId: str
    audioId: str
    duration: float = Field(description="seconds", examples=[48.02])
    title: str
    expireTime: Milliseconds
    ignored: Ignored = None


class Stem(BaseModel):
    id: str
    stem_type_group_name: str = Field(examples=["Vocals"])
    audio_url: str
    duration: float


SeparationResponse = create_model(
    "SeparationResponse",
    id=(str | None, Field(None, description="the audio id of the song")),
    originUrl=(str, ...),
    **{record_key(stem): (str | None, None) for stem in GROUP_NAMES},  # type: ignore[call-overload]
    originData=(list[Stem], ...),
)


class VideoResponse(BaseModel):
    videoUrl: str
    thumbnailUrl: str | None = Field(None, description="ours: a JPEG of one frame")


class WavResponse(BaseModel):
    audioWavUrl: str


class Advance(BaseModel):
    """How far a task and its callback have come: ours, wherever a task is told of."""

    stage: str = Field(examples=["vocals"])
    progress: float = Field(ge=0, le=1)
    callbackState: CallbackState
    expireTime: Milliseconds | None


class Ours(Advance):
    """What stands in every record after the documented fields. ``state`` is a documented word in another edition."""

    taskState: State


class Documented(BaseModel):
    """The documented fields of every record."""

    taskId: str
    audioId: str | None
    callbackUrl: str | None
    completeTime: Milliseconds | None
    createTime: Milliseconds
    errorCode: int | None
    errorMessage: str | None


class TrackRecord(Documented):
    """The documented fields of the records that speak of one track; ``musicId`` is its audio id."""

    musicId: str
    audioId: str
    musicIndex: Literal[0] = 0
    successFlag: SuccessFlag


class SeparationFields(TrackRecord):
    response: SeparationResponse | None  # type: ignore[valid-type]


class SeparationRecord(Ours, SeparationFields):
    engine: str | None = Field(None, description="ours: what separated the song", examples=["builtin"])
    gainDb: float | None = Field(
        None,
        le=0,
        description="ours: how much quieter all stems are than in the song, so that none exceeds full scale",
        examples=[0.0],
    )
    absentStems: list[str] = Field(
        [], description="ours: stems that the engine makes and the song does not have", examples=[["bass"]]
    )


class MidiFields(Documented):
    recordTaskId: int = -1
    midiData: MidiData | None
    successFlag: int = Field(ge=0, le=3)


class KeySpan(BaseModel):
    start: float = Field(examples=[0.41])
    end: float = Field(examples=[41.9])
    key: str = Field(examples=["A minor"])


class ChordSpan(BaseModel):
    start: float = Field(examples=[0.41])
    end: float = Field(examples=[2.63])
    chord: str = Field(description="N where none sounds", examples=["Am"])


class SectionSpan(BaseModel):
    start: float = Field(examples=[0.41])
    end: float = Field(examples=[18.2])
    label: str = Field(description="the same letter for what is alike", examples=["A"])


class SongAnalysis(BaseModel):
    """What a song is built of; times are seconds from the start of the audio."""

    tempo: float = Field(description="beats a minute; in 6/8 and 12/8 dotted quarters", examples=[108.01])
    meter: str = Field(description="the time signature of most bars", examples=["4/4"])
    confidence: float = Field(ge=0, le=1, description="how much repeats with the beat; 0: there is none")
    key: str | None = Field(description="the key of most of the song", examples=["A minor"])
    beats: list[float]
    downbeats: list[float] = Field(description="the beats on which bars begin")
    keys: list[KeySpan]
    chords: list[ChordSpan]
    sections: list[SectionSpan]


class MidiRecord(Ours, MidiFields):
    midiUrl: str | None = Field(description="ours: a Standard MIDI File")
    tuningCents: float | None = Field(
        description="ours: how many cents over A = 440 Hz the song is tuned; its notes are those of its own tuning"
    )
    analysis: SongAnalysis | None = Field(description="ours: tempo, metre, key, chords and sections")


class VideoFields(TrackRecord):
    response: VideoResponse | None


class VideoRecord(Ours, VideoFields):
    warnings: list[str] = Field(description="ours: for example characters of the title that no font has")


class WavFields(TrackRecord):
    response: WavResponse | None


class WavRecord(Ours, WavFields):
    pass


class SongItem(BaseModel):
    """A track of a song, as the documented music records tell it."""

    id: str = Field(description="the audio id")
    audioUrl: str
    streamAudioUrl: str
    imageUrl: str | None = Field(description="the cover")
    prompt: str = Field(description="the lyrics")
    modelName: str
    title: str
    tags: str
    createTime: Milliseconds
    duration: float = Field(description="seconds")


class SongResponse(BaseModel):
    taskId: str
    sunoData: list[SongItem]


class SongRecord(BaseModel):
    """An uploaded song in the shape of the documented music records, where clients look for its audio id."""

    taskId: str
    parentMusicId: str = ""
    param: str = Field(description="JSON: what the song came with")
    response: SongResponse
    status: Literal["SUCCESS"] = "SUCCESS"
    type: Literal["upload"] = "upload"
    errorCode: int | None = None
    errorMessage: str | None = None
    expireTime: Milliseconds | None = Field(description="ours")


class AlignedWord(BaseModel):
    """A word and when it is sung, in seconds. The two spellings are those of two editions."""

    word: str
    success: bool = Field(description="whether the lyrics say when; false for text that is spread over the song")
    startS: float
    endS: float
    palign: int = 0
    start_s: float
    end_s: float
    p_align: int = 0


class AlignedLyrics(BaseModel):
    alignedWords: list[AlignedWord]
    waveformData: list[float] = Field(description="how loud the song is in stretches of equal length, 0–1")
    hootCer: float = Field(default=0.0, description="nothing is guessed here, so nothing is misheard")
    isStreamed: bool = False
    ignored: Ignored = None


class FileItem(BaseModel):
    """A file that was brought in, kept for three days."""

    fileName: str = Field(examples=["song.mp3"])
    filePath: str = Field(examples=["music/song.mp3"])
    downloadUrl: str
    fileSize: int = Field(description="bytes")
    mimeType: str = Field(examples=["audio/mpeg"])
    uploadedAt: str = Field(description="ISO 8601, UTC", examples=["2026-11-28T12:00:00.000Z"])
    taskId: str = Field(description="ours")
    expireTime: Milliseconds = Field(description="ours")
    ignored: Ignored = None


class TaskItem(Advance):
    """A line in the list of tasks."""

    taskId: str
    state: State
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


class DeliveryItem(BaseModel):
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
    deliveries: list[DeliveryItem]


class CallbackTrial(BaseModel):
    """One sample that was posted, and what came of it."""

    kind: Kind
    outcome: Literal["success", "failure"] = Field(description="what the sample announces")
    bytes: int = Field(description="size of its body: MIDI of a whole song has hundreds of KB", examples=[312_000])
    taskId: str = Field(examples=["0000000000000000000000005a3b1e0f"])
    acknowledged: bool
    address: str | None = Field(examples=["203.0.113.7:443"])
    status: int | None = Field(examples=[200])
    milliseconds: float
    phases: Phases
    error: str | None
    answer: str | None = Field(description="the first 2 KiB, for admins; null for others")
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
