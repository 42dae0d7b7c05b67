"""Notes of a line of pitch, as a singer sings it, with glides and vibrato."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.peaks import local_maxima
from antiphon.music.signal.viterbi import best_path, runs
from antiphon.music.transcription.levels import MIN_PITCH
from antiphon.music.transcription.notecreation import Activations, NoteEvent

Span = tuple[int, int, int]
"""First frame, the frame after the last, MIDI pitch."""


@dataclass(frozen=True, slots=True)
class Singing:
    """How a line of pitch becomes notes. A semitone off for one frame costs 1, twice as far four times as much, up to
    ``farthest`` semitones; another note costs ``change``, so that vibrato and glides make no notes of their own.
    Notes of fewer than ``shortest`` frames join a neighbour at most ``slur`` semitones away, or go. A note is
    sung anew where the onset activation peaks at ``sure`` or more, ``apart`` frames from its start and end."""

    change: float = 7.0
    farthest: float = 2.0
    shortest: int = 6
    slur: int = 2
    sure: float = 0.7
    apart: int = 8


def sing(
    pitch: NDArray[np.float32],
    notes: Activations,
    onsets: Activations,
    *,
    lowest: int = MIN_PITCH,
    rules: Singing | None = None,
) -> list[NoteEvent]:
    """Notes of a voice.

    Args:
        pitch: Fractional MIDI number in each frame, (frames,); NaN where the voice rests.
        notes: Note activations (frames, pitches), which tell how sure a note is.
        onsets: Onset activations of the same shape, which tell where a note begins again.
        lowest: MIDI pitch of the first column.
        rules: How a line becomes notes.
    """
    rules = rules or Singing()
    spans: list[Span] = []
    resting = np.isnan(pitch)
    for start, end in runs(resting):
        if not resting[start]:
            spans += _merged(_steps(pitch[start:end], start, rules), rules)
    events = []
    for start, end, tone in spans:
        column = min(max(tone - lowest, 0), notes.shape[1] - 1)
        for first, last in pairwise([start, *_struck(onsets[start:end, column], start, rules), end]):
            near = notes[first:last, max(column - 1, 0) : column + 2]
            events.append(NoteEvent(first, last, column + lowest, float(near.max(axis=1).mean(dtype=np.float64))))
    return events


def _steps(pitch: NDArray[np.float32], offset: int, rules: Singing) -> list[Span]:
    """The steps nearest to a line of pitch without rests (frames,), in frames counted from ``offset``: the best path
    when every change of the note costs the same."""
    first = int(np.floor(pitch.min()))
    tones = np.arange(first, int(np.ceil(pitch.max())) + 1)
    costs = np.square(np.minimum(np.abs(pitch[:, None] - tones), rules.farthest))
    path = best_path([-costs], -rules.change * (tones[:, None] != tones)).states
    return [(start + offset, end + offset, first + int(path[start])) for start, end in runs(path)]


def _merged(spans: list[Span], rules: Singing) -> list[Span]:
    """Touching ``spans`` without those that are too short, the shortest first: each goes to the neighbour that is
    nearest in pitch, the longer of two."""
    spans = list(spans)
    while spans:
        length, index = min((end - start, index) for index, (start, end, _) in enumerate(spans))
        if length >= rules.shortest:
            break
        start, end, tone = spans.pop(index)
        beside = [
            (abs(spans[other][2] - tone), spans[other][0] - spans[other][1], other)
            for other in (index - 1, index)
            if 0 <= other < len(spans) and start <= spans[other][1] and spans[other][0] <= end
        ]
        if beside and min(beside)[0] <= rules.slur:
            other = min(beside)[2]
            first, last, kept = spans[other]
            spans[other] = (min(first, start), max(last, end), kept)
            _fuse(spans, index)
    return spans


def _fuse(spans: list[Span], index: int) -> None:
    """Makes one of the spans before and at ``index`` if they touch and are of one pitch."""
    if 0 < index < len(spans) and spans[index - 1][1] == spans[index][0] and spans[index - 1][2] == spans[index][2]:
        after = spans.pop(index)
        spans[index - 1] = (spans[index - 1][0], after[1], after[2])


def _struck(onsets: Activations, start: int, rules: Singing) -> list[int]:
    """Frames at which a note that begins at frame ``start`` begins again, from its onset activation (frames,)."""
    peaks = local_maxima(onsets, plateau="last") & (onsets >= rules.sure)
    again: list[int] = []
    for frame in np.flatnonzero(peaks).tolist():
        if frame - (again[-1] if again else 0) >= rules.apart and len(onsets) - frame >= rules.apart // 2:
            again.append(frame)
    return [start + frame for frame in again]
