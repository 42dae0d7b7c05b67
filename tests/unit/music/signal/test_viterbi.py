"""The best path."""

import numpy as np
import pytest

from antiphon.music.signal.viterbi import MAX_STATES, Scores, best_path, runs


def best_of_all(observed: Scores, moves: Scores) -> tuple[list[int], float]:
    """The best path by trying every one."""
    frames, states = observed.shape
    paths = np.stack(np.meshgrid(*[np.arange(states)] * frames, indexing="ij"), axis=-1).reshape(-1, frames)
    total = observed[np.arange(frames), paths].sum(axis=1) + moves[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    return paths[total.argmax()].tolist(), float(total.max())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("single", [False, True])
def test_the_best_path_is_that_of_all_paths_and_blocks_do_not_matter(seed: int, single: bool) -> None:
    rng = np.random.default_rng(seed)
    observed: Scores = rng.normal(0, 2, (6, 4))
    moves: Scores = np.minimum(np.eye(4) * 99 - rng.exponential(1.5, (4, 4)), 0)
    if single:
        observed, moves = observed.astype(np.float32), moves.astype(np.float32)
    states, score = best_of_all(observed, moves)
    for blocks in ([observed], [observed[:1], observed[1:3], observed[3:]]):
        found = best_path(blocks, moves)
        assert found.states.tolist() == states
        assert found.score == pytest.approx(score, rel=1e-5)


def test_what_cannot_be_is_never_on_the_path() -> None:
    moves = np.full((3, 3), -np.inf)
    moves[np.arange(3), [1, 2, 0]] = 0  # each state is followed by the next alone
    observed = np.zeros((7, 3))
    observed[2, 1] = 1
    assert best_path([observed], moves).states.tolist() == [2, 0, 1, 2, 0, 1, 2]


def test_of_equally_good_ways_the_path_stays_where_it_is_going() -> None:
    observed = np.array([[0, -9], [-4, -4], [-4, -4], [-9, 0]], np.float64)
    moves = np.array([[0, -1], [-1, 0]], np.float64)
    assert best_path([observed], moves).states.tolist() == [0, 1, 1, 1]


def test_nothing_has_no_path() -> None:
    found = best_path([], np.zeros((4, 4), np.float32))
    assert len(found.states) == 0
    assert found.score == 0


def test_more_states_than_a_byte_tells_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 256 states, got 257"):
        best_path([], np.zeros((MAX_STATES + 1, MAX_STATES + 1), np.float32))


def test_runs_are_the_spans_without_a_change() -> None:
    assert runs(np.array([4, 4, 7, 4, 4, 4])) == [(0, 2), (2, 3), (3, 6)]
    assert runs(np.array([True, False, False])) == [(0, 1), (1, 3)]
    assert runs(np.array([5])) == [(0, 1)]
    assert runs(np.zeros(0, np.intp)) == []
