"""A small convolutional network that hears, beat by beat, whether a bar begins, whether these are the beats that are
felt, and whether each has three parts; ``MODEL_CARD.md`` tells what it learnt from."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

WEIGHTS = "judge.npz"

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BeatVerdict:
    """``down`` (beats,): the logit of a bar's beginning on each beat. ``felt`` and ``compound`` are logits of the whole
    song: that these beats are the felt ones, and that each has three parts."""

    down: Frames
    felt: float
    compound: float


def judge(features: NDArray[np.float32]) -> BeatVerdict:
    """What the network says of beats with these ``features``, (beats, FEATURES)."""
    weights = _weights()
    hidden = features
    for layer in ("first", "second"):
        hidden = np.maximum(_convolved(hidden, weights[f"{layer}_kernel"]) + weights[f"{layer}_bias"], 0)
    said = hidden @ weights["out_kernel"] + weights["out_bias"]
    return BeatVerdict(said[:, 0].astype(np.float64), float(said[:, 1].mean()), float(said[:, 2].mean()))


def _convolved(values: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """``values`` (beats, in) with a ``kernel`` (width, in, out) centred on each beat; zeros lie beyond the ends."""
    width = len(kernel)
    padded = np.pad(values, ((width // 2, width // 2), (0, 0)))
    found: NDArray[np.float32] = sum(padded[place : place + len(values)] @ kernel[place] for place in range(width))
    return found


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    with (files(__package__) / WEIGHTS).open("rb") as file:
        body = np.load(file)
        return {name: body[name].astype(np.float32) for name in body.files}
