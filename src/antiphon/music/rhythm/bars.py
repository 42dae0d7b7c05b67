"""Bars: a count of the beats, by what the judge says of them.

The best path counts through bars of one length; it may begin a bar anew early, or go over to another length, at a cost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.judge import BeatVerdict
from antiphon.music.signal.viterbi import best_path
from antiphon.score.tempomap import Meter

SIMPLE, COMPOUND = (3, 4, 5, 6, 7), (2, 4)
"""Lengths of bars in beats, where a beat has two parts and where it has three."""
LENGTH_SCORES = {2: -3.0, 3: -3.0, 4: 0.0, 5: -6.0, 6: -8.0, 7: -7.0}
"""How likely each length is before anything is heard, as a logarithm."""
SHORT_BAR_COST, CHANGE_COST = 9.0, 12.0
"""Cost of a bar that ends early, and of another length of bars from there on."""
MAX_DOWN = 3.0
"""The judge is not surer of a bar's beginning than this logit: a few bars must not move the rest of a song."""
COMPOUND_WEIGHT = 1.0
"""Weight of the judge's word on the parts of a beat."""
MIN_EIGHTHS_BPM = 160.0
"""The tempo from which on the seven beats of a bar are eighths, not quarters."""


Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bars:
    """``meter`` of most bars; ``positions`` (beats,) counts the beats of each bar from 0; ``score`` says for each beat
    how well they fit."""

    meter: Meter
    positions: NDArray[np.intp]
    score: float


def count(verdict: BeatVerdict, bpm: float) -> Bars:
    """The bars of a song of ``bpm`` beats a minute."""
    fits = {
        is_compound: _counted(verdict.down, lengths) for is_compound, lengths in ((False, SIMPLE), (True, COMPOUND))
    }
    said = COMPOUND_WEIGHT * verdict.compound
    # The logarithms of the two probabilities differ by the logit.
    is_compound = fits[True][2] + said > fits[False][2]
    length, positions, score = fits[is_compound]
    return Bars(_meter(length, bpm, is_compound=is_compound), positions, score / len(positions))


def _meter(beats: int, bpm: float, *, is_compound: bool) -> Meter:
    if is_compound:
        return Meter(3 * beats, 8, beats)
    eighths = beats == 6 or (beats == 7 and bpm >= MIN_EIGHTHS_BPM)
    return Meter(beats, 8 if eighths else 4, beats)


def _counted(down: Frames, lengths: tuple[int, ...]) -> tuple[int, NDArray[np.intp], float]:
    """The length of most bars, the positions in them, and the path's score."""
    states = [(length, position) for length in lengths for position in range(length)]
    starts = [order for order, (_, position) in enumerate(states) if position == 0]
    moves = np.full((len(states), len(states)), -np.inf)
    for order, (length, position) in enumerate(states):
        for start in starts:
            other = states[start][0]
            whole = position == length - 1
            cost = (0.0 if whole else SHORT_BAR_COST) + (0.0 if other == length else CHANGE_COST)
            moves[order, start] = -cost
        if position < length - 1:
            moves[order, order + 1] = 0.0
    seen = np.empty((len(down), len(states)))
    sure = np.clip(down, -MAX_DOWN, MAX_DOWN)
    begins, goes_on = _log_sigmoid(sure), _log_sigmoid(-sure)
    for order, (_, position) in enumerate(states):
        seen[:, order] = begins if position == 0 else goes_on
    first = np.array([LENGTH_SCORES[length] for length, _ in states])
    seen[0] += first
    path = best_path([seen], moves)
    counted = np.array([states[state] for state in path.states])
    length = int(np.bincount(counted[:, 0]).argmax())
    return length, counted[:, 1], path.score


def _log_sigmoid(logits: Frames) -> Frames:
    found: Frames = -np.logaddexp(0, -np.asarray(logits))
    return found
