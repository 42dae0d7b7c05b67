"""Keeps one note at a time, for voices that cannot sound two: singers and most bass lines."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.network import LOWEST_PITCH
from antiphon.music.transcription.notecreation import Activations, Event


def keep_one(
    events: Sequence[Event], notes: Activations, *, lowest: int = LOWEST_PITCH, steady: int = 7, shortest: int = 5
) -> list[Event]:
    """The events cut so that no two overlap: in each frame the one with the most note activation stays.

    ``notes`` is (frames, pitches), its first column the MIDI pitch ``lowest``. The activation is averaged over
    ``steady`` frames on either side, so that two notes do not take turns from frame to frame; of what is left of a
    note, pieces of fewer than ``shortest`` frames are dropped."""
    strongest = np.zeros(len(notes), np.float32)
    owner = np.full(len(notes), -1, np.int32)
    for index, event in enumerate(events):
        span = slice(event.start, event.end)
        strength = _steady(notes[span, event.pitch - lowest].astype(np.float32), steady)
        wins = strength > strongest[span]
        strongest[span][wins] = strength[wins]
        owner[span][wins] = index
    edges = np.flatnonzero(np.diff(owner)) + 1
    starts = np.concatenate([[0], edges]).tolist()
    ends = np.concatenate([edges, [len(owner)]]).tolist()
    return [
        replace(events[owner[start]], start=start, end=end)
        for start, end in zip(starts, ends, strict=True)
        if start < end and owner[start] >= 0 and end - start >= shortest
    ]


def join(
    events: Sequence[Event], onsets: Activations, *, lowest: int = LOWEST_PITCH, gap: int = 8, sure: float = 0.7
) -> list[Event]:
    """Monophonic ``events`` in order, with the pieces of held notes put together again: a note that follows one of the
    same pitch within ``gap`` frames is a new one only if its onset activation reaches ``sure``.

    Vibrato and vowels make a held note flicker. ``onsets`` is (frames, pitches), its first column the MIDI pitch
    ``lowest``."""
    joined: list[Event] = []
    for event in events:
        before = joined[-1] if joined else None
        if before and before.pitch == event.pitch and event.start - before.end <= gap:
            onset = onsets[max(event.start - 1, 0) : event.start + 2, event.pitch - lowest].max()
            if onset < sure:
                joined[-1] = replace(before, end=event.end, activation=max(before.activation, event.activation))
                continue
        joined.append(event)
    return joined


def _steady(values: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """Running mean over up to ``width`` values on either side."""
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    place = np.arange(len(values))
    first, last = np.maximum(place - width, 0), np.minimum(place + width + 1, len(values))
    mean: NDArray[np.float64] = (total[last] - total[first]) / (last - first)
    return mean
