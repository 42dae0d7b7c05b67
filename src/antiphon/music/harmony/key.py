"""Key of a song: the tonic and mode whose tones and chords sound most; another from where that is sure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.harmony.templates import MODES, chord_scores, key_scores, templates
from antiphon.music.signal.viterbi import best_path, runs

CHANGE_COST = 6.0
"""Cost of a change of key from one beat to the next, in scores of a whole song."""
BEATS_OF_A_SONG = 32.0
"""So many beats of a key weigh as much as the score of a whole song."""
MIN_BEATS = 4
"""Beats of tones without which there is no key."""
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
FLAT_MAJORS = frozenset((1, 3, 5, 8, 10))
"""Tonics of the major keys that are written with flats."""

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Key:
    """The key from ``start`` to ``end`` in seconds; ``tonic`` is a pitch class, ``mode`` one of ``MODES``."""

    start: float
    end: float
    tonic: int
    mode: str

    @property
    def is_flat(self) -> bool:
        """Whether it is written with flats."""
        return (self.tonic + (3 if self.mode == "minor" else 0)) % 12 in FLAT_MAJORS

    @property
    def name(self) -> str:
        return f"{self.spelled(self.tonic)} {self.mode}"

    def spelled(self, pitch_class: int) -> str:
        """A pitch class as this key writes it."""
        return (FLATS if self.is_flat else SHARPS)[pitch_class]


def keys(borders: Frames, harmony: Frames, bar_starts: Sequence[int]) -> list[Key]:
    """The key of a song, or several one after another, which begin with bars; none where too little sounds.

    Args:
        borders: Seconds of the beats, and of the last one's end; (beats + 1,).
        harmony: (beats, CHROMA + 1), as ``chords`` has it.
        bar_starts: The beats that begin bars, ascending.
    """
    scores = chord_scores(harmony, templates())
    likely = np.exp(scores - scores.max(axis=1, initial=-np.inf, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    sounds = scores[:, :-1].max(axis=1, initial=-np.inf) > scores[:, -1]
    if sounds.sum() < MIN_BEATS:
        return []
    found = np.where(sounds[:, None], key_scores(harmony, likely, templates()), 0.0)
    moves = np.full((24, 24), -CHANGE_COST)
    np.fill_diagonal(moves, 0.0)
    states = best_path([found / BEATS_OF_A_SONG], moves).states
    spans = runs(states)
    edges = [
        0,
        *(min(bar_starts, key=lambda bar: abs(bar - first), default=first) for first, _ in spans[1:]),
        len(found),
    ]
    return [
        Key(float(borders[first]), float(borders[last]), int(states[span[0]]) % 12, MODES[int(states[span[0]]) // 12])
        for span, first, last in zip(spans, edges[:-1], edges[1:], strict=True)
        if first < last
    ]
