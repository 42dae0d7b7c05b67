"""Assignment of each note to the stem in which it sounds: separation leaves a bit of every stem in the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.levels import MIN_PITCH
from antiphon.music.transcription.notecreation import NoteEvent

BEGINNING_FRAMES = 12
"""Frames from the start of a note over which stems are compared: later on it may share its pitch with another."""


@dataclass(frozen=True, slots=True)
class Salience:
    """How sure it is of each pitch of a stem, and how loud the stem is: ``notes`` (frames, 88) are
    activations in 255ths, ``level`` (frames,) RMS amplitudes. 92 bytes a frame."""

    notes: NDArray[np.uint8]
    level: NDArray[np.float32]

    def activation(self, event: NoteEvent) -> float:
        """Mean activation 0–1 of the note's pitch over its beginning; 0 past the end of the stem."""
        heard = self.notes[event.start : min(event.start + BEGINNING_FRAMES, event.end), event.pitch - MIN_PITCH]
        return float(heard.mean()) / 255 if len(heard) else 0.0

    def of(self, event: NoteEvent) -> float:
        """The activation, and the louder the stem the more."""
        return self.activation(event) * self.loudness(event)

    def loudness(self, event: NoteEvent) -> float:
        """Square root of the mean RMS amplitude over the note's beginning; 0 past the end of the stem."""
        meanwhile = self.level[event.start : event.start + BEGINNING_FRAMES]
        return float(np.sqrt(meanwhile.mean())) if len(meanwhile) else 0.0


def owned(
    events: Iterable[NoteEvent],
    own: Salience,
    others: Sequence[Salience],
    *,
    margin: float,
    heard_elsewhere: bool = False,
) -> list[NoteEvent]:
    """The events that are more salient in their ``own`` stem than in any of the ``others``, in which they may be
    ``margin`` times as salient at most. Of events that were ``heard_elsewhere`` than in the stem's own activations,
    their own stem's loudness is compared alone."""
    kept = []
    for event in events:
        strength = own.loudness(event) if heard_elsewhere else own.of(event)
        if all(other.of(event) <= margin * max(strength, 1e-9) for other in others):
            kept.append(event)
    return kept
