"""Velocity of pitched notes: how loud the stem gets with each.

The network's activation hardly depends on loudness. MIDI instruments make amplitude go with the square of velocity (the
General MIDI 2 recommendation, 40 log10 of velocity in dB); here that is inverted, against the song's loud notes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.notecreation import NoteEvent

ATTACK_FRAMES = 16
"""Frames from its start in which a note gets as loud as it gets."""
AVERAGE_FRAMES = 8
"""Frames (93 ms) over which power is averaged: two periods and more of the lowest notes."""
LOUD_VELOCITY, LOUD_PERCENTILE = 0.85, 90.0
"""The velocity of a stem's loud notes, and which they are."""
MIN_VELOCITY = 0.1
MAX_RESONANCE_DB, DOUBT_NOTES = 9.0, 2
"""dB by which an instrument, or the band of its stem, may make a pitch louder or softer than others, and how many notes
of a pitch it takes to believe half of what they say of that."""


def velocities(events: Sequence[NoteEvent], level: NDArray[np.float32]) -> list[float]:
    """Velocity 0–1 of each of the events, in order of start, of a stem with RMS amplitude ``level`` (frames,).

    Notes that sound together share the power, by their activations, so that a chord is not played harder than its
    notes would be one by one."""
    if not events:
        return []
    known = [event.level_db for event in events if event.level_db is not None]
    if len(known) == len(events):
        own = _evened(events, np.array(known))
    else:
        own = _evened(events, 10 * np.log10(_powers(events, level) * _shares(events) + 1e-12))
    under = own - np.percentile(own, LOUD_PERCENTILE)
    return [float(value) for value in np.clip(LOUD_VELOCITY * 10 ** (under / 40), MIN_VELOCITY, 1.0)]


def _evened(events: Sequence[NoteEvent], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels ``own`` in dB without what is the pitch's and not the player's: each pitch's median moves towards that of
    all notes."""
    pitches = np.array([event.pitch for event in events])
    evened = own.copy()
    for pitch in np.unique(pitches):
        here = pitches == pitch
        count = np.count_nonzero(here)
        louder = (np.median(own[here]) - np.median(own)) * count / (count + DOUBT_NOTES)
        evened[here] -= np.clip(louder, -MAX_RESONANCE_DB, MAX_RESONANCE_DB)
    return evened


def _powers(events: Sequence[NoteEvent], level: NDArray[np.float32]) -> NDArray[np.float64]:
    """The stem's highest power in each note's attack."""
    total = np.concatenate([[0.0], np.cumsum(np.square(level, dtype=np.float64))])
    width = min(AVERAGE_FRAMES, len(level))
    steady = (total[width:] - total[:-width]) / width
    return np.array(
        [
            steady[min(event.start, len(steady) - 1) :][
                : max(min(ATTACK_FRAMES, event.end - event.start) - width, 0) + 1
            ].max()
            for event in events
        ]
    )


def _shares(events: Sequence[NoteEvent]) -> NDArray[np.float64]:
    """Each note's share 0–1 of what sounds shortly after it begins."""
    starts = np.array([event.start for event in events])
    ends = np.array([event.end for event in events])
    weights = np.array([max(event.activation, 1e-3) for event in events])
    order = np.argsort(ends, kind="stable")
    begun = np.concatenate([[0.0], np.cumsum(weights)])
    ended = np.concatenate([[0.0], np.cumsum(weights[order])])
    after = starts + np.minimum(AVERAGE_FRAMES // 2, ends - starts - 1)
    sounding = begun[np.searchsorted(starts, after, "right")] - ended[np.searchsorted(ends[order], after, "right")]
    return np.asarray(weights / np.maximum(sounding, weights))
