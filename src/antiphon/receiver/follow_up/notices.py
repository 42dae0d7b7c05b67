"""Notices of a receiver to its observer: callbacks that came, and the progress of their follow-ups."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from antiphon.receiver.inbox.inbox import Event

What = Literal["new", "repeat", "started", "progress", "retry", "done", "failed", "expired", "unread"]


@dataclass(frozen=True)
class Notice:
    """``new`` and ``repeat`` say that a callback was kept; the others, how its follow-ups go on.

    ``step`` is the step's name; ``text`` what is being done, or the error; ``fraction`` 0–1, None when not known;
    ``until`` the Unix time of the next try, with ``retry``; ``attempt`` counts from 1, 0 when nothing has started.
    """

    event: Event
    what: What
    step: str = ""
    text: str = ""
    fraction: float | None = None
    until: float | None = None
    attempt: int = 0


Watch = Callable[[Notice], None]
"""Called from several threads, also from the one that acknowledges: it must be quick. What it raises is logged."""
