"""What ``antiphon receive`` prints where there is no terminal: a line for each thing that happens."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.commands.board import Colour, clock, outcome_of, printable

if TYPE_CHECKING:
    from antiphon.receiver.watching import Notice

MOST_WAITING = 10_000  # lines


class Lines:
    """Prints by ``write`` in a thread of its own: whoever reads slowly holds up no acknowledgement. What is more than
    ``MOST_WAITING`` lines behind is left out, and counted."""

    def __init__(self, write: Callable[[str, Colour], None]) -> None:
        self._write = write
        self._queue: queue.SimpleQueue[tuple[str, Colour] | None] = queue.SimpleQueue()
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
            self.say(f"{about}  {outcome_of(event)}  {again}", "" if event.code == 200 else "yellow")
        elif notice.what == "done":
            self.say(f"{about}  done", "green")

    def entitle(self, line: str, colour: Colour = "bold") -> None:
        self.say(line, colour)

    def say(self, text: str, colour: Colour = "") -> None:
        if self._queue.qsize() >= MOST_WAITING:
            self._left_out += 1
            return
        now = clock(time.time())
        for line in text.splitlines():
            self._queue.put((f"{now}  {printable(line)}", colour))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._write(*item)
                if self._left_out and self._queue.empty():
                    left_out, self._left_out = self._left_out, 0
                    self._write(f"{left_out:,} lines were left out: whoever reads them is too slow", "yellow")
            except OSError:  # nobody reads any more; the receiver goes on
                return
