"""What a callback tells, in types: read tolerantly, whoever sent it. The document itself is always kept whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """``pitch`` is a MIDI note number 0–127 (for drums the General MIDI percussion key), ``start`` and ``end`` are
    seconds from the start of the audio, ``velocity`` is 0–1."""

    pitch: int
    start: float
    end: float
    velocity: float


@dataclass(frozen=True, slots=True)
class Instrument:
    """``name`` is a General MIDI Level 1 name, or ``Drums``, or whatever the sender called it."""

    name: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class MidiResult:
    """``problems`` says, a line each, what in the document could not be read and was left out."""

    task_id: str
    instruments: tuple[Instrument, ...]
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class VideoResult:
    task_id: str
    video_url: str
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class SeparationResult:
    """``stems`` are links by the stem's name (``vocal``, ``backing_vocals``, …), only those that were made."""

    task_id: str
    stems: Mapping[str, str]
    origin_url: str | None
    problems: tuple[str, ...]
    document: Document


@dataclass(frozen=True)
class FailedResult:
    """A task that failed; ``kind`` is "midi", "video", "separation" or "unknown"."""

    task_id: str
    kind: str
    code: int | None
    message: str
    document: Document


@dataclass(frozen=True)
class UnknownResult:
    """JSON that is none of the callbacks we know."""

    task_id: str
    code: int | None
    document: Document


Result = MidiResult | VideoResult | SeparationResult | FailedResult | UnknownResult
