"""Recorder of attempts: writes their outcomes into the database, and keeps them while it is away."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from antiphon.callbacks import outbox
from antiphon.callbacks.exchange import PostOutcome
from antiphon.callbacks.metrics import Metrics
from antiphon.callbacks.outbox import ClaimedDelivery, MadeAttempt
from antiphon.callbacks.retry_schedule import NextStep, next_step
from antiphon.database import Database

log = structlog.get_logger()

OWN_FAULT_RETRY_S = 10.0  # until we try again what failed by our own fault
MAX_BATCH = 500  # attempts in one transaction
RETRY_INTERVAL_S = 1.0  # between tries while the database is away
GATHER_S = 0.005  # in which attempts come together
DATABASE_TIMEOUT_S = 3.0  # that a stop waits for the database


@dataclass(frozen=True)
class PostedDelivery:
    """An attempt that was made. ``started_at`` is the database's clock."""

    delivery: ClaimedDelivery
    started_at: datetime
    outcome: PostOutcome


class Recorder:
    """Stores the outcomes of attempts, those of a few milliseconds in one transaction.

    Args:
        database: The database of the outbox.
        delays: Seconds before each retry.
        chance: Gives their jitter, uniform in [0, 1).
        retrying: Called after retries were scheduled, so that the sender sees when the first is due.
        metrics: Counts the deliveries that are given up.
    """

    def __init__(
        self,
        database: Database,
        delays: Sequence[float],
        chance: Callable[[], float],
        retrying: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._delays = delays
        self._chance = chance
        self._retrying = retrying
        self._metrics = metrics
        self._waiting: list[PostedDelivery] = []
        self._writer: asyncio.Task[None] | None = None

    def record(self, delivery: ClaimedDelivery, started_at: datetime, outcome: PostOutcome) -> None:
        """Have the outcome written down, however long that takes: the receiver may have the callback."""
        self._waiting.append(PostedDelivery(delivery, started_at, outcome))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())

    async def give_back(self, claimed: Sequence[ClaimedDelivery]) -> None:
        """Give claims back, uncounted. With the database away their leases run out instead."""
        if not claimed:
            return
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT_S), self._database.begin() as connection:
                await outbox.release(connection, claimed)
        except (SQLAlchemyError, OSError) as error:
            log.warning("callbacks were not given back; their leases run out", error=explain(error))

    async def close(self) -> None:
        """Write down what is left. With the database away it is lost after 3 s: their leases run out instead."""
        if self._writer is None:
            return
        done, _ = await asyncio.wait([self._writer], timeout=DATABASE_TIMEOUT_S)
        if not done:
            self._writer.cancel()
            log.warning("attempts were not written down; their leases run out", number=len(self._waiting))

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_S)
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                try:
                    await self._persist(batch)
                except Exception:  # a fault of ours: their leases run out, and the rest goes on
                    log.exception("attempts were not written down", number=len(batch))
        finally:
            self._writer = None

    async def _persist(self, results: Sequence[PostedDelivery]) -> None:
        while True:
            try:
                await self._write(results)
                return
            except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
                log.warning("attempts wait to be written down", number=len(results), error=explain(error))
                await asyncio.sleep(RETRY_INTERVAL_S)
            except DBAPIError as error:  # one of them cannot be written: waiting does not help
                if len(results) == 1:
                    log.error("an attempt was not written down", delivery=results[0].delivery.id, error=explain(error))
                    return
                for result in results:
                    await self._persist([result])
                return

    async def _write(self, results: Sequence[PostedDelivery]) -> None:
        ours = [result.delivery for result in results if result.outcome.ours]
        charged = [self._judge(result) for result in results if not result.outcome.ours]
        async with self._database.begin() as connection:
            changed = await outbox.record(connection, charged)
            await outbox.release(connection, ours, OWN_FAULT_RETRY_S)
        self._metrics.stopped(sum(step.state == "stopped" and delivery.id in changed for delivery, _, step in charged))
        if any(step.state == "pending" for _, _, step in charged):
            self._retrying()
        for delivery, _, step in charged:
            if delivery.id not in changed:
                log.warning("the lease ran out during an attempt", delivery=delivery.id, state=step.state)

    def _judge(self, result: PostedDelivery) -> tuple[ClaimedDelivery, MadeAttempt, NextStep]:
        delivery, outcome = result.delivery, result.outcome
        attempt = MadeAttempt(
            started_at=result.started_at,
            milliseconds=outcome.milliseconds,
            address=outcome.address,
            status=outcome.status,
            error=outcome.error,
            answer=outcome.answer,
            resolve_ms=outcome.phases.resolve,
            connect_ms=outcome.phases.connect,
            tls_ms=outcome.phases.tls,
            first_byte_ms=outcome.phases.first_byte,
            connection=outcome.connection,
            request_headers=json.dumps(dict(outcome.headers), ensure_ascii=False) if outcome.headers else None,
        )
        step = next_step(
            attempts=delivery.attempts + 1,
            status=outcome.status,
            failed=outcome.error is not None,
            retry_after=outcome.retry_after,
            delays=self._delays,
            chance=self._chance(),
        )
        return delivery, attempt, step


def explain(error: BaseException) -> str:
    """Cause of a failed transaction for the log: one line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
