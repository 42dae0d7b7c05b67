"""Lyrics as a file writes them down: its lines with their times, and what was wrong with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_LISTED_LINES = 5
MAX_SHOWN_CHARS = 300_000
"""Characters of all lines and words of one file, each counted at each of its times, and one more for each: a line may
come back thousands of times."""

UNREADABLE_TIME = "no time that can be read; put between its neighbours"
TIME_BEFORE_START = "a time before the song's start; shown from its start on"
TIME_AFTER_END = "a time after the song's end; left out"
LINE_OUT_OF_ORDER = "an earlier time than the line above; put in the order of time"
WORDS_OUT_OF_ORDER = "words whose times do not ascend; put at the time of the word before"
TOO_MANY_REPEATS = f"with the lines that come back more than {MAX_SHOWN_CHARS:,} characters in all; left out"
NO_LYRICS = "no lyrics as this format writes them; left out"

TimedText = tuple[str, float | None]
"""A piece of a line, and the second at which it begins, if the file says so."""


@dataclass
class StampedLine:
    """A line as it stands in a file, at one of its times.

    Attributes:
        number: Of the line in the file, from 1.
        start: Second at which it begins; None where the file does not say.
        words: Its pieces, with times in seconds of the song; none: a pause.
        end: Second at which it ends, where the file says so.
        singer: The file's name for who sings it: ``v1``, ``F``, ``Anna``; empty: nobody is named.
        background: What background voices sing to it.
    """

    number: int
    start: float | None
    words: list[TimedText]
    end: float | None = None
    singer: str = ""
    background: str = ""

    @property
    def text(self) -> str:
        return "".join(word for word, _ in self.words).strip()


@dataclass
class Reading:
    """What was read of a file.

    Attributes:
        entries: Its lines, as they stand.
        offset: Seconds by which everything is sung sooner than the times say.
        sorted: Whether the lines should stand in the order of time, so that one that does not is told.
    """

    entries: list[StampedLine] = field(default_factory=list)
    offset: float = 0.0
    sorted: bool = True
    _shown_chars: int = 0
    _found: dict[str, dict[int, None]] = field(default_factory=dict)

    def add(self, entry: StampedLine) -> None:
        """Add a line, unless there are too many already, which is told."""
        if self.full:
            self.warn(TOO_MANY_REPEATS, entry.number)
            return
        self._shown_chars += 1 + sum(len(word) + 1 for word, _ in entry.words)
        self.entries.append(entry)

    @property
    def full(self) -> bool:
        """Whether there are so many lines and words that no more are taken."""
        return self._shown_chars >= MAX_SHOWN_CHARS

    def warn(self, what: str, number: int) -> None:
        """Tell that ``what`` is wrong with the line of that number."""
        self._found.setdefault(what, {})[number] = None

    def warnings(self) -> tuple[str, ...]:
        return tuple(f"'lyrics': {_listed(list(numbers))}: {what}" for what, numbers in self._found.items())


def clock_seconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    """Seconds of a clock's digits; ``fraction`` holds those behind the point. None or empty parts are 0."""
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction or 0}")


def single_spaced(text: str) -> str:
    """The text with every run of white space as one space."""
    return re.sub(r"\s+", " ", text)


def _listed(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - MAX_LISTED_LINES} more" if len(numbers) > MAX_LISTED_LINES else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:MAX_LISTED_LINES]))}{more}"
