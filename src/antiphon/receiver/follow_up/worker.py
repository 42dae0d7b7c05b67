"""Worker: runs the follow-ups of acknowledged events, in one process at a time, until each is done."""

import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from antiphon.errors import StorageError
from antiphon.receiver.follow_up.backoff import Backoff
from antiphon.receiver.follow_up.notices import Watch
from antiphon.receiver.follow_up.runner import EventRunner
from antiphon.receiver.follow_up.step import Step
from antiphon.receiver.inbox.inbox import Inbox, Work
from antiphon.receiver.inbox.large_body import LARGE_BODY_BYTES

log = logging.getLogger("antiphon.receiver")

LEAD_POLL_S = 0.25  # between tries to become the process that works
WORK_POLL_S = 1.0  # after which work that another process has brought is seen at the latest
MAX_YIELD_S = 0.2  # that follow-ups wait while many requests come in
_YIELD_POLL_S = 0.01  # between looks whether they still do
_MIN_PAUSE_S = 0.01  # between turns, however much comes
_EVENTS_AHEAD = 8  # per thread, taken from the inbox at once
_MAX_EXTRA_THREADS = 4  # further threads per thread, when those are held up


class Worker:
    """Runs ``steps`` for the events of ``inbox`` while this process holds the inbox's lead.

    Steps are run in order; one that was done is not run again. Large events are followed up one at a time, because of
    the memory that they take. The threads are daemons: they do not keep a process alive.

    Args:
        workers: Number of threads.
        backoff: Schedule by which failures are tried again.
        patience: Seconds after which a step counts as hanging: it keeps its thread, and another is started beside it,
            so that the other events go on.
        crowded: Whether many callbacks come in at this moment; then each event, and each piece of a download, waits
            up to ``MAX_YIELD_S``.
        watch: Gets a notice of each change.
        clock: Unix seconds.
        dice: Random numbers in [0, 1).
    """

    def __init__(
        self,
        inbox: Inbox,
        steps: Sequence[Step],
        *,
        workers: int = 4,
        backoff: Backoff = Backoff(),
        patience: float = 600.0,
        crowded: Callable[[], bool] = lambda: False,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._inbox = inbox
        self._workers = workers
        self._patience = patience
        self._crowded = crowded
        self._stopping = threading.Event()
        self._passage = EventRunner(
            inbox, steps, backoff, self._stopping, give_way=self._give_way, watch=watch, clock=clock, dice=dice
        )
        self._clock = clock
        self._wake = threading.Event()
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._in_flight: set[int] = set()  # queued or running
        self._running: dict[int, float] = {}  # since when, monotonic
        self._late: set[int] = set()
        self._large: set[int] = set()  # of those that run
        self._aside: deque[Work] = deque()  # large ones that wait for their turn, and keep no thread
        self._threads = 0
        self._alive = 0
        self._ended = threading.Event()
        self._leading = False
        self.after: Callable[[], None] = lambda: None
        """Called once, when the last thread has ended after ``stop``."""

    @property
    def leading(self) -> bool:
        """Whether this process is the one that does the follow-ups."""
        return self._leading

    def start(self) -> None:
        self._spawn(self._supervise, "antiphon-worker")

    def wake(self) -> None:
        """There may be something new to do."""
        if len(self._in_flight) < self._workers * _EVENTS_AHEAD:
            self._wake.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """Take nothing new and wait for what runs, at most ``timeout`` seconds. Gives whether all has ended.

        What has not ended keeps the inbox's lead until it does, or until the process ends: it is done again by who
        leads next.
        """
        self._stopping.set()
        self._wake.set()
        self._queue.put(None)
        return self._ended.wait(timeout)

    def _spawn(self, target: Callable[[], None], name: str) -> None:
        def run() -> None:
            try:
                target()
            finally:
                self._leave()

        with self._lock:
            self._alive += 1
        threading.Thread(target=run, name=name, daemon=True).start()

    def _leave(self) -> None:
        with self._lock:
            self._alive -= 1
            last = self._alive == 0 and self._stopping.is_set()
        if last:
            try:
                if self._leading:
                    self._inbox.recover()
            except StorageError as error:
                log.warning("what was not done is done after the next start: %s", error)
            finally:
                self.after()
                self._ended.set()

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._turn()
            except Exception as error:
                log.warning("the inbox cannot be worked on, trying again: %s", error, exc_info=not _known(error))
                pause = WORK_POLL_S
            self._wake.wait(pause)
            self._wake.clear()
            self._stopping.wait(_MIN_PAUSE_S)

    def _turn(self) -> float:
        """Queue what is due; gives for how many seconds there will be nothing to do."""
        if not self._leading:
            if not self._inbox.lead().try_lead():
                return LEAD_POLL_S
            if recovered := self._inbox.recover():
                log.info("taking up %d events that were broken off", recovered)
            self._leading = True
        self._keep_threads()
        with self._lock:
            busy = set(self._in_flight)
            room = self._workers * _EVENTS_AHEAD - len(busy) + len(self._aside)
        if room <= 0:
            return WORK_POLL_S
        fresh = [work for work in self._inbox.pending(room + len(busy)) if work.event_id not in busy]
        for work in fresh[:room]:
            with self._lock:
                self._in_flight.add(work.event_id)
            self._queue.put(work)
        due = self._inbox.next_due()
        pause = WORK_POLL_S if due is None else due - self._clock()
        return pause if 0 < pause < WORK_POLL_S else WORK_POLL_S

    def _keep_threads(self) -> None:
        with self._lock:
            limit = time.monotonic() - self._patience
            late = {event_id for event_id, since in self._running.items() if since < limit}
            fresh, self._late = late - self._late, late
            missing = self._workers + min(len(late), self._workers * _MAX_EXTRA_THREADS) - self._threads
            self._threads += max(missing, 0)
            self._next_large()
        for event_id in fresh:
            log.warning("event %d has been in its step for more than %.0f s", event_id, self._patience)
        for _ in range(missing):
            self._spawn(self._work, "antiphon-step")

    def _work(self) -> None:
        while (work := self._queue.get()) is not None and not self._stopping.is_set():
            event_id = work.event_id
            self._give_way()
            with self._lock:
                if work.size > LARGE_BODY_BYTES:
                    if self._large - self._late:
                        self._aside.append(work)
                        continue
                    self._large.add(event_id)
                self._running[event_id] = time.monotonic()
            try:
                if begun := self._inbox.begin_pending(event_id):
                    self._passage.take(begun)
            except StorageError as error:
                log.warning("event %d waits for its inbox: %s", event_id, error)
                self._stopping.wait(WORK_POLL_S)
            except Exception:
                log.exception("event %d was broken off", event_id)
                self._stopping.wait(WORK_POLL_S)
            with self._lock:
                self._in_flight.discard(event_id)
                del self._running[event_id]
                self._large.discard(event_id)
                self._next_large()
                hungry = len(self._in_flight) <= self._workers
            if hungry:
                self._wake.set()
        self._queue.put(None)  # for the next thread

    def _next_large(self) -> None:
        if self._aside and not self._large - self._late:
            self._queue.put(self._aside.popleft())

    def _give_way(self) -> None:
        end = time.monotonic() + MAX_YIELD_S
        while self._crowded() and time.monotonic() < end:
            self._stopping.wait(_YIELD_POLL_S)


def _known(error: Exception) -> bool:
    return isinstance(error, StorageError)
