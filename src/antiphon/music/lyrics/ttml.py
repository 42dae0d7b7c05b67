"""TTML as lyrics: paragraphs with times, singers (``ttm:agent``), words and background voices in ``span``.

Timed Text Markup Language 2: https://www.w3.org/TR/ttml2/. Times within a paragraph count from its own start there;
music services write them from the song's start. Both are read: a file in which no word begins before its paragraph has
the song's times.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from antiphon.music.lyrics.entries import NO_LYRICS, UNREADABLE_TIME, Reading, StampedLine, TimedText, single_spaced

MAX_DEPTH = 50

_METADATA = "http://www.w3.org/ns/ttml#metadata"
_PARAMETER = "http://www.w3.org/ns/ttml#parameter"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_ROOT = re.compile(r"(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:\w+:)?tt[\s>]", re.DOTALL)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,6})?)(?::(\d{1,3}))?", re.ASCII)
_OFFSET = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|m|s|ms|f|t)?", re.ASCII)
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def is_ttml(text: str) -> bool:
    """Whether this is TTML: its root is ``tt``."""
    return _ROOT.match(text.lstrip()) is not None


def read_ttml(text: str) -> Reading:
    """The paragraphs of a TTML document. Of one that is no XML nothing is read, and told."""
    reading = Reading(sorted=False)
    root = None if "<!DOCTYPE" in text or "<!ENTITY" in text else _parsed(text)
    if root is None or _depth(root) > MAX_DEPTH:
        reading.warn("TTML that cannot be read: export it again, without a DOCTYPE", 1)
        return reading
    clock = _Clock.of(root)
    body = next((element for element in root.iter() if _name(element) == "body"), None)
    paragraphs = list(_paragraphs(body, clock, clock.seconds(body.get("begin")) or 0.0)) if body is not None else []
    absolute = _absolute(paragraphs, clock)
    groups = {_agent_id(agent) for agent in root.iter(f"{{{_METADATA}}}agent") if agent.get("type") == "group"}
    for number, (element, start, end, singer) in enumerate(paragraphs, 1):
        if start is None:
            reading.warn(UNREADABLE_TIME, number)
        within = 0.0 if absolute else start or 0.0
        words = _WordCollector(clock, within)
        words.read(element)
        named = "both" if singer in groups else singer
        sung, background = words.sung, words.background
        if background and not any(word.strip() for word, _ in sung):
            sung, background = [(background, start)], ""
        if sung:
            reading.add(StampedLine(number, start, sung, end, named, background))
    if not paragraphs:
        reading.warn(NO_LYRICS, 1)
    return reading


@dataclass(frozen=True)
class _Clock:
    frame_s: float
    tick_s: float

    @classmethod
    def of(cls, root: Element) -> "_Clock":
        frames, ticks = (_positive(root.get(f"{{{_PARAMETER}}}{name}")) for name in ("frameRate", "tickRate"))
        return cls(1 / (frames or 30), 1 / (ticks or frames or 1))

    def seconds(self, time: str | None) -> float | None:
        """A time expression in seconds; None: there is none, or one that cannot be read."""
        said = (time or "").strip()
        if clock := _CLOCK.fullmatch(said):
            hours, minutes, seconds, frames = clock.groups()
            whole = 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds)
            return whole + int(frames or 0) * self.frame_s
        if offset := _OFFSET.fullmatch(said):
            units = _UNIT_S | {"f": self.frame_s, "t": self.tick_s}
            return float(offset[1]) * units[offset[2] or "s"]
        return None


@dataclass
class _WordCollector:
    """Collects the words of a paragraph, and apart from them what background voices sing."""

    clock: _Clock
    within: float

    def __post_init__(self) -> None:
        self._pieces: list[tuple[list[str], float | None]] = []
        self._behind: list[str] = []

    @property
    def sung(self) -> list[TimedText]:
        return [(single_spaced("".join(texts)), start) for texts, start in self._pieces]

    @property
    def background(self) -> str:
        return single_spaced("".join(self._behind)).strip()

    def read(self, element: Element, time: float | None = None, *, behind: bool = False) -> None:
        self._add(element.text, time, behind)
        for child in element:
            name = _name(child)
            if name == "br":
                self._add(" ", None, behind)
            elif name == "span":
                begun = self.clock.seconds(child.get("begin"))
                role = child.get(f"{{{_METADATA}}}role", "")
                if role not in ("x-translation", "x-roman"):
                    start = None if begun is None else begun + self.within
                    self.read(child, start, behind=behind or role == "x-bg")
            self._add(child.tail, None, behind)

    def _add(self, text: str | None, time: float | None, behind: bool) -> None:
        if not text or (not text.strip() and "\n" in text):  # the indentation of the file
            text = ""
        if behind:
            self._behind.append(text)
        elif text and time is None and self._pieces:
            self._pieces[-1][0].append(text)
        elif text.strip():
            self._pieces.append(([text], time))


_Paragraph = tuple[Element, float | None, float | None, str]


def _paragraphs(element: Element, clock: _Clock, since: float, singer: str = "") -> Iterator[_Paragraph]:
    """Each paragraph with its start and end in seconds of the song, and its singer."""
    singer = element.get(f"{{{_METADATA}}}agent", singer)
    for child in element:
        begun, ended, lasts = (clock.seconds(child.get(name)) for name in ("begin", "end", "dur"))
        if _name(child) == "p":
            start = None if begun is None else since + begun
            end = since + ended if ended is not None else None
            if end is None and start is not None and lasts is not None:
                end = start + lasts
            yield child, start, end, child.get(f"{{{_METADATA}}}agent", singer)
        elif _name(child) == "div":
            yield from _paragraphs(child, clock, since + _own_start(child, begun, clock), singer)


def _own_start(division: Element, begun: float | None, clock: _Clock) -> float:
    """What the paragraphs' times count from: a division's start, unless one of them begins before it."""
    starts = [clock.seconds(child.get("begin")) for child in division if _name(child) == "p"]
    absolute = all(start is None or start >= (begun or 0.0) for start in starts)
    return 0.0 if begun is None or absolute else begun


def _absolute(paragraphs: list[_Paragraph], clock: _Clock) -> bool:
    for element, start, _, _ in paragraphs:
        for child in element.iter():
            begun = clock.seconds(child.get("begin")) if _name(child) == "span" else None
            if begun is not None and start is not None and begun < start - 1e-3:
                return False
    return True


def _parsed(text: str) -> Element | None:
    try:
        return ElementTree.fromstring(text.strip().replace("&nbsp;", "&#160;"))  # noqa: S314 - it has no DOCTYPE, so no entities
    except (ElementTree.ParseError, ValueError):
        return None


def _depth(root: Element) -> int:
    depth, level = 0, [root]
    while level and depth <= MAX_DEPTH:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _agent_id(agent: Element) -> str:
    return agent.get(_ID, "")


def _positive(number: str | None) -> float | None:
    return float(number) if number and re.fullmatch(r"[1-9]\d{0,8}", number, re.ASCII) else None
