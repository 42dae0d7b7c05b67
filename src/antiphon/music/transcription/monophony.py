"""Makes notes of a line of pitch: those of a singer, who glides and holds with vibrato."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.network import MIN_PITCH
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
    """The notes of a voice from its ``pitch`` in fractional MIDI numbers in each frame, NaN where it rests.

    ``notes`` and ``onsets`` are (frames, pitches), their first column the MIDI pitch ``lowest``: the one tells how sure
    a note is, the other where a note begins again."""
    rules = rules or Singing()
    spans: list[Span] = []
    for start, end in _phrases(~np.isnan(pitch)):
        spans += _merged(_steps(pitch[start:end], start, rules), rules)
    events = []
    for start, end, tone in spans:
        column = min(max(tone - lowest, 0), notes.shape[1] - 1)
        for first, last in pairwise([start, *_struck(onsets[start:end, column], start, rules), end]):
            near = notes[first:last, max(column - 1, 0) : column + 2]
            events.append(NoteEvent(first, last, column + lowest, float(near.max(axis=1).mean(dtype=np.float64))))
    return events


def _phrases(sung: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Start and end of the runs of true frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], sung, [False]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _steps(pitch: NDArray[np.float32], offset: int, rules: Singing) -> list[Span]:
    """The steps nearest to a line of pitch without rests (frames,), in frames counted from ``offset``: the best path
    (Viterbi) when every change of the note costs the same."""
    first = int(np.floor(pitch.min()))
    tones = np.arange(first, int(np.ceil(pitch.max())) + 1)
    costs = np.square(np.minimum(np.abs(pitch[:, None] - tones), rules.farthest))
    came_from = np.zeros(costs.shape, np.uint8)
    total = np.zeros(len(tones))
    stay = np.arange(len(tones))
    for frame, cost in enumerate(costs):
        best = int(total.argmin())
        changed = total[best] + rules.change
        came_from[frame] = np.where(total <= changed, stay, best)
        total = np.minimum(total, changed) + cost
    path = np.zeros(len(pitch), np.intp)
    path[-1] = total.argmin()
    for frame in range(len(pitch) - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return [(start + offset, end + offset, first + int(path[start])) for start, end in pairwise(edges)]


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
    middle = onsets[1:-1]
    peaks = (middle >= rules.sure) & (middle >= onsets[:-2]) & (middle > onsets[2:])
    again: list[int] = []
    for frame in (np.flatnonzero(peaks) + 1).tolist():
        if frame - (again[-1] if again else 0) >= rules.apart and len(onsets) - frame >= rules.apart // 2:
            again.append(frame)
    return [start + frame for frame in again]
