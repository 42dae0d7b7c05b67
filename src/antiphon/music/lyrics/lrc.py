"""LRC lyrics, with times by line or by word, and plain text.

LRC has no standard. Read here are the tags that players agree on: ``[mm:ss.xx]`` before a line, several of them before
a line that comes back, ``<mm:ss.xx>`` before a word, ``[offset:±ms]`` (positive: everything sooner); other ``[id:…]``
tags are ignored, as are headings such as ``[Chorus]``. Singers stand before a line: ``v1:`` and ``v2:``, or ``F:``,
``M:`` and ``D:`` (both), which hold until the next one. Background voices stand after theirs: ``[bg:…]``. Credits may
come as JSON lines, as NetEase writes them: ``{"t": 500, "c": [{"tx": "…"}]}`` with a time in milliseconds.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.music.lyrics.entries import (
    NO_LYRICS,
    TOO_MANY_REPEATS,
    UNREADABLE_TIME,
    Reading,
    StampedLine,
    TimedText,
    clock_seconds,
    single_spaced,
)

MAX_CREDIT_MS = 86_400_000

_TIME = r"(?P<sign>[-+]?)(?:(?P<h>\d{1,2}):(?=\d+:\d+\.))?(?P<m>\d{1,3}):(?P<s>\d{1,2})(?:[.:,](?P<f>\d{1,9}))?"
_STAMP = re.compile(rf"\s*\[\s*{_TIME}\s*\]", re.ASCII)
_WORD_STAMP = re.compile(rf"(?:<\s*{_TIME}\s*>)|(?:\[\s*{_TIME.replace('?P<', '?P<b')}\s*\])", re.ASCII)
_BACKGROUND = re.compile(r"\[bg:(?P<text>.*)\]", re.IGNORECASE)
_TAG = re.compile(r"\[(?P<id>[^\W\d][\w#]*|#):(?P<value>.*)\]")
_BROKEN = re.compile(r"\s*\[(?!bg:)([-+\w]{1,4}:[-+\w.:,]{1,9})\]", re.ASCII)
_HEADING = re.compile(r"\[[^\]]*\]")
_SINGER = re.compile(r"(?P<name>v\d{1,4}|[FMD])\s?[:\uff1a]\s*", re.ASCII)


def read_lrc(text: str) -> Reading:
    """The lines of LRC or plain text. Never fails: what is not understood is told."""
    reader = _Reader(singers=_names_singers(text))
    for number, line in enumerate(text.split("\n"), 1):
        reader.line(number, line.strip())
    return reader.reading


def _names_singers(text: str) -> bool:
    """Whether prefixes name singers here: ``v1:`` always does, ``F:`` only beside another such letter."""
    lines = (_WORD_STAMP.sub("", line).strip() for line in text.split("\n"))
    names = {found["name"] for line in lines if (found := _SINGER.match(line))}
    return len(names) > 1 or any(len(name) > 1 for name in names)


@dataclass
class _Reader:
    singers: bool
    singer: str = ""
    reading: Reading = field(default_factory=Reading)
    last: StampedLine | None = None
    """The last line with text."""

    def line(self, number: int, line: str) -> None:
        if line.startswith("{") and line.endswith("}") and self._credit(number, line):
            return
        if sung := _BACKGROUND.fullmatch(line):
            self._background(number, sung["text"])
            return
        if tag := _TAG.fullmatch(line):
            self._offset(number, tag)
            return
        stamps: list[float] = []
        broken = False
        position = 0
        while True:
            if stamp := _STAMP.match(line, position):
                stamps.append(_seconds(stamp))
            elif (stamp := _BROKEN.match(line, position)) and ":" in stamp[1]:
                broken = True
            else:
                break
            position = stamp.end()
        line = line[position:].lstrip()
        if sung := _BACKGROUND.fullmatch(line):
            self._background(number, sung["text"], stamps)
            return
        if not stamps and (not line or _HEADING.fullmatch(line)):
            return
        self._add(number, stamps, self._sung(line), broken)

    def _sung(self, line: str) -> list[TimedText]:
        """The words of a line without its singer, who is remembered."""
        if self.singers and (named := _SINGER.match(line)):
            self.singer = named["name"]
            line = line[named.end() :]
        return _words(line)

    def _add(self, number: int, stamps: list[float], words: list[TimedText], broken: bool) -> None:
        if words and words[0][1] is not None and not stamps:
            stamps.append(words[0][1])
        if broken and not stamps:
            self.reading.warn(UNREADABLE_TIME, number)
        self.reading.sorted &= len(stamps) <= 1
        for start in stamps:
            if self.reading.full:
                self.reading.warn(TOO_MANY_REPEATS, number)
                return
            moved = start - stamps[0]
            placed = [(word, None if time is None else time + moved) for word, time in words]
            self._take(StampedLine(number, start, placed, singer=self.singer))
        if not stamps:
            self._take(StampedLine(number, None, words, singer=self.singer))

    def _take(self, entry: StampedLine) -> None:
        self.reading.add(entry)
        if entry.text:
            self.last = entry

    def _background(self, number: int, text: str, stamps: Sequence[float] = ()) -> None:
        """What is sung to the line before; a line of its own where there is none."""
        words = _words(text)
        sung = "".join(word for word, _ in words).strip()
        if not sung:
            return
        if self.last is None:
            self._add(number, list(stamps), words, broken=False)
        else:
            self.last.background = f"{self.last.background} {sung}".strip()

    def _credit(self, number: int, line: str) -> bool:
        """Take a JSON line as a credit; whether it is JSON."""
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return False
        text = _credit_text(said.get("c"))
        start = said.get("t")
        if text and isinstance(start, int) and not isinstance(start, bool) and 0 <= start < MAX_CREDIT_MS:
            self.reading.add(StampedLine(number, start / 1000, [(text, None)]))
        else:
            self.reading.warn(NO_LYRICS, number)
        return True

    def _offset(self, number: int, tag: re.Match[str]) -> None:
        if tag["id"].lower() != "offset":
            return
        if re.fullmatch(r"\s*[-+]?\d{1,9}\s*", tag["value"], re.ASCII):
            self.reading.offset = int(tag["value"]) / 1000
        else:
            self.reading.warn("an offset that is no number of milliseconds; ignored", number)


def _credit_text(pieces: Any) -> str:
    if not isinstance(pieces, list):
        return ""
    texts = [piece.get("tx") for piece in pieces if isinstance(piece, dict)]
    joined = "".join(text for text in texts if isinstance(text, str))
    return single_spaced("".join(one for one in joined if one.isprintable() or one.isspace())).strip()


def _seconds(match: re.Match[str], prefix: str = "") -> float:
    sign, *digits = (match[prefix + name] for name in ("sign", "h", "m", "s", "f"))
    value = clock_seconds(*digits)
    return -value if sign == "-" else value


def _words(line: str) -> list[TimedText]:
    """The line cut at its word times: each piece with the time before it."""
    pieces: list[TimedText] = []
    time, position = None, 0
    for stamp in _WORD_STAMP.finditer(line):
        pieces.append((line[position : stamp.start()], time))
        time = _seconds(stamp) if stamp["m"] else _seconds(stamp, "b")
        position = stamp.end()
    pieces.append((line[position:], time))
    return [(single_spaced(text), time) for text, time in pieces if text.strip() or time is not None]
