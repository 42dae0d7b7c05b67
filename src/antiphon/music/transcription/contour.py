"""Pitch of one voice over time, from the contours of the Basic Pitch network.

The most probable path (Viterbi) through the network's contours, with a state for silence; for the idea see Mauch and
Dixon, "pYIN", ICASSP 2014, here with the network's contours as the observation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.viterbi import best_path
from antiphon.music.transcription.network import CONTOUR_BINS
from antiphon.music.transcription.notecreation import Activations
from antiphon.music.transcription.transitions import pitch_moves

BLOCK_FRAMES = 4096
"""Frames whose observations are held at once."""
MIN_ACTIVATION = 1e-3


@dataclass(frozen=True, slots=True)
class Follow:
    """Costs are natural logarithms of probabilities. ``unsung`` is the activation that the strongest pitch has to beat
    for a frame to be sung, ``quiet`` how many dB under the loud passages a frame counts as silence instead. To begin
    or to end costs ``switch``; to change the pitch costs ``change`` and ``semitone`` for each semitone, ``leap`` of
    these at most."""

    unsung: float = 0.2
    quiet: float = 22.0
    switch: float = 2.0
    change: float = 0.5
    semitone: float = 0.1
    leap: float = 4.0


QUIET_ACTIVATION = 0.9
"""The activation that a pitch would need in a quiet frame."""


def follow(
    contours: Activations, level: NDArray[np.float32], *, lowest: int, costs: Follow | None = None
) -> NDArray[np.float32]:
    """Pitch of a voice in each frame, in fractional MIDI numbers, NaN where nothing sounds: (frames,).

    Args:
        contours: Activations (frames, 3 * pitches) of thirds of a semitone, from the lowest up.
        level: RMS amplitude, (frames,).
        lowest: MIDI pitch of the first three columns.
        costs: What changes of pitch cost.
    """
    costs = costs or Follow()
    if not len(contours):
        return np.zeros(0, np.float32)
    pitches = contours.shape[1] // CONTOUR_BINS
    moves = pitch_moves(pitches, change=costs.change, switch=costs.switch, semitone=costs.semitone, leap=costs.leap)
    path = best_path(_observed(contours, _unsung(level, costs)), moves).states
    return _refined(contours, np.where(path < pitches, path, -1), lowest)


def loud(level: NDArray[np.float32], silent: float = -60.0) -> float:
    """Level in dB of the loud passages: the 95th percentile of the frames that are not ``silent``."""
    decibels = 20 * np.log10(level + 1e-10)
    sounding = decibels[decibels >= silent]
    return float(np.percentile(sounding, 95)) if len(sounding) else silent


def _unsung(level: NDArray[np.float32], costs: Follow) -> NDArray[np.float32]:
    """Log probability that a frame is not sung."""
    quiet = 20 * np.log10(level + 1e-10) < loud(level) - costs.quiet
    return np.log(np.where(quiet, QUIET_ACTIVATION, costs.unsung)).astype(np.float32)


def _observed(contours: Activations, unsung: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Blocks of the log probabilities of each pitch, and of silence in the last column."""
    for first in range(0, len(contours), BLOCK_FRAMES):
        block = contours[first : first + BLOCK_FRAMES].astype(np.float32)
        sounding = np.log(block.reshape(len(block), -1, CONTOUR_BINS).max(axis=2) + MIN_ACTIVATION)
        yield np.column_stack([sounding, unsung[first : first + BLOCK_FRAMES]])


def _refined(contours: Activations, path: NDArray[np.intp], lowest: int) -> NDArray[np.float32]:
    """The path's pitch as the centre of the activation around it, within two thirds of a semitone."""
    pitch = np.full(len(path), np.nan, np.float32)
    frames = np.flatnonzero(path >= 0)
    middle = CONTOUR_BINS * path[frames] + CONTOUR_BINS // 2
    around = np.clip(middle[:, None] + np.arange(-2, 3), 0, contours.shape[1] - 1)
    weight = np.square(contours[frames[:, None], around].astype(np.float32)) + 1e-9
    centre = (around * weight).sum(axis=1) / weight.sum(axis=1)
    pitch[frames] = lowest + (centre - CONTOUR_BINS // 2) / CONTOUR_BINS
    return pitch
