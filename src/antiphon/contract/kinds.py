"""Vocabulary of the contract: kinds of task, states, flags, and the stems with their spellings."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    UPLOAD = "upload"
    SEPARATION = "separation"
    MIDI = "midi"
    VIDEO = "video"
    WAV = "wav"
    FILE = "file"
    """Any file that was brought in for a short while, to be named by its link."""


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
    SPLIT_STEM_ADVANCED = "split_stem_advanced"
    """One named stem, and the rest."""


class SuccessFlag(StrEnum):
    """Separation, video and WAV records say it in words."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    CREATE_TASK_FAILED = "CREATE_TASK_FAILED"
    GENERATE_AUDIO_FAILED = "GENERATE_AUDIO_FAILED"
    GENERATE_MP4_FAILED = "GENERATE_MP4_FAILED"
    GENERATE_WAV_FAILED = "GENERATE_WAV_FAILED"
    CALLBACK_EXCEPTION = "CALLBACK_EXCEPTION"


GridName = Literal["1/4", "1/8", "1/8T", "1/16", "1/16T", "1/32"]
"""The note values to which the notes of a MIDI task can be moved; T stands for triplets."""

ThemeName = Literal["bars", "circle", "wave"]
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
"""The stems that our own engine makes of a song."""

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
    "piano": "Piano",
}
"""Every stem of the documented API, as ``stem_type_group_name`` says it."""

SPLIT_STEMS = tuple(name for name in GROUP_NAMES if name != "instrumental")
SINGLE_STEMS = (*STEMS[SeparationType.SPLIT_STEM], "guitar", "piano")
"""The stems that ``split_stem_advanced`` takes out of a song by itself; the last two with engines that make them."""

STAND_INS = {"fx": "other", "keyboard": "piano"}
"""Stems of the documented API, and the one of ours whose link they have where there is no such stem of its own."""


def stems_of(separation: SeparationType, stem: str | None = None) -> tuple[str, ...]:
    """Names of the stems that a separation makes.

    Args:
        separation: Its kind.
        stem: The one that ``split_stem_advanced`` was asked for; None for the other kinds.

    Returns:
        With ``split_stem_advanced`` the stem and what it leaves over: ``other``, or ``instrumental`` beside the vocals
        and beside ``other`` itself.
    """
    if separation is not SeparationType.SPLIT_STEM_ADVANCED:
        return STEMS[separation]
    assert stem in SINGLE_STEMS
    return stem, "instrumental" if stem in ("vocal", "other") else "other"


def link_of(stem: str, links: Mapping[str, str]) -> str | None:
    """The link that a stem of the documented API has, ``links`` being those of the stems that were made."""
    return links.get(stem) or links.get(STAND_INS.get(stem, stem))


def find_stem(name: str) -> str | None:
    """The stem of this name, however it is written (``Vocals``, ``vocal``, ``Backing Vocals``); None for another."""
    wanted = name.strip().casefold().replace(" ", "_").replace("-", "_")
    spellings = {stem: {stem, group.casefold().replace(" ", "_")} for stem, group in GROUP_NAMES.items()}
    return next((stem for stem, known in spellings.items() if wanted in known), None)


def callback_key(stem: str) -> str:
    """``backing_vocals`` → ``backing_vocals_url``: how the separation callback spells a stem."""
    return f"{stem}_url"


def record_key(stem: str) -> str:
    """``backing_vocals`` → ``backingVocalsUrl``: how the separation record spells it."""
    first, *rest = stem.split("_")
    return first + "".join(word.capitalize() for word in rest) + "Url"
