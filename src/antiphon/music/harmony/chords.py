"""Chords of a song: the best path through major, minor and seventh chords and none, a beat a step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.harmony.templates import QUALITIES, STATES, chord_scores, templates
from antiphon.music.signal.viterbi import best_path, runs

CHANGE_COST = 3.0
"""Cost of a change of chord from one beat to the next."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord from ``start`` to ``end`` in seconds. ``root`` is a pitch class, ``quality`` one of ``QUALITIES``; both
    are None where no chord sounds."""

    start: float
    end: float
    root: int | None
    quality: str | None


def chords(borders: Frames, harmony: Frames) -> list[Chord]:
    """Chords by the ``harmony`` (beats, CHROMA + 1): the chroma from each beat to the next, and its level in dB.
    ``borders`` (beats + 1,) are the seconds of the beats and of the last one's end."""
    if not len(harmony):
        return []
    found = states(harmony)
    return [
        Chord(float(borders[first]), float(borders[last]), *_named(int(found[first]))) for first, last in runs(found)
    ]


def states(harmony: Frames) -> NDArray[np.intp]:
    """The state of each beat, (beats,)."""
    moves = np.full((STATES, STATES), -CHANGE_COST)
    np.fill_diagonal(moves, 0.0)
    return best_path([chord_scores(harmony, templates())], moves).states


def _named(state: int) -> tuple[int | None, str | None]:
    return (None, None) if state == STATES - 1 else (state % 12, QUALITIES[state // 12])
