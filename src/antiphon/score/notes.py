"""Notes, grouped by instrument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One note. ``pitch`` is a MIDI note number 0–127 (for drums the General MIDI percussion key),
    ``start`` and ``end`` are seconds from the start of the audio, ``velocity`` is 0–1."""

    pitch: int
    start: float
    end: float
    velocity: float


@dataclass(frozen=True, slots=True)
class InstrumentPart:
    """All notes of one instrument in a song. ``name`` is a General MIDI Level 1 name, or ``Drums``;
    ``program`` is its 0-based program number (0 for drums)."""

    name: str
    program: int
    is_drum: bool
    notes: tuple[Note, ...]
