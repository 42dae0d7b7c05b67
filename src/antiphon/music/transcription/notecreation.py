"""Note events from frame-wise activations.

The method is that of the Basic Pitch paper (ICASSP 2022, section 2.3): a note starts at a peak of the onset
activation and lasts while the note activation stays above a threshold, short dips forgiven; what energy is left then
becomes notes without an onset, the strongest first. Here the thresholds, peaks and dips are found for all pitches
at once, so that Python runs once a note and never once a frame.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.peaks import local_maxima
from antiphon.music.transcription.levels import MIN_PITCH

Activations = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of what counts as a note.

    Attributes:
        onset: Activation 0–1 from which a peak begins a note.
        frame: Activation 0–1 from which a note goes on.
        shortest: Frames; a note of so many or fewer is dropped.
        unstruck: Frames; a note without an onset of so many or fewer is dropped.
        dip: Frames in a row under ``frame`` that end a note.
        infer_onsets: Whether a rise of the note activation counts as an onset, too.
        without_onset: Whether there may be notes without an onset.
    """

    onset: float = 0.5
    frame: float = 0.3
    shortest: int = 11
    unstruck: int = 11
    dip: int = 11
    infer_onsets: bool = True
    without_onset: bool = True


@dataclass(frozen=True, slots=True, order=True)
class NoteEvent:
    """A note in frames: ``[start, end)``; ``activation`` is the mean note activation over it, 0–1; ``level_db`` is how
    loud its partials get with it, where that is known."""

    start: int
    end: int
    pitch: int
    activation: float
    level_db: float | None = field(default=None, compare=False)


def infer_onsets(notes: Activations, onsets: Activations) -> Activations:
    """Onset activations raised to the rise of the note activations over one and two frames (the lesser of the two),
    which is scaled to the same maximum. Same shape (frames, pitches) and type as ``onsets``."""
    raised = np.zeros_like(onsets)
    np.subtract(notes[2:], np.maximum(notes[1:-1], notes[:-2]), out=raised[2:], casting="same_kind")
    highest = float(raised.max(initial=0))
    if highest > 0:
        raised *= raised.dtype.type(float(onsets.max()) / highest)
    return np.maximum(raised, onsets, out=raised)


def create(
    notes: Activations, onsets: Activations, limits: Thresholds | None = None, *, lowest: int = MIN_PITCH
) -> list[NoteEvent]:
    """Note events in order of start and pitch; those of one pitch never overlap.

    Args:
        notes: Note activations 0–1, (frames, pitches).
        onsets: Onset activations 0–1, of the same shape.
        limits: What counts as a note.
        lowest: MIDI pitch of the first column.
    """
    limits = limits or Thresholds()
    if len(notes) < 3:
        return []
    if limits.infer_onsets:
        onsets = infer_onsets(notes, onsets)
    left = notes.copy()
    spans = _from_onsets(notes, onsets, left, limits)
    if limits.without_onset:
        spans += _from_energy(left, limits)
    events = [
        NoteEvent(start, end, column + lowest, float(notes[start:end, column].mean(dtype=np.float64)))
        for start, end, column in spans
    ]
    return sorted(events)


def _peaks(onsets: Activations, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frames and columns of the local maxima over time that reach the threshold, in order of time. The first and the
    last frame have none, for one of their neighbours is not known."""
    peak = local_maxima(onsets, plateau="none") & (onsets >= threshold)
    frames, columns = np.nonzero(peak[1:-1])
    return frames + 1, columns


def _ends(sounding: NDArray[np.intp], starts: NDArray[np.intp], dip: int) -> NDArray[np.intp]:
    """Where notes that begin at ``starts`` would end if nothing came between: one past the last of the frames in
    ``sounding`` (ascending) that can be reached over gaps of less than ``dip`` silent frames."""
    if not len(sounding):
        return starts + 1
    last = np.append(np.diff(sounding) > dip, True)
    run_end = sounding[last][np.cumsum(last) - last]
    following = np.minimum(np.searchsorted(sounding, starts, side="right"), len(sounding) - 1)
    gap = sounding[following] - starts
    return np.where((gap > 0) & (gap <= dip), run_end[following] + 1, starts + 1)


def _from_onsets(
    notes: Activations, onsets: Activations, left: Activations, limits: Thresholds
) -> list[tuple[int, int, int]]:
    """(start, end, column) of the notes with an onset; their energy and their neighbours' is cleared in ``left``.

    From the last onset to the first, so that a note ends where the next one on its pitch, or on a neighbouring
    pitch, has already begun."""
    frames, columns = _peaks(onsets, limits.onset)
    sounding = [np.flatnonzero(column >= limits.frame) for column in notes.T]
    ends = np.zeros_like(frames)
    for column in np.unique(columns):
        here = columns == column
        ends[here] = _ends(sounding[column], frames[here], limits.dip)
    next_start = [len(notes)] * (notes.shape[1] + 2)
    spans = []
    for start, end, column in zip(frames[::-1].tolist(), ends[::-1].tolist(), columns[::-1].tolist(), strict=True):
        taken = min(next_start[column : column + 3])
        if end > taken:
            heard = sounding[column]
            before = int(np.searchsorted(heard, taken)) - 1
            end = int(heard[before]) + 1 if before >= 0 else start
        if end - start <= limits.shortest:
            continue
        next_start[column + 1] = start
        left[start:end, max(column - 1, 0) : column + 2] = 0
        spans.append((start, end, column))
    return spans


def _from_energy(left: Activations, limits: Thresholds) -> list[tuple[int, int, int]]:
    """(start, end, column) of the notes in the energy that notes with an onset left over; ``left`` is used up.

    Runs of sounding frames wait in a queue, the one with the loudest frame first. What is left of a run is looked
    up again when its turn comes: a louder one beside it may have taken some of it, or all."""
    # A dip as long as the shortest note could be one, whose energy is gone already: nothing may bridge it.
    dip = min(limits.dip, limits.shortest + 1)
    queue: list[tuple[float, int, int, int]] = []

    def runs_of(column: int, first: int, stop: int) -> list[tuple[float, int, int, int]]:
        piece = left[first:stop, column]
        return [
            (-float(piece[run].max()), column, first + int(run[0]), first + int(run[-1]) + 1)
            for run in _runs(np.flatnonzero(piece > limits.frame), dip)
        ]

    for column in range(left.shape[1]):
        queue += runs_of(column, 0, len(left))
    heapq.heapify(queue)
    spans = []
    while queue:
        waiting = heapq.heappop(queue)
        _, column, first, stop = waiting
        remaining = runs_of(column, first, stop)
        if remaining != [waiting]:
            for run in remaining:
                heapq.heappush(queue, run)
            continue
        left[first:stop, max(column - 1, 0) : column + 2] = 0
        if stop - first > max(limits.shortest, limits.unstruck):
            spans.append((first, stop, column))
    return spans


def _runs(frames: NDArray[np.intp], dip: int) -> list[NDArray[np.intp]]:
    """Ascending frame numbers cut where ``dip`` or more are missing."""
    if not len(frames):
        return []
    return np.split(frames, np.flatnonzero(np.diff(frames) > dip) + 1)
