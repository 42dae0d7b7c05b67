"""Prometheus metrics: counters of this process, and gauges from the database that all processes share."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from antiphon.callbacks.backlog import backlog
from antiphon.callbacks.exchange import PostOutcome
from antiphon.callbacks.outbox import ClaimedDelivery
from antiphon.database import Database
from antiphon.outbound.failures import Reason

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 120, 300, 600)


class Metrics:
    """One to a process. No label holds an address, an id or a key."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._attempts = Counter(
            "antiphon_callback_attempts",
            "attempts of this process, by result: acknowledged, or the reason of the failure",
            ["result"],
            registry=self._registry,
        )
        for result in ("acknowledged", *Reason):
            self._attempts.labels(result)
        self._stopped = self._counter("antiphon_callbacks_stopped", "given up after the last retry, or by 410")
        self._expired = self._counter(
            "antiphon_callback_leases_expired", "claims of what another sender, or this one, had claimed and not ended"
        )
        self._resent = self._counter(
            "antiphon_callback_connections_replaced",
            "attempts sent a second time because a kept connection broke before the answer",
        )
        self._latency = Histogram(
            "antiphon_callback_latency_seconds",
            "from the end of the task to the receiver's acknowledgement",
            buckets=LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._in_flight = self._gauge("antiphon_callbacks_in_flight", "being sent by this process")
        self._pending = self._gauge("antiphon_callbacks_pending", "not ended, retries among them (all processes)")
        self._leased = self._gauge("antiphon_callbacks_leased", "claimed by a sender (all processes)")
        self._age = self._gauge("antiphon_callback_queue_age_seconds", "how long the oldest due callback has waited")
        self._tasks = Gauge(
            "antiphon_tasks", "unfinished tasks (all processes)", ["kind", "state"], registry=self._registry
        )
        self._overdue = self._gauge(
            "antiphon_tasks_overdue",
            "expired for more than an hour, their files not deleted (all processes)",
        )

    def _counter(self, name: str, words: str) -> Counter:
        return Counter(name, words, registry=self._registry)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(name, words, registry=self._registry)

    def attempted(self, delivery: ClaimedDelivery, outcome: PostOutcome, waited: float) -> None:
        """Count an attempt. ``waited``: seconds from the callback's creation to the start of this attempt."""
        if outcome.error is None:
            self._attempts.labels("acknowledged").inc()
            self._latency.observe(waited + outcome.milliseconds / 1000)
        else:
            self._attempts.labels(outcome.reason or Reason.BROKEN_OFF).inc()
        if outcome.connection == "replaced":
            self._resent.inc()

    def stopped(self, number: int) -> None:
        """Count callbacks that were given up."""
        self._stopped.inc(number)

    def claimed(self, expired: int) -> None:
        """Count claims whose lease had run out."""
        self._expired.inc(expired)

    def flying(self, number: int) -> None:
        """Say how many callbacks are being sent."""
        self._in_flight.set(number)

    async def render(self, database: Database) -> bytes:
        """The text exposition format, 0.0.4. Asks the database for a few counts over partial indexes."""
        async with database.begin() as connection:
            left = await backlog(connection)
        self._pending.set(left.pending)
        self._leased.set(left.leased)
        self._age.set(left.age)
        self._overdue.set(left.overdue)
        self._tasks.clear()
        for labels, number in left.tasks.items():
            self._tasks.labels(*labels).set(number)
        return generate_latest(self._registry)
