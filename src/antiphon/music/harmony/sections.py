"""Sections of a song: spans of bars between which it changes, those that are alike with the same letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.peaks import local_maxima

KERNEL_BARS = 4
"""Bars on either side of a border that are compared."""
MIN_BARS = 4
"""Length of the shortest section."""
MIN_NOVELTY = 0.05
"""How much more alike the bars on one side of a border are than those across it."""
MIN_LIKENESS = 0.8
"""How alike two sections of the same letter are."""
LOUDNESS_WEIGHT = 0.5

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Section:
    """A section from ``start`` to ``end`` in seconds; ``label`` is A, B, C …, in order of their first."""

    start: float
    end: float
    label: str


def sections(borders: Frames, harmony: Frames, sound: Frames, bar_starts: Sequence[int]) -> list[Section]:
    """The sections of a song, which begin where bars begin.

    Args:
        borders: Seconds of the beats, and of the last one's end; (beats + 1,).
        harmony: (beats, n), what sounds on each beat.
        sound: (beats, m), how it sounds: what is struck, how loud.
        bar_starts: The beats that begin bars, ascending.
    """
    count = len(harmony)
    if not count:
        return []
    starts = [0, *(beat for beat in bar_starts if 0 < beat < count)]
    if len(starts) > 1 and starts[1] - starts[0] < (starts[-1] - starts[0]) / len(starts) / 2:
        del starts[1]  # a pick-up belongs to the first section
    bars = _bars(harmony, starts), _bars(sound, starts)
    alike = _alike(bars[0]) * (1 - LOUDNESS_WEIGHT) + _close(bars[1]) * LOUDNESS_WEIGHT
    edges = [0, *_edges(_novelty(alike)), len(starts)]
    labels = _labels(alike, edges)
    # One letter that follows itself is one section.
    begun = [order for order, label in enumerate(labels) if not order or label != labels[order - 1]]
    seconds = [float(borders[starts[edges[order]]]) for order in begun] + [float(borders[count])]
    return [Section(start, end, labels[order]) for (start, end), order in zip(pairwise(seconds), begun, strict=True)]


def _bars(values: Frames, starts: Sequence[int]) -> Frames:
    """The mean of each bar, (bars, n)."""
    ends = [*starts[1:], len(values)]
    return np.array([values[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)])


def _alike(bars: Frames) -> Frames:
    """The cosine of the angle between bars, (bars, bars); over two bars, so that what a chord leads to counts, too."""
    pairs = np.concatenate([bars, np.concatenate([bars[1:], bars[-1:]])], axis=1)
    unit = pairs / np.maximum(np.linalg.norm(pairs, axis=1, keepdims=True), 1e-9)
    found: Frames = unit @ unit.T
    return found


def _close(bars: Frames) -> Frames:
    """1 for bars that sound the same, down to 0; (bars, bars)."""
    scaled = (bars - bars.mean(axis=0)) / np.maximum(bars.std(axis=0), 0.1)
    squares = np.square(scaled).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * scaled @ scaled.T, 0) / scaled.shape[1]
    found: Frames = np.exp(-apart / 2)
    return found


def _novelty(alike: Frames) -> Frames:
    """How much more alike bars are on each side of a bar's beginning than across it (Foote 2000); (bars,)."""
    found = np.zeros(len(alike))
    for bar in range(1, len(alike)):
        reach = min(KERNEL_BARS, bar, len(alike) - bar)
        before, after = slice(bar - reach, bar), slice(bar, bar + reach)
        within = (alike[before, before].mean() + alike[after, after].mean()) / 2
        found[bar] = (within - alike[before, after].mean()) * min(reach / 2, 1.0)
    return found


def _edges(novelty: Frames) -> list[int]:
    """The bars at which sections begin, but for the first."""
    peaks = np.flatnonzero(local_maxima(novelty, MIN_BARS - 1, plateau="last") & (novelty >= MIN_NOVELTY))
    return [int(bar) for bar in peaks if MIN_BARS <= bar <= len(novelty) - MIN_BARS]


def _labels(alike: Frames, edges: Sequence[int]) -> list[str]:
    """A letter for each span between ``edges``: that of the span before that it is most like, or the next one."""
    labels: list[int] = []
    spans = [range(first, last) for first, last in pairwise(edges)]
    for order, span in enumerate(spans):
        likeness = [_likeness(alike, spans[other], span) for other in range(order)]
        best = int(np.argmax(likeness)) if likeness else 0
        labels.append(labels[best] if likeness and likeness[best] >= MIN_LIKENESS else max(labels, default=-1) + 1)
    return [ascii_uppercase[min(label, len(ascii_uppercase) - 1)] for label in labels]


def _likeness(alike: Frames, one: range, other: range) -> float:
    """How alike two spans are, bar by bar from their beginnings."""
    shared = range(min(len(one), len(other)))
    return float(np.mean([alike[one[place], other[place]] for place in shared]))
