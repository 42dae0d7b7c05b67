"""The passage of one event through its steps, and what is recorded of it."""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from antiphon.contract.results import read_result
from antiphon.errors import StorageError
from antiphon.receiver.delivery import Delivery, GiveUp, Step, TryAgain
from antiphon.receiver.inbox import Event, Inbox, Work
from antiphon.receiver.names import folder_of
from antiphon.receiver.schedule import Backoff, Postponed
from antiphon.receiver.watching import Notice, Watch

log = logging.getLogger("antiphon.receiver")

_LONGEST_ERROR = 1000  # characters kept of an error
_PROGRESS_EVERY = 0.1  # seconds
_RECORD_AGAIN = 1.0  # seconds between tries to write down what was done


@dataclass
class _Report:
    """Passes a step's progress on to who watches, not more often than somebody can look."""

    tell: Callable[[Notice], None]
    notice: Notice
    last: float = float("-inf")

    def __call__(self, fraction: float | None, text: str) -> None:
        now = time.monotonic()
        if now - self.last >= _PROGRESS_EVERY or fraction == 1:
            self.last = now
            self.tell(replace(self.notice, what="progress", fraction=fraction, text=text))


class Passage:
    """Takes events through ``steps``. Nothing that a step raises leaves ``take``, but ``StorageError`` may."""

    def __init__(
        self,
        inbox: Inbox,
        steps: Sequence[Step],
        backoff: Backoff,
        stopping: threading.Event,
        *,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._inbox = inbox
        self._steps = tuple(steps)
        self._backoff = backoff
        self._stopping = stopping
        self._watch = watch
        self._clock = clock
        self._dice = dice

    def take(self, event_id: int) -> None:
        """Run the steps of one event that are still to do, and record the outcome."""
        event = self._inbox.event(event_id)
        if event is None:  # pruned meanwhile
            return
        work = self._inbox.begin(event_id)
        notice = Notice(event, "started", attempt=work.attempt)
        self._tell(notice)
        try:
            delivery = self._delivery(event, work)
        except Exception as error:
            self._failed(replace(notice, step="reading"), work, error)
            return
        for step in self._steps:
            if step.name not in work.steps_done:
                now = replace(notice, step=step.name)
                try:
                    made = dict(step.run(replace(delivery, report=_Report(self._tell, now))))
                except BaseException as error:  # a handler may even call sys.exit
                    self._failed(now, work, error)
                    return
                self._record(partial(self._inbox.step_done, event_id, step.name, made))
                delivery = replace(delivery, files={**delivery.files, **made})
        self._record(partial(self._inbox.finish, event_id))
        self._tell(replace(notice, what="done"))

    def _delivery(self, event: Event, work: Work) -> Delivery:
        return Delivery(
            event=event,
            result=read_result(json.loads(event.body)),
            attempt=work.attempt,
            folder=folder_of(self._inbox.folder, event),
            files={name: self._inbox.folder / path for name, path in work.files.items()},
            expires_at=work.expires_at,
            report=lambda fraction, text: None,
            stopping=self._stopping,
        )

    def _failed(self, notice: Notice, work: Work, error: BaseException) -> None:
        text = _in_words(error)
        event = notice.event
        trace = None if isinstance(error, TryAgain | GiveUp) else error
        where = f"{event.kind} {event.task_id}: step {notice.step}"
        if self._stopping.is_set() and isinstance(error, TryAgain):  # broken off by us, so not put off
            self._record(lambda: self._inbox.postpone(event.id, self._clock(), text))
            return
        if isinstance(error, GiveUp):
            self._give_up(notice, text, error.state)
            log.error("%s: %s", where, text)
            return
        verdict = self._backoff.after(
            work.tries,
            now=self._clock(),
            expires_at=work.expires_at,
            asked=error.after if isinstance(error, TryAgain) else None,
            dice=self._dice(),
        )
        if isinstance(verdict, Postponed):
            self._record(lambda: self._inbox.postpone(event.id, verdict.until, text))
            pause = verdict.until - self._clock()
            log.warning("%s: try %d failed, next in %.0f s: %s", where, work.attempt, pause, text, exc_info=trace)
            self._tell(replace(notice, what="retry", text=text, until=verdict.until))
        else:
            self._give_up(notice, f"{text} ({verdict.why})", verdict.state)
            log.error("%s: given up, %s: %s", where, verdict.why, text, exc_info=trace)

    def _give_up(self, notice: Notice, text: str, state: Literal["failed", "expired"]) -> None:
        self._record(lambda: self._inbox.give_up(notice.event.id, text, state))
        self._tell(replace(notice, what=state, text=text))

    def _record(self, write: Callable[[], object]) -> None:
        """Write down what was done, however long the disk stays full: else it would be done once more."""
        while True:
            try:
                write()
                return
            except StorageError as error:
                if self._stopping.is_set():
                    raise
                log.warning("what was done cannot be recorded, trying again: %s", error)
                self._stopping.wait(_RECORD_AGAIN)

    def _tell(self, notice: Notice) -> None:
        if self._watch is not None:
            try:
                self._watch(notice)
            except Exception:
                log.exception("who watches the receiver failed")


def _in_words(error: BaseException) -> str:
    known = isinstance(error, TryAgain | GiveUp)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    return text[:_LONGEST_ERROR] or type(error).__name__
