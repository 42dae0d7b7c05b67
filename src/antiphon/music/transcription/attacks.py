"""Puts the notes of a plucked voice where the string is plucked.

Low pitches take the network's filters a tenth of a second to tell, so that a bass note's onset wanders by as much. The
loudness of the stem knows better: a monophonic line has one attack for each note. This moves notes to real attacks
only, never to a grid.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.notecreation import Event

RISE = 3.0
"""Least rise of the level in dB over ``LAG`` frames that counts as an attack."""
LAG = 4
APART = 5
REACH = 9
"""Frames that a note may be moved to an attack; about the wander of the network's lowest octave."""
SHORTEST = 5


def attacks(level: NDArray[np.float32]) -> NDArray[np.intp]:
    """Frames, ascending, at which the level (frames,), an RMS amplitude, rises fastest."""
    if len(level) <= LAG:
        return np.zeros(0, np.intp)
    decibels = np.convolve(np.pad(20 * np.log10(level + 1e-5), 1, mode="edge"), np.ones(3) / 3, "valid")
    rise = np.zeros_like(decibels)
    rise[LAG // 2 : -LAG // 2] = decibels[LAG:] - decibels[:-LAG]
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(rise, APART, mode="edge"), 2 * APART + 1).max(axis=1)
    return np.flatnonzero((rise >= highest) & (rise > RISE))


def align(events: Sequence[Event], struck: NDArray[np.intp]) -> list[Event]:
    """Monophonic ``events`` in order, each moved to the nearest attack within ``REACH`` frames, and struck anew at
    every attack inside it. Where a note now begins, the one before it ends; what gets too short goes."""
    moved: list[Event] = []
    for event in events:
        near = struck[np.abs(struck - event.start) <= REACH]
        start = int(near[np.argmin(np.abs(near - event.start))]) if len(near) else event.start
        inside = struck[(struck > start + REACH) & (struck < event.end - SHORTEST)].tolist()
        borders = [start, *inside, event.end]
        if moved and moved[-1].end > start:
            moved[-1] = replace(moved[-1], end=start)
        moved += [replace(event, start=first, end=last) for first, last in pairwise(borders)]
    return [event for event in moved if event.end - event.start >= SHORTEST]
