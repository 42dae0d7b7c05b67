"""What the network should say of a scene: what can be heard is asked for, what can barely be heard is left open."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.levels import HOP, MIN_PITCH, PITCHES, SAMPLE_RATE, STEP_SECONDS, Floats
from training.transcription.bank import END, LEVELS, OFFSET, ONSET, PITCH, VELOCITY, partial_bins

WIDTH = 0.7
"""Steps of the bell by which an onset is marked."""
MASKED_DB, REMOVED_DB = 7.0, -14.0
"""A partial is heard where the sound around it is at most so much louder and at least so much as the note itself."""
FAINT_DB = 26.0
"""Partials so far under a note's strongest one do not count."""
SILENT_DB = -62.0
"""Level re the sound's loud passages under which nothing is heard."""
RESIDUE = 0.2
"""Weight of what a separation may have left of other stems."""
ATTACK_FRAMES = 17


@dataclass(frozen=True)
class Targets:
    """All (steps, PITCHES): onset and frame 0–1 with their weights; velocity where ``struck``."""

    onset: Floats
    onset_weight: Floats
    frame: Floats
    frame_weight: Floats
    velocity: Floats
    struck: Floats

    def stacked(self) -> Floats:
        """(6, steps, PITCHES)"""
        return np.stack([self.onset, self.onset_weight, self.frame, self.frame_weight, self.velocity, self.struck])


def audible(notes: Floats, level: Floats, reference_db: float) -> NDArray[np.bool_]:
    """Which of ``notes`` can be heard in a sound of this ``level`` (frames, BINS), by their partials at the onset."""
    heard = np.zeros(len(notes), bool)
    bins = partial_bins(notes[:, PITCH].astype(int))
    for number, note in enumerate(notes):
        first = max(round(float(note[ONSET]) * SAMPLE_RATE / HOP), 0)
        last = min(max(round(float(note[END]) * SAMPLE_RATE / HOP), first + 2), first + ATTACK_FRAMES)
        around = level[min(first, len(level) - 1) : last, bins[number]].max(axis=0)
        own = note[LEVELS]
        counts = own > max(float(own.max()) - FAINT_DB, reference_db + SILENT_DB)
        difference = around - own
        heard[number] = bool(np.any(counts & (difference < MASKED_DB) & (difference > REMOVED_DB)))
    return heard


def targets(notes: Floats, heard: NDArray[np.bool_], residue: Floats, steps: int) -> Targets:
    """The targets of ``steps`` steps. Notes that are not ``heard`` are left open, as is what comes after a note has
    died away while its key is held."""
    made = Targets(*(np.zeros((steps, PITCHES), np.float32) for _ in range(6)))
    made.onset_weight[:] = made.frame_weight[:] = 1
    for note in residue:
        _leave_open(made, note, RESIDUE)
    for note, sure in zip(notes, heard, strict=True):
        if not sure:
            _leave_open(made, note, 0.0)
        column = int(note[PITCH]) - MIN_PITCH
        after = _covered(float(note[END]), float(note[OFFSET]) + STEP_SECONDS, steps) > 0
        made.frame_weight[after, column] = 0
    for note in notes[heard]:
        _mark(made, note)
    return made


def _covered(start: float, end: float, steps: int) -> Floats:
    """The share of each step, whose middle is at ``k * STEP_SECONDS``, that lies between two times."""
    edges = (np.arange(steps + 1) - 0.5) * STEP_SECONDS
    inside = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
    return np.asarray(np.clip(inside / STEP_SECONDS, 0, 1), np.float32)


def _leave_open(made: Targets, note: Floats, weight: float) -> None:
    column = int(note[PITCH]) - MIN_PITCH
    sounding = _covered(float(note[ONSET]), float(note[OFFSET]), len(made.onset)) > 0
    near = np.abs(np.arange(len(made.onset)) - float(note[ONSET]) / STEP_SECONDS) < 3
    made.frame_weight[sounding, column] = np.minimum(made.frame_weight[sounding, column], weight)
    made.onset_weight[near, column] = np.minimum(made.onset_weight[near, column], weight)


def _mark(made: Targets, note: Floats) -> None:
    column = int(note[PITCH]) - MIN_PITCH
    place = float(note[ONSET]) / STEP_SECONDS
    covered = _covered(float(note[ONSET]), float(note[END]), len(made.onset))
    made.frame[:, column] = np.maximum(made.frame[:, column], covered)
    made.frame_weight[covered > 0, column] = 1
    for step in range(max(round(place) - 2, 0), min(round(place) + 3, len(made.onset))):
        near = float(np.exp(-0.5 * ((step - place) / WIDTH) ** 2))
        made.onset[step, column] = max(made.onset[step, column], near)
        made.onset_weight[step, column] = 1
        if near > 0.3:
            made.velocity[step, column] = max(float(note[VELOCITY]), made.velocity[step, column])
            made.struck[step, column] = 1
