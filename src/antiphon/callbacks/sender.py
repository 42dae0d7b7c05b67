"""The sender: claims what is due, sends it, writes down what came of it. As many may run as there are machines."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp.abc import AbstractResolver
from sqlalchemy.exc import SQLAlchemyError

from antiphon.callbacks import outbox
from antiphon.callbacks.connection import Resolver
from antiphon.callbacks.exchange import Lines, open_lines, post
from antiphon.callbacks.guard import Guard
from antiphon.callbacks.outbox import Delivery
from antiphon.callbacks.recorder import Recorder, first_line
from antiphon.contract import signatures
from antiphon.database import Database, Notifications
from antiphon.errors import AntiphonError
from antiphon.settings import Settings

log = structlog.get_logger()

POLL = 5.0  # seconds between looks at the outbox when nothing wakes us: a NOTIFY can be lost
MARGIN = 10.0  # seconds that a lease outlives the deadline of the attempt it covers
GRACE = 20.0  # seconds in which a clean stop lets what is in flight end
DATABASE_TIMEOUT = 10.0


class Sender:
    """Delivers the outbox's callbacks.

    ``keys`` gives the webhook keys to sign with, the newest first; it is asked before each batch is claimed.
    ``resolver`` looks names up (default: the system's, in threads); what it finds is judged by the guard.
    ``chance`` gives the jitter, uniform in [0, 1). Caps on concurrency hold per sender.
    """

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        settings: Settings,
        keys: Callable[[], Awaitable[list[str]]],
        *,
        resolver: AbstractResolver | None = None,
        margin: float = MARGIN,
        poll: float = POLL,
        grace: float = GRACE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._settings = settings
        self._keys = keys
        self._resolver = resolver or Resolver()
        self._guard = Guard(settings.callback_allow)
        self._lease = settings.callback_timeout + margin
        self._poll = poll
        self._grace = grace
        self._flying: dict[asyncio.Task[None], Delivery] = {}
        self._per_host: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._recorder = Recorder(database, settings.callback_retry_delays, chance)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set; then let what is in flight end, and give back what does not."""
        async with (
            self._notifications.subscribe(outbox.CHANNEL) as queue,
            open_lines(self._guard, self._resolver) as lines,
        ):
            watchers = [asyncio.create_task(self._listen(queue)), asyncio.create_task(self._heed(stop))]
            grace = 0.0
            try:
                while not stop.is_set():
                    await self._sleep(await self._turn(lines))
                grace = self._grace
            finally:
                for watcher in watchers:
                    watcher.cancel()
                await self._drain(grace)

    async def _listen(self, queue: asyncio.Queue[str]) -> None:
        while True:
            await queue.get()
            self._wake.set()

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _turn(self, lines: Lines) -> float:
        """Start whatever is due and has a free slot; gives the seconds until there may be more."""
        self._wake.clear()
        free = self._settings.callback_concurrency - len(self._flying)
        if free <= 0:
            return self._poll
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT):
                keys = await self._keys()
                for key in keys:
                    signatures.check_key(key)
                claimed, pause = await self._claim(free)
        except (SQLAlchemyError, AntiphonError, OSError) as error:
            log.warning("callbacks wait: no database or no keys", error=first_line(error))
            return 1.0
        for delivery in claimed:
            self._per_host[delivery.host] += 1
            task = asyncio.create_task(self._deliver(lines, delivery, keys))
            self._flying[task] = delivery
            task.add_done_callback(self._landed)
        return pause

    async def _claim(self, free: int) -> tuple[list[Delivery], float]:
        per_host = self._settings.callback_per_host
        async with self._database.begin() as connection:
            claimed = await outbox.claim(
                connection, limit=free, lease=self._lease, per_host=per_host, busy=self._per_host
            )
            if len(claimed) == free:
                return claimed, self._poll
            busy = self._per_host + Counter(delivery.host for delivery in claimed)
            full = [host for host, number in busy.items() if number >= per_host]
            due = await outbox.next_due(connection, full)
        # Due, yet not claimed: another sender has it locked for the moment.
        return claimed, self._poll if due is None else min(self._poll, max(due, 0.02))

    def _landed(self, task: asyncio.Task[None]) -> None:
        delivery = self._flying.pop(task)
        self._per_host[delivery.host] -= 1
        if not self._per_host[delivery.host]:
            del self._per_host[delivery.host]
        self._wake.set()
        if not task.cancelled() and task.exception():
            log.error("a callback was given up for now", delivery=delivery.id, exc_info=task.exception())

    async def _deliver(self, lines: Lines, delivery: Delivery, keys: Sequence[str]) -> None:
        headers = signatures.headers(
            keys,
            task_id=delivery.task_id,
            webhook_id=delivery.webhook_id,
            body=delivery.body,
            timestamp=int(delivery.claimed_at.timestamp()),
        )
        deadline = self._settings.callback_timeout
        outcome = await post(lines, self._guard, delivery.url, delivery.body, headers, deadline=deadline)
        log.info(
            "callback attempt",
            task=delivery.task_id,
            delivery=delivery.id,
            attempt=delivery.attempts + 1,
            host=delivery.host,
            status=outcome.status,
            milliseconds=round(outcome.milliseconds, 1),
            error=outcome.error,
            charged=not outcome.ours,
        )
        await self._recorder.record(delivery, outcome)

    async def _drain(self, grace: float) -> None:
        """Wait for what is in flight; after ``grace`` seconds break it off and give it back, uncounted."""
        if not self._flying:
            return
        await asyncio.wait(self._flying, timeout=grace)
        left = dict(self._flying)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            await self._recorder.release(list(left.values()))
