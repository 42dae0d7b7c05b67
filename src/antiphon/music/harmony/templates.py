"""What chords and keys sound like: weights on the pitch classes, the same for each root; ``MODEL_CARD.md`` tells what
they were learnt from."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.pitchbands import CHROMA

WEIGHTS = "templates.npz"
QUALITIES = ("", "m", "7")
"""Major, minor and dominant seventh chords, in the order of the states."""
STATES = len(QUALITIES) * 12 + 1
"""Chords by quality and root, and last that there is none."""
MODES = ("major", "minor")
KEY_FEATURES = CHROMA + STATES - 1
NONE_FEATURES = 5
MIN_NORM = 1e-3

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ToneTemplates:
    """``chords`` (qualities, CHROMA) and ``chord_biases`` are for the root C; ``none`` (NONE_FEATURES,) weighs how
    little sounds; ``keys`` (modes, KEY_FEATURES) and ``key_biases`` are for the tonic C."""

    chords: Frames
    chord_biases: Frames
    none: Frames
    keys: Frames
    key_biases: Frames


@cache
def templates() -> ToneTemplates:
    """The weights beside this module."""
    with (files(__package__) / WEIGHTS).open("rb") as file:
        body = np.load(file)
        return ToneTemplates(**{name: body[name].astype(np.float64) for name in body.files})


def chord_scores(found: Frames, weights: ToneTemplates) -> Frames:
    """Scores (beats, STATES), logarithms of probabilities but for a constant, of a harmony (beats, CHROMA + 1)."""
    unit = unit_chroma(found)
    scores = np.empty((len(found), STATES))
    for quality, (template, bias) in enumerate(zip(weights.chords, weights.chord_biases, strict=True)):
        for root in range(12):
            scores[:, quality * 12 + root] = unit @ rolled(template, root) + bias
    scores[:, -1] = none_features(found) @ weights.none
    return scores


def unit_chroma(found: Frames) -> Frames:
    """The chroma of a harmony (beats, CHROMA + 1), of length 1 or less where little sounds."""
    tones = found[:, :-1]
    unit: Frames = tones / (np.linalg.norm(tones, axis=1, keepdims=True) + MIN_NORM)
    return unit


def none_features(found: Frames) -> Frames:
    """How much of a harmony (beats, CHROMA + 1) stands out, how peaked it is, how loud, and 1;
    (beats, NONE_FEATURES)."""
    norm = np.linalg.norm(found[:, :-1], axis=1)
    peaked = found[:, :12].max(axis=1, initial=0.0) / (norm + MIN_NORM)
    quiet = np.clip(found[:, -1] / 20, -3, 0)
    return np.stack([np.log(norm + MIN_NORM), peaked, quiet, np.square(quiet), np.ones(len(found))], axis=1)


def key_scores(found: Frames, chosen: Frames, weights: ToneTemplates) -> Frames:
    """Scores (beats, 24) by mode and tonic, of a harmony (beats, CHROMA + 1) and of chords' probabilities
    (beats, STATES)."""
    features = key_features(found, chosen)
    scores = np.empty((len(found), 24))
    for mode, (template, bias) in enumerate(zip(weights.keys, weights.key_biases, strict=True)):
        for tonic in range(12):
            scores[:, mode * 12 + tonic] = features @ rolled(template, tonic) + bias
    return scores


def key_features(found: Frames, chosen: Frames) -> Frames:
    """(beats, KEY_FEATURES): the chroma, and the chords."""
    return np.concatenate([unit_chroma(found), chosen[:, :-1]], axis=1)


def rolled(template: Frames, semitones: int) -> Frames:
    """A ``template`` of whole octaves of pitch classes, so many ``semitones`` higher."""
    return np.roll(template.reshape(-1, 12), semitones, axis=1).ravel()
