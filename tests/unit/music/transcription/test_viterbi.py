"""The best path."""

import numpy as np

from antiphon.music.transcription.viterbi import best_path, moves_between


def test_the_best_path_is_that_of_all_paths_and_blocks_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    observed = rng.normal(0, 2, (6, 4)).astype(np.float32)
    moves = moves_between(3, change=1.0, switch=2.0, semitone=0.3, leap=0.5)
    paths = np.stack(np.meshgrid(*[np.arange(4)] * 6, indexing="ij"), axis=-1).reshape(-1, 6)
    total = observed[np.arange(6), paths].sum(axis=1) + moves[paths[:, :-1], paths[:, 1:]].sum(axis=1)
    best = paths[total.argmax()].tolist()
    assert best_path([observed], moves).tolist() == best
    assert best_path([observed[:1], observed[1:3], observed[3:]], moves).tolist() == best


def test_nothing_has_no_path() -> None:
    assert len(best_path([], moves_between(3, change=1.0, switch=2.0))) == 0


def test_a_far_pitch_costs_more_than_a_near_one_up_to_a_leap() -> None:
    moves = moves_between(20, change=1.0, switch=2.0, semitone=0.5, leap=3.0)
    assert moves[5, 5] == 0
    assert moves[5, 6] == -1.5
    assert moves[5, 19] == -4.0
    assert moves[5, 20] == moves[20, 5] == -2.0
    assert moves[20, 20] == 0
