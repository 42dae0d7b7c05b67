"""Puts the notes of a plucked voice where the string is plucked.

Low pitches take a third of a second to tell, so that a bass note's onset wanders. What rises when a string is plucked
knows better: a line of one note at a time has one attack for each. This moves notes to real attacks only, never to a
grid.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.notecreation import NoteEvent

APART = 5
REACH = 9
"""Frames that a note may be moved to an attack; about the wander of the lowest octave."""
INSIDE = 6
"""Frames after the start of a note from which it may be struck again."""
MIN_NOTE_FRAMES = 5


def rise(values: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """How much ``values`` (frames,) grow over ``lag`` frames around each."""
    grown = np.zeros_like(values)
    if len(values) > lag:
        grown[lag // 2 : lag // 2 + len(values) - lag] = values[lag:] - values[:-lag]
    return grown


def peaks(strength: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Frames, ascending, whose strength is over ``least`` and the highest within ``APART`` frames."""
    if not len(strength):
        return np.zeros(0, np.intp)
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(strength, APART, mode="edge"), 2 * APART + 1).max(axis=1)
    return np.flatnonzero((strength >= highest) & (strength > least))


def align(events: Sequence[NoteEvent], struck: NDArray[np.intp]) -> list[NoteEvent]:
    """Monophonic ``events`` in order, each moved to the nearest attack within ``REACH`` frames, and struck anew at
    every attack inside it. Where a note now begins, the one before it ends; what gets too short goes."""
    moved: list[NoteEvent] = []
    for event in events:
        near = struck[np.abs(struck - event.start) <= REACH]
        start = int(near[np.argmin(np.abs(near - event.start))]) if len(near) else event.start
        inside = struck[(struck > start + INSIDE) & (struck < event.end - MIN_NOTE_FRAMES)].tolist()
        borders = [start, *inside, event.end]
        if moved and moved[-1].end > start:
            moved[-1] = replace(moved[-1], end=start)
        moved += [replace(event, start=first, end=last) for first, last in pairwise(borders)]
    return [event for event in moved if event.end - event.start >= MIN_NOTE_FRAMES]
