"""Sender of callbacks: claims due deliveries, posts them, records the outcomes. Several may run at once."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from aiohttp.abc import AbstractResolver
from sqlalchemy.exc import SQLAlchemyError

from antiphon.callbacks import outbox
from antiphon.callbacks.concurrency import Slots
from antiphon.callbacks.exchange import PostSessions, open_post_sessions, post
from antiphon.callbacks.metrics import Metrics
from antiphon.callbacks.outbox import ClaimedDelivery
from antiphon.callbacks.recorder import Recorder, explain
from antiphon.contract import signatures
from antiphon.database import Database, Notifications
from antiphon.errors import AntiphonError
from antiphon.outbound.connection import Resolver
from antiphon.outbound.guard import Guard
from antiphon.outbound.own_addresses import OwnAddresses
from antiphon.settings import Settings

log = structlog.get_logger()

POLL_INTERVAL_S = 5.0  # between looks at the outbox when nothing wakes us: a NOTIFY can be lost
LEASE_MARGIN_S = 10.0  # that a lease outlives the deadline of the attempt it covers
STOP_TIMEOUT_S = 16.0  # in which a clean stop lets what is in flight end
DATABASE_TIMEOUT_S = 10.0
KEYS_TTL_S = 1.0  # a key that was rotated out signs on for a day


class Sender:
    """Delivers the outbox's callbacks. Limits of concurrency hold per sender.

    Args:
        database: The database of the outbox.
        notifications: What wakes the sender when a delivery is due.
        settings: Those named ``callback_…``.
        keys: Gives the webhook keys to sign with, the newest first; asked before a claim, at most once a second.
        resolver: Looks names up; None for the system's, in threads. The guard judges what it finds.
        metrics: Counts attempts; None for metrics of its own.
        margin: Seconds that a lease outlives the deadline of the attempt it covers.
        poll: Seconds between looks at the outbox when nothing wakes the sender.
        grace: Seconds in which a clean stop lets open requests end.
        chance: Gives the jitter of retries, uniform in [0, 1).
    """

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        settings: Settings,
        keys: Callable[[], Awaitable[list[str]]],
        *,
        resolver: AbstractResolver | None = None,
        metrics: Metrics | None = None,
        margin: float = LEASE_MARGIN_S,
        poll: float = POLL_INTERVAL_S,
        grace: float = STOP_TIMEOUT_S,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._settings = settings
        self._keys = keys
        self._resolver = resolver or Resolver()
        self._guard = Guard(settings.callback_allow, OwnAddresses(settings.public_url))
        self._lease = settings.callback_timeout + margin
        self._poll = poll
        self._grace = grace
        self._metrics = metrics or Metrics()
        self._flying: dict[asyncio.Task[None], ClaimedDelivery] = {}
        self._wake = asyncio.Event()
        self._recorder = Recorder(database, settings.callback_retry_delays, chance, self._wake.set, self._metrics)
        self._slots = Slots(
            settings.callback_concurrency, settings.callback_per_host, patience=margin / 2, clock=time.monotonic
        )
        self._stopping = False
        self._known_keys: list[str] = []
        self._keys_until = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set; then let what is in flight end, and give back what does not."""
        async with (
            self._notifications.subscribe(outbox.CHANNEL) as queue,
            open_post_sessions(self._guard, self._resolver) as sessions,
        ):
            watchers = [asyncio.create_task(self._listen(queue)), asyncio.create_task(self._heed(stop))]
            grace = 0.0
            try:
                while not stop.is_set():
                    await self._sleep(await self._turn(sessions))
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

    async def _turn(self, sessions: PostSessions) -> float:
        """Start whatever is due and has a free slot; gives the seconds until there may be more."""
        self._wake.clear()
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_S):
                await self._refresh_keys()
                pause = await self._claim()
        except (SQLAlchemyError, AntiphonError, OSError) as error:
            log.warning("callbacks wait: no database or no keys", error=explain(error))
            return 1.0
        self._start(sessions)
        self._metrics.flying(self._slots.in_flight)
        return pause

    async def _refresh_keys(self) -> None:
        now = time.monotonic()
        if now < self._keys_until:
            return
        keys = await self._keys()
        for key in keys:
            signatures.check_key(key)
        self._known_keys, self._keys_until = keys, now + KEYS_TTL_S

    async def _claim(self) -> float:
        """Claim into the slots; gives the seconds until something else is due."""
        stale = self._slots.stale()
        room = self._slots.room()
        async with self._database.begin() as connection:
            await outbox.release(connection, stale)
            if room.limit <= 0:
                return self._poll
            claimed = await outbox.claim(
                connection,
                limit=room.limit,
                size=room.size,
                lease=self._lease,
                per_host=self._settings.callback_per_host,
                busy=room.busy,
            )
            batch = self._slots.batch(claimed, room)
            due = None if batch.is_full else await outbox.next_due(connection, batch.full_hosts)
        self._slots.put(batch)
        self._metrics.claimed(expired=sum(delivery.expired for delivery in claimed))
        # Due, yet not claimed: another sender has it locked for the moment.
        return self._poll if due is None else min(self._poll, max(due, 0.02))

    def _start(self, sessions: PostSessions, host: str | None = None) -> None:
        for waited, delivery in self._slots.start(host):
            task = asyncio.create_task(self._deliver(sessions, delivery, waited))
            self._flying[task] = delivery
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        delivery = self._flying.pop(task)
        if not task.cancelled() and task.exception():
            log.error("a callback was given up for now", delivery=delivery.id, exc_info=task.exception())

    async def _deliver(self, sessions: PostSessions, delivery: ClaimedDelivery, waited: float) -> None:
        started = delivery.claimed_at + timedelta(seconds=waited)
        acknowledged = False
        try:
            headers = signatures.headers(
                self._known_keys,
                task_id=delivery.task_id,
                webhook_id=delivery.webhook_id,
                body=delivery.body,
                timestamp=int(started.timestamp()),
            )
            deadline = self._settings.callback_timeout
            outcome = await post(
                sessions, self._guard, delivery.url, delivery.body, headers, started=started, deadline=deadline
            )
            acknowledged = outcome.error is None
            self._recorder.record(delivery, started, outcome)
            self._metrics.attempted(delivery, outcome, (started - delivery.created_at).total_seconds())
        finally:
            if self._slots.land(delivery, acknowledged=acknowledged):
                self._wake.set()
            if not self._stopping:
                self._start(sessions, delivery.host)
            self._metrics.flying(self._slots.in_flight)
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

    async def _drain(self, grace: float) -> None:
        """Give back what has not been sent; wait for what is in flight, and after ``grace`` seconds break it off and
        give it back, uncounted; write down what came of the rest."""
        self._stopping = True
        await self._recorder.give_back(self._slots.rest())
        if self._flying:
            await asyncio.wait(self._flying, timeout=grace)
        left = dict(self._flying)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._recorder.close()
        await self._recorder.give_back(list(left.values()))
