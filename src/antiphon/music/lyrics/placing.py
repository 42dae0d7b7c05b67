"""Lines of a song from what a file says of them: put in order, moved into the song, ended where the next begins."""

import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import groupby, pairwise

from antiphon.music.lyrics.entries import (
    LINE_OUT_OF_ORDER,
    TIME_AFTER_END,
    TIME_BEFORE_START,
    UNREADABLE_TIME,
    WORDS_OUT_OF_ORDER,
    Reading,
    StampedLine,
)
from antiphon.music.lyrics.lines import Line, Singer, Word
from antiphon.music.lyrics.singers import singers_of

MAX_LINE_S = 10.0
"""Seconds that a line stays which nothing follows for longer: it shall not stand through a solo."""

MAX_WORD_S = 2.0
UNTIMED_LINE_S = 3.0
"""Seconds between lines without a time that no line with a time follows."""

NO_TRANSLATION = "//"
"""What some services write in place of a translation."""

MAX_LINE_CHARS = 90
"""Characters in a line of plain text; longer ones are broken at a space."""


def placed(read: Reading, duration: float) -> tuple[Line, ...]:
    """The lines of a song of ``duration`` seconds. What is not right with their times is added to the warnings."""
    _find_times(read)
    for entry in read.entries:
        assert entry.start is not None
        _move(entry, -read.offset)
        if entry.start < 0:
            read.warn(TIME_BEFORE_START, entry.number)
            entry.start = 0.0
        elif entry.start >= duration:
            read.warn(TIME_AFTER_END, entry.number)
    if read.sorted:
        for before, after in pairwise(read.entries):
            if (after.start or 0) < (before.start or 0):
                read.warn(LINE_OUT_OF_ORDER, after.number)
    entries = sorted((e for e in read.entries if (e.start or 0) < duration), key=lambda entry: entry.start or 0)
    merged = _merge(entries)
    singers = singers_of(merged)
    ends = [*(entry.start or 0 for entry in merged[1:]), duration]
    return tuple(
        _line(entry, end, singers.get(entry.singer), read)
        for entry, end in zip(merged, ends, strict=False)
        if entry.text
    )


def spread(lines: Sequence[str], duration: float) -> tuple[Line, ...]:
    """Lines without times over the whole song, each for as long as its text takes."""
    kept = [part for line in lines for part in textwrap.wrap(line, MAX_LINE_CHARS)]
    weights = [12 + sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in kept]
    total, position, shown = sum(weights), 0, []
    for text, weight in zip(kept, weights, strict=True):
        start, position = position, position + weight
        shown.append(Line(duration * (start / total), duration * (position / total), (Word(text),)))
    return tuple(shown)


def _move(entry: StampedLine, seconds: float) -> None:
    if seconds:
        entry.start = None if entry.start is None else entry.start + seconds
        entry.end = None if entry.end is None else entry.end + seconds
        entry.words = [(word, None if time is None else time + seconds) for word, time in entry.words]


def _find_times(read: Reading) -> None:
    """Gives the lines without a time, which stand between others, times between theirs."""
    known, waiting = 0.0, []
    for entry in [*read.entries, None]:
        if entry is not None and entry.start is None:
            read.warn(UNREADABLE_TIME, entry.number)
            waiting.append(entry)
            continue
        reached = None if entry is None else entry.start
        step = UNTIMED_LINE_S if reached is None or reached <= known else (reached - known) / (len(waiting) + 1)
        for position, late in enumerate(waiting, 1):
            late.start = known + position * step
        waiting.clear()
        known = reached or 0.0


def _merge(entries: Sequence[StampedLine]) -> list[StampedLine]:
    """Lines of one time are one line: the second is most often a translation of the first."""
    merged: list[StampedLine] = []
    for start, together in groupby(entries, key=lambda entry: entry.start):
        first, *_ = same = list(together)
        sung = _unlike([entry for entry in same if entry.text and entry.text != NO_TRANSLATION]) or [first]
        one = sung[0]
        if len(sung) > 1:
            text = " / ".join(entry.text for entry in sung)
            singer = one.singer if all(entry.singer == one.singer for entry in sung) else "both"
            end = max((entry.end for entry in sung if entry.end is not None), default=None)
            one = StampedLine(sung[-1].number, start, [(text, None)], end, singer)
        one.background = " ".join(filter(None, (entry.background for entry in same)))
        merged.append(one)
    return merged


def _unlike(entries: Sequence[StampedLine]) -> list[StampedLine]:
    """Those whose text no earlier one has."""
    first: dict[str, StampedLine] = {}
    for entry in entries:
        first.setdefault(entry.text, entry)
    return list(first.values())


def _line(entry: StampedLine, latest: float, singer: Singer | None, read: Reading) -> Line:
    start = entry.start or 0.0
    if entry.end is not None and entry.end > start:
        latest = min(latest, entry.end)
    if all(time is None for _, time in entry.words):
        longest = MAX_LINE_S if entry.end is None or entry.end <= start else latest - start
        return Line(start, min(latest, start + longest), (Word(entry.text),), singer, entry.background)
    times: list[float] = []
    for _, time in entry.words:
        floor = times[-1] if times else start
        if time is not None and time < floor:
            read.warn(WORDS_OUT_OF_ORDER, entry.number)
        times.append(min(latest, max(floor, floor if time is None else time)))
    closed = not entry.words[-1][0].strip() and times[-1] > start
    end = times[-1] if closed else min(latest, max(times[-1] + MAX_WORD_S, start + 1))
    texts = [text for text, _ in entry.words]
    texts[0], texts[-1] = texts[0].lstrip(), texts[-1].rstrip()
    words = [
        Word(text, begin, min(until, begin + MAX_WORD_S))
        for text, begin, until in zip(texts, times, [*times[1:], end], strict=True)
        if text
    ]
    return Line(start, end, tuple(words), singer, entry.background)
