"""Notes out of what the network says, with numpy alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.peaks import local_maxima
from antiphon.music.transcription.levels import MIN_PITCH, STEP_SECONDS

Activation = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NoteLimits:
    """Activations 0–1: a note begins at a peak of the onsets of at least ``onset`` and lasts while the frames stay over
    ``frame``; ``dip`` steps under it are forgiven, and notes shorter than ``shortest`` steps are dropped. A note that
    still sounds is struck again at a peak of at least ``again`` only."""

    onset: float = 0.5
    again: float = 0.0
    frame: float = 0.3
    dip: int = 2
    shortest: int = 1


@dataclass(frozen=True, slots=True)
class HeardNote:
    """A note in seconds, with its MIDI pitch and velocity 0–1."""

    start: float
    end: float
    pitch: int
    velocity: float


def peaks(onset: Activation, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Steps and columns of the local maxima over time of at least ``threshold``, in order of column, then of time."""
    peak = local_maxima(onset, plateau="last") & (onset >= threshold)
    columns, steps = np.nonzero(peak.T)
    return steps, columns


def times(onset: Activation, steps: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Seconds of peaks, between two steps where their neighbours say so: the middle of a bell through three points."""
    padded = np.pad(onset, ((1, 1), (0, 0)))
    near = (padded[steps + offset, columns].astype(np.float64) for offset in range(3))
    before, at, after = (np.log(np.maximum(one, 1e-4)) for one in near)
    bend = np.minimum(before - 2 * at + after, -1e-3)
    return np.asarray((steps + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) * STEP_SECONDS)


def notes(
    onset: Activation, frame: Activation, velocity: Activation, limits: NoteLimits | None = None
) -> list[HeardNote]:
    """The notes in activations (steps, PITCHES), in order of start and pitch. Those of one pitch never overlap."""
    limits = limits or NoteLimits()
    steps, columns = peaks(onset, limits.onset)
    struck = _struck(onset, frame, steps, columns, limits)
    steps, columns = steps[struck], columns[struck]
    seconds = times(onset, steps, columns)
    found = []
    for number, (step, column, start) in enumerate(
        zip(steps.tolist(), columns.tolist(), seconds.tolist(), strict=True)
    ):
        same = number + 1 < len(steps) and columns[number + 1] == column
        stop = int(steps[number + 1]) if same else len(frame)
        end = step + 1 + _lasts(frame[step + 1 : stop, column], limits)
        if end - step >= limits.shortest:
            last = float(seconds[number + 1]) if same else np.inf
            end_time = min(max((end - 0.5) * STEP_SECONDS, start + STEP_SECONDS), last)
            found.append(HeardNote(start, end_time, column + MIN_PITCH, float(velocity[step, column])))
    return sorted(found, key=lambda one: (one.start, one.pitch))


def _struck(
    onset: Activation, frame: Activation, steps: NDArray[np.intp], columns: NDArray[np.intp], limits: NoteLimits
) -> NDArray[np.bool_]:
    """Which of the peaks begin a note: not those that are too low for a note that has sounded until then."""
    struck = onset[steps, columns] >= limits.again
    before = -1
    for number, (step, column) in enumerate(zip(steps.tolist(), columns.tolist(), strict=True)):
        if not struck[number]:
            same = before >= 0 and columns[before] == column
            struck[number] = not same or frame[steps[before] : step, column].min() < limits.frame
        if struck[number]:
            before = number
    return np.asarray(struck)


def _lasts(frame: Activation, limits: NoteLimits) -> int:
    """How many steps a note goes on."""
    silent = np.flatnonzero(np.append(frame, -1.0) < limits.frame)
    if len(silent) == len(frame) + 1:
        return 0
    sounding = np.flatnonzero(frame >= limits.frame)
    if not len(sounding) or sounding[0] > limits.dip:
        return 0
    gaps = np.flatnonzero(np.diff(sounding) > limits.dip + 1)
    return int(sounding[gaps[0]] if len(gaps) else sounding[-1]) + 1
