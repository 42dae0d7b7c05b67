"""Request bodies. Unknown fields of the documented requests are kept aside, for the server to name or to refuse."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from antiphon.contract.kinds import (
    GROUP_NAMES,
    SINGLE_STEMS,
    Aspect,
    FrameRate,
    GridName,
    Resolution,
    SeparationType,
    ThemeName,
    VideoSound,
    find_stem,
)

TASK_ID = re.compile(r"[0-9a-f]{32}")
AUDIO_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_TIMES = re.compile(r"(?:[ \t]*\[[^\[\]:]*:[^\[\]]*\])*")  # before a line of LRC
MAX_URL_CHARS = 2048
MAX_LYRICS_CHARS = 100_000
MAX_REPEATED_LYRICS_CHARS = 200_000  # of the lines that come back, counted at each of their times
MAX_HEADERS_CHARS = 50_000
MAX_PATH_CHARS = 500
MAX_NAME_CHARS = 255
MAX_ENGINE_CHARS = 100


def _task_id(value: str) -> str:
    if not TASK_ID.fullmatch(value):
        raise ValueError("expected a task id of 32 lower-case hex digits, as the call that made the task answered it")
    return value


def _audio_id(value: str) -> str:
    if not AUDIO_ID.fullmatch(value.lower()):
        raise ValueError("expected an audio id, which is a UUID, as the upload or the separation record gives it")
    return value.lower()


def single_line(value: str) -> str:
    """Text without control characters, trimmed. Raises ``ValueError``."""
    if CONTROL.search(value):
        raise ValueError("expected text without control characters; remove them")
    return value.strip()


def _lyrics(value: str) -> str:
    if CONTROL.search(value.replace("\r\n", "").replace("\n", "").replace("\t", "").removeprefix("\ufeff")):
        raise ValueError("expected text or LRC without control characters; remove them")
    repeated = 0
    for line in value.splitlines():
        times = _TIMES.match(line)
        assert times is not None
        repeated += max(0, times[0].count("[") - 1) * (len(line) - times.end())
    if repeated > MAX_REPEATED_LYRICS_CHARS:
        raise ValueError(
            f"the lines that come back at several times make {repeated} characters, and {MAX_REPEATED_LYRICS_CHARS} "
            "are the most; write fewer times before a line"
        )
    return value.removeprefix("\ufeff")


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def pattern(text: str) -> dict[str, Any]:
    """A pattern for the OpenAPI document, in its dialect (ECMA 262). The validators check it, with words of their
    own."""
    return {"pattern": f"^{text}$"}


NO_CONTROLS = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]*"
NO_CONTROLS_BUT_LINES = r"\ufeff?([^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]|\t|\r?\n)*"
TaskId = Annotated[
    str,
    AfterValidator(_task_id),
    Field(examples=["5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"], json_schema_extra=pattern(TASK_ID.pattern)),
]
AudioId = Annotated[
    str,
    AfterValidator(_audio_id),
    Field(
        examples=["e231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01"],
        json_schema_extra=pattern(AUDIO_ID.pattern.replace("a-f", "a-fA-F")),
    ),
]
CallBackUrl = Annotated[
    str | None,
    Field(
        max_length=MAX_URL_CHARS,
        description="Where the result is announced by POST. Without it, poll the record.",
        examples=["https://example.com/callback"],
    ),
]
Blankable = BeforeValidator(_blank_to_none)
_LINE = pattern(NO_CONTROLS)
_LINES = pattern(NO_CONTROLS_BUT_LINES)
Short = Annotated[
    Annotated[str, Field(max_length=50, json_schema_extra=_LINE), AfterValidator(single_line)] | None, Blankable
]
Title = Annotated[
    Annotated[str, Field(max_length=200, json_schema_extra=_LINE), AfterValidator(single_line)] | None, Blankable
]
Words = Annotated[str, Field(max_length=MAX_LYRICS_CHARS, json_schema_extra=_LINES), AfterValidator(_lyrics)]
LyricsField = Annotated[Words | None, Blankable]


class Request(BaseModel):
    """A body of the documented API: unknown fields do no harm."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    @property
    def unknown_fields(self) -> list[str]:
        return list(self.model_extra or ())


class OwnRequest(BaseModel):
    """A body of our own endpoints: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TrackRequest(Request):
    """A request that names its song: by the task and the track, or by an address."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["taskId", "audioId"]}, {"required": ["audioUrl"]}]}
    )

    audioUrl: Annotated[
        str | None,
        Field(
            max_length=MAX_URL_CHARS,
            description="Where the song is fetched from, instead of taskId and audioId; links of this server are read "
            "from its storage",
            examples=["https://example.com/song.mp3"],
        ),
    ] = None
    taskId: Annotated[TaskId | None, Field(validate_default=True)] = None
    audioId: Annotated[AudioId | None, Field(validate_default=True)] = None

    @field_validator("taskId", "audioId", mode="after")
    @classmethod
    def _one_way_to_name_it(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "audioUrl" not in info.data:  # it was malformed, which is told
            return value
        if info.data["audioUrl"] is None and value is None:
            raise PydanticCustomError("missing", "required, unless audioUrl is given")
        if info.data["audioUrl"] is not None and value is not None:
            raise ValueError("came together with audioUrl; expected taskId and audioId, or audioUrl alone")
        return value


class UploadFields(Request):
    """What may accompany an uploaded file."""

    title: Title = None
    author: Short = None
    lyrics: LyricsField = None


class UploadUrl(UploadFields):
    url: Annotated[str, Field(max_length=MAX_URL_CHARS, examples=["https://example.com/song.mp3"])]
    cover: Annotated[str | None, Field(max_length=MAX_URL_CHARS, description="URL of a picture")] = None


class Separation(TrackRequest):
    type: Annotated[SeparationType, Field(strict=False)] = SeparationType.SEPARATE_VOCAL
    stemName: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("stemName", "stem_name"),
            validate_default=True,
            description=f"For split_stem_advanced: which stem, {', '.join(GROUP_NAMES[stem] for stem in SINGLE_STEMS)}",
            examples=["Drums"],
        ),
    ] = None
    engine: Annotated[
        str | None,
        Field(
            max_length=MAX_ENGINE_CHARS,
            description="Ours: what separates the song; without it, what the server is set to",
            examples=["builtin"],
        ),
    ] = None
    callBackUrl: CallBackUrl = None

    @field_validator("stemName", mode="after")
    @classmethod
    def _a_stem_that_is_made(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("type") is not SeparationType.SPLIT_STEM_ADVANCED:
            return None
        if value is None:
            raise PydanticCustomError("missing", "required with split_stem_advanced")
        stem = find_stem(value)
        if stem not in SINGLE_STEMS:
            made = ", ".join(GROUP_NAMES[stem] for stem in SINGLE_STEMS)
            raise ValueError(f"expected a stem that this server makes: {made}")
        return stem


class Wav(Request):
    taskId: TaskId
    audioId: AudioId
    callBackUrl: CallBackUrl = None


class TimestampedLyrics(Request):
    taskId: TaskId
    audioId: AudioId


class DownloadUrl(Request):
    url: Annotated[str, Field(max_length=MAX_URL_CHARS, description="A link of this server")]


class FileFields(Request):
    """What may accompany a file that is brought in for a short while."""

    uploadPath: Annotated[
        Annotated[str, Field(max_length=MAX_PATH_CHARS, json_schema_extra=_LINE)] | None,
        Field(description="A folder of your own choice"),
    ] = None
    fileName: Annotated[
        Annotated[str, Field(max_length=MAX_NAME_CHARS, json_schema_extra=_LINE)] | None,
        Field(description="Without it, as the file is called"),
    ] = None

    @field_validator("uploadPath", "fileName", mode="after")
    @classmethod
    def _no_control_characters(cls, value: str | None) -> str | None:
        return None if value is None else single_line(value)


class FileUrl(FileFields):
    fileUrl: Annotated[str, Field(max_length=MAX_URL_CHARS, examples=["https://example.com/song.mp3"])]


class FileBase64(FileFields):
    base64Data: Annotated[
        str, Field(description="Base64, plain or as a data: URL", examples=["data:audio/mpeg;base64,SUQz…"])
    ]


class CreateJob(Request):
    """The unified form: ``input`` is the request of the model, in snake_case."""

    model: Annotated[str, Field(max_length=100, examples=["ai-music-api/separate-vocals"])]
    callBackUrl: CallBackUrl = None
    input: dict[str, Any]


class Midi(Request):
    taskId: Annotated[TaskId, Field(description="A finished separation")]
    callBackUrl: CallBackUrl = None
    audioId: Annotated[AudioId | None, Field(description="One stem of it; without it, all stems")] = None
    quantize: Annotated[
        GridName | None,
        Field(description="Move the notes to this note value of the song's own beats; without it, they stay as played"),
    ] = None


class Video(TrackRequest):
    callBackUrl: CallBackUrl = None
    author: Short = None
    domainName: Annotated[Short, Field(description="A website or a brand")] = None
    theme: Annotated[ThemeName, Field(description="The design")] = "bars"
    aspect: Annotated[Aspect, Field(description="Width to height")] = "16:9"
    resolution: Annotated[Resolution, Field(description="The short side in pixels")] = "720p"
    fps: Annotated[FrameRate, Field(description="Frames a second")] = 30
    audio: Annotated[
        VideoSound,
        Field(description="auto: AAC is kept, all else becomes AAC, 320 kbit/s. copy: MP3 is kept, too"),
    ] = "auto"
    lyrics: Annotated[
        Words | None,
        Field(
            description="LRC, SRT, WebVTT, ASS, TTML or plain text. Without it, the upload's; with an empty text, none"
        ),
    ] = None


class SignIn(OwnRequest):
    """Into the console."""

    key: Annotated[str, Field(min_length=1, max_length=200, description="an API key", examples=["ak_…"])]


class NewKey(OwnRequest):
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="what the key is for",
            examples=["website"],
            json_schema_extra=_LINE,
        ),
        AfterValidator(single_line),
    ]
    admin: Annotated[bool, Field(description="it may also make and revoke keys and see the system")] = False


class CallbackCheck(OwnRequest):
    headers: Annotated[
        dict[str, str] | Annotated[str, Field(max_length=MAX_HEADERS_CHARS)],
        Field(description="as an object, or as text with a line for each, however a tool shows them"),
    ]
    body: Annotated[str, Field(description="the body, to the last character as it came")]
    key: Annotated[
        str | None,
        Field(max_length=200, description="the webhook key; without it, this server's own"),
    ] = None


class CallbackTest(OwnRequest):
    callBackUrl: Annotated[
        str,
        Field(
            max_length=MAX_URL_CHARS,
            description="Where the samples are posted",
            examples=["https://example.com/callback"],
        ),
    ]
    kinds: Annotated[
        list[Literal["separation", "midi", "video"]] | None,
        Field(min_length=1, max_length=3, description="Of which kinds of task; without it, of all"),
    ] = None
