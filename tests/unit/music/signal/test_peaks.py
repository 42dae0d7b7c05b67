"""Local maxima, and where between the samples they are."""

import numpy as np
import pytest

from antiphon.music.signal.peaks import Plateau, local_maxima, parabolic_peaks


def found(values: list[float], reach: int = 1, plateau: Plateau = "all") -> list[int]:
    return np.flatnonzero(local_maxima(np.array(values, np.float32), reach, plateau=plateau)).tolist()


def test_a_peak_is_the_highest_within_its_reach() -> None:
    values = [0.0, 3, 1, 2, 1, 0, 1.5]
    assert found(values) == [1, 3, 6]
    assert found(values, 2) == [1, 6]
    assert found(values, 9) == [1]


@pytest.mark.parametrize(("plateau", "peaks"), [("all", [1, 2, 3]), ("last", [3]), ("none", [])])
def test_of_a_plateau_all_the_last_or_none_is_a_peak(plateau: Plateau, peaks: list[int]) -> None:
    assert found([0, 2, 2, 2, 0], plateau=plateau) == peaks


def test_curves_side_by_side_are_looked_at_one_by_one() -> None:
    curves = np.array([[0, 5], [1, 4], [0, 3]], np.float16)
    assert local_maxima(curves).tolist() == [[False, True], [True, False], [False, False]]


@pytest.mark.parametrize("reach", [1, 5])
def test_the_shortest_curves_have_peaks_too(reach: int) -> None:
    assert found([], reach) == []
    assert found([1], reach) == [0]
    assert found([1, 2], reach) == [1]


@pytest.mark.parametrize("vertex", [6.6, 7.0, 7.3])
def test_the_peak_of_a_parabola_is_found_between_frames(vertex: float) -> None:
    values = 5 - (np.arange(15) - vertex) ** 2
    assert parabolic_peaks(values, np.array([7])) == pytest.approx([vertex])


def test_what_is_no_peak_or_lies_at_an_end_stays_where_it_is() -> None:
    slope = np.array([9, 4, 3, 1, 3, 8], np.float32)
    frames = np.array([0, 1, 3, 5])
    assert parabolic_peaks(slope, frames).tolist() == [0, 1, 3, 5]
    assert parabolic_peaks(np.ones(4, np.float16), np.array([1, 2])).tolist() == [1, 2]
