"""Best path through states that follow each other in time (Viterbi 1967)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_STATES = 256
"""A state is kept as one byte: an hour of 86 frames a second takes 310 KB a state."""

Scores = NDArray[np.float32] | NDArray[np.float64]


class Path(NamedTuple):
    """The state in each frame, (frames,), and the path's score: the sum of its observations and moves."""

    states: NDArray[np.intp]
    score: float


def best_path(observed: Iterable[Scores], moves: Scores) -> Path:
    """The path with the highest score; of equally good ways into a state the one that stayed in it, else that from the
    lowest state.

    Args:
        observed: Blocks (frames, states) of scores, such as log probabilities. A block is not kept.
        moves: Scores (states, states) of going from one state (row) to another (column), ``-inf`` where that cannot
            be. The first frame is reached by a move, too, from whichever state is best.

    Raises:
        ValueError: There are more than ``MAX_STATES`` states.
    """
    if len(moves) > MAX_STATES:
        raise ValueError(f"expected at most {MAX_STATES} states, got {len(moves)}")
    states = np.arange(len(moves))
    into = np.ascontiguousarray(moves.T)
    score, reached = np.zeros(len(moves), moves.dtype), 0.0
    blocks: list[NDArray[np.uint8]] = []
    for block in observed:
        came_from = np.zeros(block.shape, np.uint8)
        for frame, seen in enumerate(block):
            through = score + into
            best = through.argmax(axis=1)
            highest = through[states, best]
            came_from[frame] = np.where(through.diagonal() == highest, states, best)
            score = highest + seen
        # Kept near 0, where single precision is fine.
        reached += float(score.max())
        score -= score.max()
        blocks.append(came_from)
    return Path(_followed_back(blocks, int(score.argmax())), reached)


def _followed_back(blocks: list[NDArray[np.uint8]], state: int) -> NDArray[np.intp]:
    """The states before ``state``, the last one, and itself. Uses ``blocks`` up, whose rows say of each state which
    one came before it."""
    path = np.zeros(sum(map(len, blocks)), np.intp)
    frame = len(path)
    while blocks:
        for came_from in blocks.pop()[::-1]:
            frame -= 1
            path[frame] = state
            state = int(came_from[state])
    return path


def runs(states: NDArray[np.integer] | NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Spans ``[start, end)`` of ``states`` (frames,) in which the state does not change, in order of time."""
    if not len(states):
        return []
    edges = (np.flatnonzero(np.diff(states)) + 1).tolist()
    return list(zip([0, *edges], [*edges, len(states)], strict=True))
