"""View of ``antiphon receive`` on a terminal: a table of the last callbacks, as lines of text."""

import threading
import time
import unicodedata
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TextIO

if TYPE_CHECKING:
    from antiphon.receiver.follow_up.notices import Notice
    from antiphon.receiver.inbox.inbox import Event
    from antiphon.receiver.inbox.listing import Entry

MAX_ROWS = 200
MAX_MESSAGES = 50
MIN_MESSAGES = 3  # shown below the table even when there are more events than lines
MIN_STATE_CELLS = 12  # cells, if there are so many
MAX_ID_CELLS = 48
GAP = "  "

Colour = Literal["", "bold", "dim", "red", "green", "yellow", "cyan"]
_CODES: Final[dict[Colour, int]] = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_OF_STATE: Final[dict[str, Colour]] = {
    "done": "green",
    "failed": "red",
    "expired": "red",
    "unread": "red",
    "retry": "yellow",
    "started": "cyan",
    "progress": "cyan",
}


@dataclass(frozen=True)
class BoardRow:
    """One event: ``what`` is the last that was told of it, ``until`` the Unix time of its next try."""

    received_at: float
    kind: str
    task_id: str
    outcome: str
    repeats: int
    what: str = ""
    text: str = ""
    fraction: float | None = None
    until: float | None = None

    def cells(self, now: float) -> tuple[str, str, str, str, str, str]:
        again = f"{self.repeats:,}" if self.repeats else ""
        return clock(self.received_at), self.kind, self.task_id or "-", self.outcome, again, self.state(now)

    def state(self, now: float) -> str:
        if self.what == "retry":
            wait = f"again in {span(self.until - now)}" if self.until else "again soon"
            return f"{wait}: {self.text}"
        if self.what == "progress":
            done = "" if self.fraction is None else f"{self.fraction:4.0%} "
            return f"{done}{self.text}"
        return {"new": "waits", "started": "works"}.get(self.what, self.what) + (f": {self.text}" if self.text else "")


class Board:
    """Collects what a receiver tells, in any thread, and draws it."""

    def __init__(self, *, colours: bool = True) -> None:
        self.changed = threading.Event()
        self._head: list[tuple[str, Colour]] = []
        self._colours = colours
        self._lock = threading.Lock()
        self._rows: OrderedDict[int, BoardRow] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._messages: deque[tuple[float, str, Colour]] = deque(maxlen=MAX_MESSAGES)

    def notice(self, notice: "Notice") -> None:
        """Take up what was told of an event."""
        with self._lock:
            event = notice.event
            before = self._rows.get(event.id) or row_of(event)
            if notice.what in ("new", "repeat"):
                self._counts["received"] += 1
            if notice.what == "repeat":
                self._counts["repeated"] += 1
                self._put(event.id, replace(before, repeats=event.repeats))
            else:
                now = replace(before, what=notice.what, text=notice.text, fraction=notice.fraction, until=notice.until)
                self._put(event.id, now)
                if notice.what in ("done", "failed", "expired", "unread"):
                    self._counts[notice.what] += 1
        self.changed.set()

    def _put(self, event_id: int, row: BoardRow) -> None:
        self._rows[event_id] = row
        if len(self._rows) > MAX_ROWS:
            self._rows.popitem(last=False)

    def entitle(self, line: str, colour: Colour = "bold") -> None:
        """Add a line to those that stand above all."""
        with self._lock:
            self._head.append((line, colour))
        self.changed.set()

    def say(self, text: str, colour: Colour = "") -> None:
        """Show a line below the table; the last few stay."""
        with self._lock:
            self._messages.extend((time.time(), line, colour) for line in text.splitlines())
        self.changed.set()

    def lines(self, columns: int, rows: int, now: float) -> list[str]:
        """The board as it is, at most ``rows`` lines, none wider than ``columns`` cells; the newest event first."""
        with self._lock:
            events = list(reversed(self._rows.values()))
            messages = [(f"{clock(at)}  {text}", colour) for at, text, colour in self._messages]
            top = [*self._head, (self._summary(), "")]
        room = max(0, rows - len(top) - 3)  # but for two empty lines and the table's head
        below = messages[-max(MIN_MESSAGES, room - len(events)) :]
        lines = [self._paint(fit(line, columns), colour) for line, colour in top]
        lines += ["", *self._table(events[: max(0, room - len(below))], columns, now)]
        lines += ["", *(self._paint(fit(line, columns), colour) for line, colour in below)] if below else []
        return lines[:rows]

    def _summary(self) -> str:
        parts = [f"{self._counts['received']:,} received"]
        named = ("repeated", "done", "failed", "expired", "unread")
        parts += [f"{self._counts[name]:,} {name}" for name in named if self._counts[name]]
        return " · ".join(parts)

    def _table(self, events: list[BoardRow], columns: int, now: float) -> list[str]:
        if not events:
            return [self._paint(fit("nothing has come yet", columns), "dim")]
        table = [("TIME", "KIND", "TASK", "OUTCOME", "AGAIN", "STATE"), *(row.cells(now) for row in events)]
        widths = _widths(table, columns)
        lines = [self._paint(fit(_cells(table[0], widths), columns), "dim")]
        for row, cells in zip(events, table[1:], strict=True):
            start = fit(_cells(cells[:-1], widths[:-1]) + GAP, columns)
            state = fit(cells[-1], widths[-1])
            lines.append(start + self._paint(state, _OF_STATE.get(row.what, "")))
        return lines

    def _paint(self, text: str, colour: Colour) -> str:
        return paint(text, colour) if self._colours else text


def row_of(event: "Event") -> BoardRow:
    return BoardRow(event.received_at, event.kind, event.task_id, outcome_of(event), event.repeats)


def outcome_of(event: "Event | Entry") -> str:
    """success, or what came instead; and the version if the task came with another outcome before."""
    if event.failed:  # by its state or its link, too, whatever the code
        outcome = "failed" if event.code in (200, 500, None) else f"code {event.code}"
    else:
        outcome = "no code" if event.code is None else "success"
    return outcome if event.version == 1 else f"{outcome} v{event.version}"


def clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def span(seconds: float) -> str:
    """A duration in words: 14 s, 3 min, 5 h, 12 d."""
    seconds = max(0.0, seconds)
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 360_000 else f"{seconds / 86400:.0f} d"


def _widths(table: Sequence[Sequence[str]], columns: int) -> list[int]:
    """Cells per column: as many as its texts need, but ids are cut before a state has less than ``MIN_STATE_CELLS``."""
    needed = [max(width_of(row[place]) for row in table) for place in range(len(table[0]) - 1)]
    left = columns - sum(needed) - len(GAP) * len(needed)
    task = max(8, min(needed[2], MAX_ID_CELLS, needed[2] + left - MIN_STATE_CELLS))
    return [*needed[:2], task, *needed[3:], max(0, left + needed[2] - task)]


def _cells(texts: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(fit(text, width, pad=True) for text, width in zip(texts, widths, strict=True) if width)


def fit(text: str, width: int, *, pad: bool = False) -> str:
    """At most ``width`` cells of a terminal: control characters gone, wide ones counted twice, ``…`` where cut."""
    shown: list[str] = []
    used = 0
    for character in printable(text[: max(0, width) * 4]):  # some take no cell
        cells = _cells_of(character)
        if used + cells > width:
            while shown and used + 1 > width:
                used -= _cells_of(shown.pop())
            shown.append("…")
            used += 1
            break
        shown.append(character)
        used += cells
    return "".join(shown) + (" " * (width - used) if pad else "")


def width_of(text: str) -> int:
    """The cells that it takes on a terminal."""
    return sum(map(_cells_of, text))


def paint(text: str, colour: Colour) -> str:
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if colour and text else text


def encodable(text: str, stream: TextIO) -> str:
    """With a question mark for each character that ``stream`` cannot write."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def printable(text: str) -> str:
    """With a space for each character that would do something to a terminal instead of being seen."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
