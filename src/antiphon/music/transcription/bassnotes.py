"""The bass's notes among those of a band: low ones that are struck clearly and have nothing under them.

How likely a note is the bass's was learnt (logistic regression) on composed pieces after their separation, played by
other sounds than the network's training (``training/transcription``): 0.88 of F1 note by note.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.levels import MIN_PITCH
from antiphon.music.transcription.notecreation import NoteEvent

PITCH_WEIGHT, ONSET_WEIGHT, UNDER_WEIGHT, BIAS = -0.298, 10.29, -3.59, 4.32
"""Of the MIDI pitch, of the onset's activation, and of the highest activation of the pitches under the note."""
MAX_PITCH = 67
MIN_LIKELIHOOD = 0.5
TOGETHER_FRAMES = 4
"""Frames within which two notes begin at once: one of them is not the bass's."""
MIN_MEAN_LIKELIHOOD, MIN_BUSY_SHARE = 0.76, 0.2
"""How sure the notes of a bass are in the mean, and the share of the song in which they sound; what falls short of
either are low notes of other instruments. Basses have 0.79 and 0.24 or more, songs without one less of either."""
MIN_NOTE_FRAMES = 3


def likelihoods(
    events: Sequence[NoteEvent], notes: NDArray[np.uint8], onsets: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """How likely each of the ``events`` is the bass's, 0–1, by the activations (frames, 88) in 255ths."""
    features = np.zeros((len(events), 4))
    for row, event in zip(features, events, strict=True):
        column = event.pitch - MIN_PITCH
        last = min(max(event.end, event.start + 16), len(notes))
        under = notes[event.start : last, : max(column - 1, 0)].mean(axis=0).max(initial=0)
        struck = onsets[max(event.start - 3, 0) : event.start + 4, column].max(initial=0)
        row[:] = event.pitch, struck / 255, under / 255, 1
    return np.asarray(1 / (1 + np.exp(-features @ np.array([PITCH_WEIGHT, ONSET_WEIGHT, UNDER_WEIGHT, BIAS]))))


def line(events: Sequence[NoteEvent], strengths: Sequence[float]) -> list[NoteEvent]:
    """Events in order as a line of one note at a time: of those that begin at once the one with the highest strength,
    each ended by the next."""
    kept: list[tuple[NoteEvent, float]] = []
    for event, strength in zip(events, strengths, strict=True):
        if kept and event.start - kept[-1][0].start < TOGETHER_FRAMES:
            if strength > kept[-1][1]:
                kept[-1] = event, strength
        else:
            kept.append((event, strength))
    alone = [event for event, _ in kept]
    ended = [replace(event, end=min(event.end, following.start)) for event, following in pairwise(alone)] + alone[-1:]
    return [event for event in ended if event.end - event.start >= MIN_NOTE_FRAMES]


def split(
    events: Sequence[NoteEvent], notes: NDArray[np.uint8], onsets: NDArray[np.uint8]
) -> tuple[list[NoteEvent], list[NoteEvent]]:
    """The bass's notes and the others; none of the bass's where no bass plays."""
    chances = likelihoods(events, notes, onsets).tolist()
    low = [
        (event, chance)
        for event, chance in zip(events, chances, strict=True)
        if chance > MIN_LIKELIHOOD and event.pitch <= MAX_PITCH
    ]
    bass = line([event for event, _ in low], [chance for _, chance in low])
    sure = float(np.mean([chance for _, chance in low])) if low else 0.0
    busy = sum(event.end - event.start for event in bass) / max(len(notes), 1)
    if sure < MIN_MEAN_LIKELIHOOD or busy < MIN_BUSY_SHARE:
        return [], list(events)
    taken = {event for event, _ in low}
    return bass, [event for event in events if event not in taken]
