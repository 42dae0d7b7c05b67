"""Interface of a follow-up step: the delivery that it gets, and the errors that ask for another try or give up."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from antiphon.contract.results import Result
from antiphon.receiver.inbox.inbox import Event

Progress = Callable[[float | None, str], None]
"""Fraction 0–1 (None: not known) and what is being done, in a few words."""


@dataclass(frozen=True)
class Delivery:
    """An event and its result, as each step and handler gets it.

    Attributes:
        attempt: Counts from 1; above that a step may have run before, wholly or in part.
        folder: The event's own folder, under the inbox.
        files: Files that earlier steps have put there, by name (``midi.json``, ``song.mid``, ``video``, ``vocal``, …).
        expires_at: Unix seconds at which the result's links expire.
        report: Takes the progress of a step.
        stopping: Set when the worker is being stopped: a long step should break off then and raise ``TryAgain``.
        give_way: To be called between pieces of work; waits a moment while callbacks come in, which go first.
    """

    event: Event
    result: Result
    attempt: int
    folder: Path
    files: Mapping[str, Path]
    expires_at: float
    report: Progress
    stopping: threading.Event = field(default_factory=threading.Event)
    give_way: Callable[[], None] = lambda: None


class Step(Protocol):
    """A piece of the follow-up. ``run`` is called in a thread of its own and must be idempotent: it may be called
    again after it has run.

    ``run`` returns the files that it has put in place, by name. It raises ``TryAgain`` or ``GiveUp``; any other
    exception is tried again too.
    """

    name: str

    def run(self, delivery: Delivery) -> Mapping[str, Path]: ...


class TryAgain(Exception):
    """The step did not succeed now; ``after`` is in seconds, None leaves it to the schedule."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class GiveUp(Exception):
    """The step cannot succeed by itself; a person may retry it, unless it has expired."""

    def __init__(self, message: str, state: Literal["failed", "expired"] = "failed") -> None:
        super().__init__(message)
        self.state = state
