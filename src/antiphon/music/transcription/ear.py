"""Ears: what hears the pitched notes of a sound, whichever network it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from antiphon.music.progress import Progress
from antiphon.music.transcription.leakage import Salience
from antiphon.music.transcription.notecreation import NoteEvent
from antiphon.music.transcription.sound import Sound

EarName = Literal["own", "basic_pitch"]
BASS, DRUMS, VOICE = "bass", "drums", "vocal"
"""Stems that are listened to in a way of their own; all others are the rest."""


@dataclass(frozen=True)
class Hearing:
    """What was heard in a sound. Frame k is at ``k * HOP / SAMPLE_RATE`` seconds.

    Attributes:
        events: The notes, in order of start and pitch.
        notes: How sure it is that a pitch sounds, (frames, 88), in 255ths.
        onsets: How sure it is that a note begins, of the same shape, in 255ths.
        level: RMS amplitude, (frames,).
    """

    events: list[NoteEvent]
    notes: NDArray[np.uint8]
    onsets: NDArray[np.uint8]
    level: NDArray[np.float32]

    @property
    def salience(self) -> Salience:
        return Salience(self.notes, self.level)

    @property
    def busy(self) -> float:
        """Seconds of notes for a second of song."""
        return sum(event.end - event.start for event in self.events) / max(len(self.level), 1)


class PitchedEar(Protocol):
    """What hears notes."""

    def listen(self, sound: Sound, *, progress: Progress) -> Hearing:
        """The notes of a sound by itself.

        Raises:
            NotAudio: A file cannot be decoded.
        """

    def band(self, stems: Mapping[str, Sound], *, progress: Progress) -> dict[str, Hearing]:
        """The notes of everything but voices, by stem: which of them are the bass's, and which the rest's. The drums
        are among ``stems`` if there are any, for what is struck may lie there; they have no notes.

        Raises:
            NotAudio: A file cannot be decoded.
        """
