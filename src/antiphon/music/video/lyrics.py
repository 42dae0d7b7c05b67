"""Lyrics and their times: LRC with times by line or by word, or plain text spread over the song.

LRC has no standard. Read here are the tags that players agree on: ``[mm:ss.xx]`` before a line, several of them before
a line that comes back, ``<mm:ss.xx>`` before a word, ``[offset:±ms]`` (positive: everything sooner); other ``[id:…]``
tags are ignored, as are headings such as ``[Chorus]``.
"""

import re
import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

MAX_LINE_S = 10.0
"""Seconds that a line stays which nothing follows for longer: it shall not stand through a solo."""

MAX_WORD_S = 2.0
UNTIMED_LINE_S = 3.0
"""Seconds between lines without a time that no line with a time follows."""

MAX_LINE_CHARS = 90
"""Characters in a line of plain text; longer ones are broken at a space."""

MAX_LISTED_LINES = 5

_TIME = r"(?P<sign>[-+]?)(?:(?P<h>\d{1,2}):(?=\d+:\d+\.))?(?P<m>\d{1,3}):(?P<s>\d{1,2})(?:[.:,](?P<f>\d{1,3}))?"
_STAMP = re.compile(rf"\s*\[\s*{_TIME}\s*\]", re.ASCII)
_WORD_STAMP = re.compile(rf"(?:<\s*{_TIME}\s*>)|(?:\[\s*{_TIME.replace('?P<', '?P<b')}\s*\])", re.ASCII)
_TAG = re.compile(r"\[(?P<id>[^\W\d][\w#]*|#):(?P<value>.*)\]")
_BROKEN = re.compile(r"\[[^\s\]]*:[^\s\]]*\]")
_HEADING = re.compile(r"\[[^\]]*\]")

UNREADABLE_TIME = "no time that can be read; put between its neighbours"
TIME_BEFORE_START = "a time before the song's start; shown from its start on"
TIME_AFTER_END = "a time after the song's end; left out"
LINE_OUT_OF_ORDER = "an earlier time than the line above; put in the order of time"
WORDS_OUT_OF_ORDER = "words whose times do not ascend; put at the time of the word before"


@dataclass(frozen=True)
class Word:
    """A piece of a line, its spaces included, and the seconds in which it is sung: None where only lines have times."""

    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Line:
    """A line that is the current one from ``start`` to ``end`` seconds. Either all its words have times or none."""

    start: float
    end: float
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)

    def sung(self, seconds: float) -> float:
        """How many characters of ``text`` are sung by then, with the part of the one that is being sung.

        Where only lines have times, a line is sung as soon as it is the current one.
        """
        done = 0.0
        for word in self.words:
            if word.start is None or word.end is None:
                return float(len(self.text)) if seconds >= self.start else 0.0
            if seconds <= word.start:
                break
            part = 1.0 if seconds >= word.end else (seconds - word.start) / (word.end - word.start)
            done += len(word.text) * part
        return done


@dataclass(frozen=True)
class Lyrics:
    """Lines in the order of time that do not overlap. ``warnings`` name the lines of the text with bad times."""

    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()
    timed: bool = True
    """Whether the text says when; otherwise its lines are spread over the song."""

    def current(self, seconds: float) -> int | None:
        """The index of the line that is sung at that time; None before, after and in a pause."""
        index = self._started(seconds)
        return index if index >= 0 and seconds < self.lines[index].end else None

    def following(self, seconds: float) -> int | None:
        """The index of the line that comes next after that time; None from the last line on."""
        index = self._started(seconds) + 1
        return index if index < len(self.lines) else None

    def _started(self, seconds: float) -> int:
        return bisect_right(self.lines, seconds, key=lambda line: line.start) - 1


def parse(text: str, duration: float) -> Lyrics:
    """Lyrics of a song of ``duration`` seconds. Never fails: what has a bad time is put where it likely belongs."""
    read = _Reader()
    for number, line in enumerate(re.split(r"\r\n?|\n", text.removeprefix("\ufeff")), 1):
        read.line(number, line.strip())
    if not any(entry.start is not None for entry in read.entries):
        lines = _spread([entry.text for entry in read.entries if entry.text], duration)
        return Lyrics(lines, read.warnings(), timed=not lines)
    return Lyrics(_timed(read, duration), read.warnings())


@dataclass
class _Entry:
    """A line as it stands in the text, at one of its times. ``words`` have absolute times; no words: a pause."""

    number: int
    start: float | None
    words: list[tuple[str, float | None]]

    @property
    def text(self) -> str:
        return "".join(word for word, _ in self.words).strip()


@dataclass
class _Reader:
    entries: list[_Entry] = field(default_factory=list)
    offset: float = 0.0
    repeats: bool = False
    found: dict[str, dict[int, None]] = field(default_factory=dict)

    def line(self, number: int, line: str) -> None:
        if tag := _TAG.fullmatch(line):
            self._offset(number, tag)
            return
        stamps: list[float] = []
        broken = False
        while True:
            if stamp := _STAMP.match(line):
                stamps.append(_seconds(stamp))
            elif stamp := _BROKEN.match(line):
                broken = True
            else:
                break
            line = line[stamp.end() :].lstrip()
        if not stamps and (not line or _HEADING.fullmatch(line)):
            return
        words = _words(line)
        if words and words[0][1] is not None and not stamps:
            stamps.append(words[0][1])
        if broken and not stamps:
            self.warn(UNREADABLE_TIME, number)
        self.repeats |= len(stamps) > 1
        for start in stamps:
            moved = start - stamps[0]
            placed = [(word, None if time is None else time + moved) for word, time in words]
            self.entries.append(_Entry(number, start, placed))
        if not stamps:
            self.entries.append(_Entry(number, None, words))

    def warn(self, what: str, number: int) -> None:
        self.found.setdefault(what, {})[number] = None

    def warnings(self) -> tuple[str, ...]:
        return tuple(f"'lyrics': {_listed(list(numbers))}: {what}" for what, numbers in self.found.items())

    def _offset(self, number: int, tag: re.Match[str]) -> None:
        if tag["id"].lower() != "offset":
            return
        if re.fullmatch(r"\s*[-+]?\d{1,9}\s*", tag["value"], re.ASCII):
            self.offset = int(tag["value"]) / 1000
        else:
            self.warn("an offset that is no number of milliseconds; ignored", number)


def _seconds(match: re.Match[str], prefix: str = "") -> float:
    sign, hours, minutes, seconds, fraction = (match[prefix + name] or "" for name in ("sign", "h", "m", "s", "f"))
    value = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction or 0}")
    return -value if sign == "-" else value


def _words(line: str) -> list[tuple[str, float | None]]:
    """The line cut at its word times: each piece with the time before it."""
    pieces: list[tuple[str, float | None]] = []
    time, position = None, 0
    for stamp in _WORD_STAMP.finditer(line):
        pieces.append((line[position : stamp.start()], time))
        time = _seconds(stamp) if stamp["m"] else _seconds(stamp, "b")
        position = stamp.end()
    pieces.append((line[position:], time))
    return [(re.sub(r"\s+", " ", text), time) for text, time in pieces if text.strip() or time is not None]


def _timed(read: _Reader, duration: float) -> tuple[Line, ...]:
    _place(read)
    for entry in read.entries:
        assert entry.start is not None
        entry.start -= read.offset
        entry.words = [(word, None if time is None else time - read.offset) for word, time in entry.words]
        if entry.start < 0:
            read.warn(TIME_BEFORE_START, entry.number)
            entry.start = 0.0
        elif entry.start >= duration:
            read.warn(TIME_AFTER_END, entry.number)
    if not read.repeats:
        for before, after in pairwise(read.entries):
            if (after.start or 0) < (before.start or 0):
                read.warn(LINE_OUT_OF_ORDER, after.number)
    entries = sorted((e for e in read.entries if (e.start or 0) < duration), key=lambda entry: entry.start or 0)
    merged = _merge(entries)
    ends = [*(entry.start or 0 for entry in merged[1:]), duration]
    return tuple(_line(entry, end, read) for entry, end in zip(merged, ends, strict=False) if entry.text)


def _place(read: _Reader) -> None:
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


def _merge(entries: Sequence[_Entry]) -> list[_Entry]:
    """Lines of one time are one line: the second is most often a translation of the first."""
    merged: list[_Entry] = []
    for entry in entries:
        if not merged or merged[-1].start != entry.start:
            merged.append(entry)
        elif entry.text and merged[-1].text:
            merged[-1] = _Entry(entry.number, entry.start, [(f"{merged[-1].text} / {entry.text}", None)])
        elif entry.text:
            merged[-1] = entry
    return merged


def _line(entry: _Entry, latest: float, read: _Reader) -> Line:
    start = entry.start or 0.0
    if all(time is None for _, time in entry.words):
        return Line(start, min(latest, start + MAX_LINE_S), (Word(entry.text),))
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
    return Line(start, end, tuple(words))


def _spread(lines: Sequence[str], duration: float) -> tuple[Line, ...]:
    """Plain lines over the whole song, each as long as its text is."""
    kept = [part for line in lines for part in textwrap.wrap(line, MAX_LINE_CHARS)]
    weights = [12 + sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) for line in kept]
    total, position, spread = sum(weights), 0, []
    for text, weight in zip(kept, weights, strict=True):
        start, position = position, position + weight
        spread.append(Line(duration * (start / total), duration * (position / total), (Word(text),)))
    return tuple(spread)


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - MAX_LISTED_LINES} more" if len(numbers) > MAX_LISTED_LINES else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:MAX_LISTED_LINES]))}{more}"
