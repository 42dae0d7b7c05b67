"""Full-screen view on a terminal, redrawn when its content or the window's size has changed."""

import shutil
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from antiphon.commands.board import Board, Colour, encodable

if TYPE_CHECKING:
    from antiphon.receiver.follow_up.notices import Notice

MIN_REDRAW_S = 0.1  # at least between two drawings
MAX_REDRAW_S = 1.0  # at most: times to wait count down, and the window may have changed

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # the other screen, no cursor, no wrapping
_LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know it show all between at once


def _size() -> tuple[int, int]:
    size = shutil.get_terminal_size()
    return size.columns, size.lines


class Screen:
    """Shows a board on ``stream`` in a thread of its own, until the ``with`` is left. Then the terminal is as before,
    with the board's last lines in it."""

    def __init__(self, board: Board, stream: TextIO, *, size: Callable[[], tuple[int, int]] = _size) -> None:
        self._board = board
        self._stream = stream
        self._size = size
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="antiphon-screen", daemon=True)

    def __enter__(self) -> "Screen":
        self._write(_ENTER)
        self._thread.start()
        return self

    def notice(self, notice: "Notice") -> None:
        self._board.notice(notice)

    def entitle(self, line: str, colour: Colour = "bold") -> None:
        self._board.entitle(line, colour)

    def say(self, text: str, colour: Colour = "") -> None:
        self._board.say(text, colour)

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._board.changed.set()
        self._thread.join(timeout=2)
        columns, rows = self._size()
        last = self._board.lines(columns, rows - 1, time.time())
        self._write(_LEAVE + "".join(f"{line}\n" for line in last))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._board.changed.clear()
            columns, rows = self._size()
            drawn = self._board.lines(columns, rows, time.time())
            if not self._write(f"{_BEGIN}\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in drawn) + f"\x1b[J{_END}"):
                return
            self._board.changed.wait(MAX_REDRAW_S)
            self._stopping.wait(MIN_REDRAW_S)

    def _write(self, text: str) -> bool:
        """False when the terminal is gone; the receiver goes on without it."""
        try:
            self._stream.write(encodable(text, self._stream))
            self._stream.flush()
        except OSError:
            return False
        return True
