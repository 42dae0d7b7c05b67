"""What follows an acknowledged callback: a delivery goes through steps, each of which may be tried again."""

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
    """An event on its way through the steps. ``attempt`` counts from 1: above that a step may have run before,
    wholly or in part, and was broken off. ``folder`` is the event's own, under the inbox; what earlier steps have
    put there is in ``files``, by name (``midi.json``, ``song.mid``, ``video``, ``vocal``, …). ``stopping`` is set when
    the worker is being stopped: a step that takes long should break off then and raise ``TryAgain``. Between pieces of
    its work it should call ``give_way``, which waits a moment while callbacks come in: acknowledging goes first."""

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
    """``run`` is called in a thread of its own. It returns when all is done, raises ``TryAgain`` or ``GiveUp``;
    any other exception is tried again too. It may be called again after it has run, so it must be idempotent.
    It gives the files that it has put in place, by name."""

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
