"""The most probable path through states that follow each other in time (Viterbi 1967)."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def best_path(observed: Iterable[NDArray[np.float32]], moves: NDArray[np.float32]) -> NDArray[np.intp]:
    """The state in each frame. ``observed`` are blocks (frames, states) of log probabilities, which are not kept;
    ``moves`` (states, states), at most 256 states, are those of going from one (row) to another (column)."""
    states = np.arange(len(moves))
    score = np.zeros(len(moves), np.float32)
    blocks: list[NDArray[np.uint8]] = []
    for block in observed:
        came_from = np.zeros(block.shape, np.uint8)
        for frame, chance in enumerate(block):
            through = score[:, None] + moves
            best = through.argmax(axis=0)
            came_from[frame] = best
            score = through[best, states] + chance
        score -= score.max()
        blocks.append(came_from)
    path = np.zeros(sum(map(len, blocks)), np.intp)
    state, frame = int(score.argmax()), len(path)
    while blocks:
        for came_before in blocks.pop()[::-1]:
            frame -= 1
            path[frame] = state
            state = int(came_before[state])
    return path


def moves_between(
    pitches: int, *, change: float, switch: float, semitone: float = 0.0, leap: float = 0.0
) -> NDArray[np.float32]:
    """Log probabilities (pitches + 1, pitches + 1) of going from one pitch to another; the last state is silence, into
    and out of which it costs ``switch``. Another pitch costs ``change`` and ``semitone`` for each semitone, ``leap`` of
    these costs at most."""
    apart = np.abs(np.subtract.outer(np.arange(pitches), np.arange(pitches)))
    moves = -np.minimum(semitone * apart, leap) - change * (apart > 0)
    moves = np.pad(moves, (0, 1), constant_values=-switch)
    moves[-1, -1] = 0
    return moves.astype(np.float32)
