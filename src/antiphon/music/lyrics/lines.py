"""Lines of lyrics as a video shows them: in the order of time, none beside another."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

Singer = Literal["first", "second", "both"]
"""Who sings a line of a duet."""


@dataclass(frozen=True)
class Word:
    """A piece of a line, its spaces included, and the seconds in which it is sung: None where only lines have times."""

    text: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Line:
    """A line that is the current one from ``start`` to ``end`` seconds. Either all its words have times or none.

    Attributes:
        singer: Of a duet; None where the text names nobody.
        background: What background voices sing to it; most often nothing.
    """

    start: float
    end: float
    words: tuple[Word, ...]
    singer: Singer | None = None
    background: str = ""

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
    """Lines in the order of time that do not overlap. ``warnings`` name the lines of the text that are not right."""

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
