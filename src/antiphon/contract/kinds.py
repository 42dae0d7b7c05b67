"""The words of the contract: kinds of task, states, flags, and the stems with their spellings."""

from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    UPLOAD = "upload"
    SEPARATION = "separation"
    MIDI = "midi"
    VIDEO = "video"


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


class CallbackState(StrEnum):
    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    STOPPED = "stopped"


class SeparationType(StrEnum):
    SEPARATE_VOCAL = "separate_vocal"
    SPLIT_STEM = "split_stem"


class SuccessFlag(StrEnum):
    """Separation and video records say it in words."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    CREATE_TASK_FAILED = "CREATE_TASK_FAILED"
    GENERATE_AUDIO_FAILED = "GENERATE_AUDIO_FAILED"
    GENERATE_MP4_FAILED = "GENERATE_MP4_FAILED"
    CALLBACK_EXCEPTION = "CALLBACK_EXCEPTION"


Grid = Literal["1/4", "1/8", "1/8T", "1/16", "1/16T", "1/32"]
"""The note values to which the notes of a MIDI task can be moved; T stands for triplets."""

Theme = Literal["bars", "circle", "wave"]
"""The designs of a music video."""

Aspect = Literal["16:9", "9:16", "1:1"]
Resolution = Literal["720p", "1080p"]
"""The length of a picture's short side in pixels."""

FrameRate = Literal[30, 60]
VideoSound = Literal["auto", "copy"]
"""``auto`` keeps AAC and makes AAC of all else; ``copy`` also keeps MP3."""

MIDI_PENDING, MIDI_SUCCESS, MIDI_NOT_CREATED, MIDI_FAILED = range(4)
"""MIDI records say it in numbers."""

STEMS: dict[SeparationType, tuple[str, ...]] = {
    SeparationType.SEPARATE_VOCAL: ("vocal", "instrumental"),
    SeparationType.SPLIT_STEM: ("vocal", "drums", "bass", "other"),
}
"""The stems that our engine makes."""

GROUP_NAMES = {
    "vocal": "Vocals",
    "instrumental": "Instrumental",
    "backing_vocals": "Backing Vocals",
    "drums": "Drums",
    "bass": "Bass",
    "guitar": "Guitar",
    "keyboard": "Keyboard",
    "percussion": "Percussion",
    "strings": "Strings",
    "synth": "Synth",
    "fx": "FX",
    "brass": "Brass",
    "woodwinds": "Woodwinds",
    "other": "Other",
}
"""Every stem of the documented API, as ``stem_type_group_name`` says it."""

SPLIT_STEMS = tuple(name for name in GROUP_NAMES if name != "instrumental")


def callback_key(stem: str) -> str:
    """``backing_vocals`` → ``backing_vocals_url``: how the separation callback spells a stem."""
    return f"{stem}_url"


def record_key(stem: str) -> str:
    """``backing_vocals`` → ``backingVocalsUrl``: how the separation record spells it."""
    first, *rest = stem.split("_")
    return first + "".join(word.capitalize() for word in rest) + "Url"
