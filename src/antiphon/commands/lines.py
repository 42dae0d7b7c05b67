"""Output of ``antiphon receive`` without a terminal: a line for each event."""

import queue
import threading
import time
from typing import TYPE_CHECKING, TextIO

from antiphon.commands.board import Colour, clock, encodable, outcome_of, paint, printable

if TYPE_CHECKING:
    from antiphon.receiver.follow_up.notices import Notice

MAX_WAITING = 10_000  # lines
_MAX_BATCH = 500  # lines that are written together, if there are so many


class Lines:
    """Prints to ``stream`` in a thread of its own: whoever reads slowly holds up no acknowledgement. What is more than
    ``MAX_WAITING`` lines behind is left out, and counted."""

    def __init__(self, stream: TextIO, *, colours: bool = False) -> None:
        self._stream = stream
        self._colours = colours
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="antiphon-lines", daemon=True)

    def __enter__(self) -> "Lines":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._queue.put(None)
        self._thread.join(timeout=2)

    def notice(self, notice: "Notice") -> None:
        """Say that a callback came, or what became of it at last. Failures are logged, and come that way."""
        event = notice.event
        about = f"{event.kind:<10}  {event.task_id or f'event {event.id}'}"
        if notice.what in ("new", "repeat"):
            again = "new" if notice.what == "new" else f"repeat {event.repeats}"
            self.say(f"{about}  {outcome_of(event)}  {again}", "" if not event.failed else "yellow")
        elif notice.what == "done":
            self.say(f"{about}  done", "green")

    def entitle(self, line: str, colour: Colour = "bold") -> None:
        self.say(line, colour)

    def say(self, text: str, colour: Colour = "") -> None:
        if self._queue.qsize() >= MAX_WAITING:
            self._left_out += 1
            return
        now = clock(time.time())
        for line in text.splitlines():
            text = f"{now}  {printable(line)}"
            self._queue.put(paint(text, colour) if self._colours else text)

    def _run(self) -> None:
        more = True
        while more:
            lines = [self._queue.get()]
            while len(lines) < _MAX_BATCH and not self._queue.empty():
                lines.append(self._queue.get())
            if self._left_out and self._queue.empty():
                left_out, self._left_out = self._left_out, 0
                lines.append(f"{left_out:,} lines were left out: whoever reads them is too slow")
            more = None not in lines
            try:
                text = "".join(f"{line}\n" for line in lines if line is not None)
                self._stream.write(encodable(text, self._stream))
                self._stream.flush()
            except OSError:  # nobody reads any more; the receiver goes on
                return
