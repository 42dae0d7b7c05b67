"""Run of one event through its steps, and the record of the outcome."""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from antiphon.contract.results import Result, UnknownResult, read_result
from antiphon.errors import StorageError
from antiphon.receiver.follow_up.backoff import Backoff, Postponed
from antiphon.receiver.follow_up.notices import Notice, Watch
from antiphon.receiver.follow_up.paths import folder_of
from antiphon.receiver.follow_up.step import Delivery, GiveUp, Step, TryAgain
from antiphon.receiver.inbox.inbox import Event, Inbox, Work
from antiphon.receiver.inbox.large_body import LARGE_BODY_BYTES, LargeMidi
from antiphon.receiver.inbox.payload import load

log = logging.getLogger("antiphon.receiver")

UNREAD = "this version does not understand it: upgrade, then 'antiphon inbox retry'"
_MAX_ERROR_CHARS = 1000  # characters kept of an error
_PROGRESS_INTERVAL_S = 0.1  # seconds
_RECORD_RETRY_S = 1.0  # seconds between tries to write down what was done


@dataclass
class _ProgressReport:
    """Passes a step's progress on to the observer, not more often than a person can read it."""

    tell: Callable[[Notice], None]
    notice: Notice
    last: float = float("-inf")

    def __call__(self, fraction: float | None, text: str) -> None:
        now = time.monotonic()
        if now - self.last >= _PROGRESS_INTERVAL_S or fraction == 1:
            self.last = now
            self.tell(replace(self.notice, what="progress", fraction=fraction, text=text))


class EventRunner:
    """Takes events through ``steps``. Nothing that a step raises leaves ``take``, but ``StorageError`` may."""

    def __init__(
        self,
        inbox: Inbox,
        steps: Sequence[Step],
        backoff: Backoff,
        stopping: threading.Event,
        *,
        give_way: Callable[[], None] = lambda: None,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._inbox = inbox
        self._steps = tuple(steps)
        self._backoff = backoff
        self._stopping = stopping
        self._give_way = give_way
        self._watch = watch
        self._clock = clock
        self._dice = dice

    def take(self, work: Work) -> None:
        """Run the steps of an event that are still to do, and record the outcome. ``work`` was begun just now."""
        event = self._inbox.event(work.event_id)
        if event is None:  # pruned meanwhile
            return
        if event.kind == "unknown" and not event.failed:
            known = self._inbox.reread(event)
            if known is None:
                self._record(lambda: self._inbox.complete(work.event_id, (), {}))
                return
            event = known
        notice = Notice(event, "started", attempt=work.attempt)
        self._tell(notice)
        done = list(work.steps_done)
        try:
            delivery = self._delivery(event, work)
        except Exception as error:
            self._failed(replace(notice, step="reading"), work, error)
            return
        unread = self._is_unread(delivery.result)
        for step in self._steps:
            if step.name in done:
                continue
            now = replace(notice, step=step.name)
            try:
                made = self._checked(step.run(replace(delivery, report=_ProgressReport(self._tell, now))))
            except BaseException as error:  # a handler may even call sys.exit
                self._failed(now, work, error)
                return
            done.append(step.name)
            delivery = replace(delivery, files={**delivery.files, **made})
            if (
                step is not self._steps[-1] and not unread
            ):  # recorded once more with the last one, so nobody waits for the disk
                self._inbox.step_done(event.id, step.name, made, wait=False)
        if unread:
            self._give_up(notice, UNREAD, "unread")
            log.error("%s %s: %s", event.kind, event.task_id, UNREAD)
            return
        self._record(lambda: self._inbox.complete(event.id, done, delivery.files))
        self._tell(replace(notice, what="done"))

    def _is_unread(self, result: Result) -> bool:
        """A success that neither this version nor a handler of the user's understands."""
        understood = any(getattr(step, "reads_unknown", False) for step in self._steps)
        return isinstance(result, UnknownResult) and not understood

    def _checked(self, made: Mapping[str, Path]) -> dict[str, Path]:
        """The inbox knows its files relative to itself, so that it can be moved."""
        root = self._inbox.folder.absolute()
        for name, path in made.items():
            if not path.absolute().is_relative_to(root) or ".." in path.parts:
                raise GiveUp(f"the step put {name!r} at {path}, outside the inbox {root}; use delivery.folder")
        return dict(made)

    def _delivery(self, event: Event, work: Work) -> Delivery:
        return Delivery(
            event=event,
            result=_result(event),
            attempt=work.attempt,
            folder=folder_of(self._inbox.folder, event),
            files={name: self._inbox.folder / path for name, path in work.files.items()},
            expires_at=work.expires_at,
            report=lambda fraction, text: None,
            stopping=self._stopping,
            give_way=self._give_way,
        )

    def _failed(self, notice: Notice, work: Work, error: BaseException) -> None:
        text = _explain(error)
        event = notice.event
        trace = None if isinstance(error, TryAgain | GiveUp) else error
        where = f"{event.kind} {event.task_id}: step {notice.step}"
        if self._stopping.is_set() and isinstance(error, TryAgain):  # broken off by us, so not put off
            self._record(lambda: self._inbox.break_off(event.id, text))
            return
        if isinstance(error, GiveUp):
            self._give_up(notice, text, error.state)
            log.error("%s: %s", where, text)
            return
        verdict = self._backoff.after(
            work.tries,
            now=self._clock(),
            asked=error.after if isinstance(error, TryAgain) else None,
            dice=self._dice(),
        )
        if isinstance(verdict, Postponed):
            self._record(lambda: self._inbox.postpone(event.id, verdict.until, text))
            pause = verdict.until - self._clock()
            log.warning("%s: try %d failed, next in %.0f s: %s", where, work.attempt, pause, text, exc_info=trace)
            self._tell(replace(notice, what="retry", text=text, until=verdict.until))
        else:
            self._give_up(notice, f"{text} ({verdict.why})", "failed")
            log.error("%s: given up, %s: %s", where, verdict.why, text, exc_info=trace)

    def _give_up(self, notice: Notice, text: str, state: Literal["failed", "expired", "unread"]) -> None:
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
                self._stopping.wait(_RECORD_RETRY_S)

    def _tell(self, notice: Notice) -> None:
        if self._watch is not None:
            try:
                self._watch(notice)
            except Exception:
                log.exception("who watches the receiver failed")


def _result(event: Event) -> Result:
    if event.kind == "midi" and not event.failed and len(event.body) > LARGE_BODY_BYTES:
        return LargeMidi(event.task_id, event.body)
    return read_result(load(event.body))


def _explain(error: BaseException) -> str:
    known = isinstance(error, TryAgain | GiveUp)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    return text[:_MAX_ERROR_CHARS] or type(error).__name__
