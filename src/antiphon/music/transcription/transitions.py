"""Costs of moving between pitches and silence, for the best path of a line that plays one note at a time."""

import numpy as np
from numpy.typing import NDArray


def pitch_moves(
    pitches: int, *, change: float, switch: float, semitone: float = 0.0, leap: float = 0.0
) -> NDArray[np.float32]:
    """Log probabilities (pitches + 1, pitches + 1) of going from one pitch to another; the last state is silence.

    Args:
        pitches: How many there are, a semitone apart.
        change: Cost of another pitch.
        switch: Cost of beginning, and of ending.
        semitone: Cost of each semitone to another pitch, on top of ``change``.
        leap: The most that the semitones cost.
    """
    apart = np.abs(np.subtract.outer(np.arange(pitches), np.arange(pitches)))
    moves = -np.minimum(semitone * apart, leap) - change * (apart > 0)
    moves = np.pad(moves, (0, 1), constant_values=-switch)
    moves[-1, -1] = 0
    return moves.astype(np.float32)
