"""What clients send. Unknown fields are refused: a misspelt ``callBackUrl`` would otherwise lose every callback."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from antiphon.contract.kinds import Aspect, FrameRate, Grid, Resolution, SeparationType, Theme, VideoSound

TASK_ID = re.compile(r"[0-9a-f]{32}")
AUDIO_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
LONGEST_URL = 2048
LONGEST_LYRICS = 100_000
LONGEST_HEADERS = 50_000


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
    return value.removeprefix("\ufeff")


def _host_name(value: str) -> str:
    if any(character.isspace() for character in value):
        raise ValueError("expected a name without spaces, such as music.example.com")
    return value


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


TaskId = Annotated[str, AfterValidator(_task_id), Field(examples=["5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"])]
AudioId = Annotated[str, AfterValidator(_audio_id), Field(examples=["e231f5a0-9f2d-4c11-8e6d-2b8cadc7dc01"])]
CallBackUrl = Annotated[
    str | None,
    Field(
        max_length=LONGEST_URL,
        description="Where the result is announced by POST. Without it, poll the record.",
        examples=["https://example.com/callback"],
    ),
]
Blankable = BeforeValidator(_blank_to_none)
Short = Annotated[Annotated[str, Field(max_length=50), AfterValidator(single_line)] | None, Blankable]
Title = Annotated[Annotated[str, Field(max_length=200), AfterValidator(single_line)] | None, Blankable]
Domain = Annotated[
    Annotated[str, Field(max_length=50), AfterValidator(single_line), AfterValidator(_host_name)] | None, Blankable
]
Words = Annotated[str, Field(max_length=LONGEST_LYRICS), AfterValidator(_lyrics)]
Lyrics = Annotated[Words | None, Blankable]


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class UploadFields(Request):
    """What may accompany an uploaded file."""

    title: Title = None
    author: Short = None
    lyrics: Lyrics = None


class UploadUrl(UploadFields):
    url: Annotated[str, Field(max_length=LONGEST_URL, examples=["https://example.com/song.mp3"])]
    cover: Annotated[str | None, Field(max_length=LONGEST_URL, description="URL of a picture")] = None


class Separation(Request):
    taskId: TaskId
    audioId: AudioId
    type: Annotated[SeparationType, Field(strict=False)] = SeparationType.SEPARATE_VOCAL
    callBackUrl: CallBackUrl = None


class Midi(Request):
    taskId: Annotated[TaskId, Field(description="A finished separation")]
    callBackUrl: CallBackUrl = None
    audioId: Annotated[AudioId | None, Field(description="One stem of it; without it, all stems")] = None
    quantize: Annotated[
        Grid | None,
        Field(description="Move the notes to this note value of the song's own beats; without it, they stay as played"),
    ] = None


class Video(Request):
    taskId: TaskId
    audioId: AudioId
    callBackUrl: CallBackUrl = None
    author: Short = None
    domainName: Domain = None
    theme: Annotated[Theme, Field(description="The design")] = "bars"
    aspect: Annotated[Aspect, Field(description="Width to height")] = "16:9"
    resolution: Annotated[Resolution, Field(description="The short side in pixels")] = "720p"
    fps: Annotated[FrameRate, Field(description="Frames a second")] = 30
    audio: Annotated[
        VideoSound,
        Field(description="auto: AAC is kept, all else becomes AAC, 320 kbit/s. copy: MP3 is kept, too"),
    ] = "auto"
    lyrics: Annotated[
        Words | None,
        Field(description="LRC or plain text. Without it, the upload's; with an empty text, none"),
    ] = None


class SignIn(Request):
    """Into the console."""

    key: Annotated[str, Field(min_length=1, max_length=200, description="an API key", examples=["ak_…"])]


class NewKey(Request):
    name: Annotated[
        str,
        Field(min_length=1, max_length=100, description="what the key is for", examples=["website"]),
        AfterValidator(single_line),
    ]
    admin: Annotated[bool, Field(description="it may also make and revoke keys and see the system")] = False


class CallbackCheck(Request):
    headers: Annotated[
        dict[str, str] | Annotated[str, Field(max_length=LONGEST_HEADERS)],
        Field(description="as an object, or as text with a line for each, however a tool shows them"),
    ]
    body: Annotated[str, Field(description="the body, to the last character as it came")]
    key: Annotated[
        str | None,
        Field(max_length=200, description="the webhook key; without it, this server's own"),
    ] = None


class CallbackTest(Request):
    callBackUrl: Annotated[
        str,
        Field(
            max_length=LONGEST_URL,
            description="Where the samples are posted",
            examples=["https://example.com/callback"],
        ),
    ]
    kinds: Annotated[
        list[Literal["separation", "midi", "video"]] | None,
        Field(min_length=1, max_length=3, description="Of which kinds of task; without it, of all"),
    ] = None
