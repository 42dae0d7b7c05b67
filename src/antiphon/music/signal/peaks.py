"""Peaks of sampled curves: local maxima, and where between the samples they are."""

import operator
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float16] | NDArray[np.float32] | NDArray[np.float64]
Plateau = Literal["all", "last", "none"]

_HIGHER: dict[Plateau, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "all": (operator.ge, operator.ge),
    "last": (operator.ge, operator.gt),
    "none": (operator.gt, operator.gt),
}
"""How a peak compares with what is before it and with what is after it."""


def local_maxima(values: Values, reach: int = 1, *, plateau: Plateau = "all") -> NDArray[np.bool_]:
    """Where ``values`` (frames, …) are the highest within ``reach`` frames on either side; same shape.

    Args:
        values: Curves over time; those of more than one dimension are looked at one by one.
        reach: Frames on either side. What lies beyond the ends counts as lower.
        plateau: Which of several equally high values are peaks.
    """
    above_earlier, above_later = _HIGHER[plateau]
    peak = np.ones(values.shape, np.bool_)
    for distance in range(1, min(reach, len(values) - 1) + 1):
        earlier, later = values[:-distance], values[distance:]
        peak[distance:] &= above_earlier(later, earlier)
        peak[:-distance] &= above_later(earlier, later)
    return peak


def parabolic_peaks(values: Values, frames: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where the peaks of ``values`` (n,) at ``frames`` are between frames: the vertices of the parabolas through each
    and its neighbours (Smith, "Spectral Audio Signal Processing", 2011), in frames. What is no peak, or has a
    neighbour on one side only, stays where it is."""
    inner = (frames > 0) & (frames < len(values) - 1)
    middle = frames[inner]
    before, at, after = (values[middle + offset].astype(np.float64) for offset in (-1, 0, 1))
    bend = before - 2 * at + after
    peak = (at >= before) & (at >= after) & (bend < 0)
    found = frames.astype(np.float64)
    found[inner] += np.where(peak, 0.5 * (before - after) / np.where(peak, bend, -1.0), 0.0)
    return found
