"""Writes down what came of attempts, and holds on to it while the database is away."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from antiphon.callbacks import outbox
from antiphon.callbacks.exchange import Outcome
from antiphon.callbacks.outbox import Attempt, Delivery
from antiphon.callbacks.schedule import next_step
from antiphon.database import Database

log = structlog.get_logger()

OWN_FAULT = 10.0  # seconds until we try again what failed by our own fault
AT_ONCE = 4  # connections of the pool in use here; the rest are for those who wait for an answer
PAUSE = 1.0  # seconds between tries while the database is away
RELEASE_TIMEOUT = 3.0


class Recorder:
    """``delays`` are the seconds before each retry; ``chance`` gives their jitter, uniform in [0, 1)."""

    def __init__(self, database: Database, delays: Sequence[float], chance: Callable[[], float]) -> None:
        self._database = database
        self._delays = delays
        self._chance = chance
        self._free = asyncio.Semaphore(AT_ONCE)

    async def record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Write an outcome down, for as long as it takes: the receiver may have the callback already."""
        while True:
            try:
                async with self._free:
                    await self._write(delivery, outcome)
                return
            except (OperationalError, InterfaceError, OSError) as error:
                log.warning("an attempt waits to be written down", delivery=delivery.id, error=first_line(error))
            except DBAPIError as error:  # such as a task that was deleted meanwhile: waiting does not help
                log.error("an attempt was not written down", delivery=delivery.id, error=first_line(error))
                return
            await asyncio.sleep(PAUSE)

    async def release(self, claimed: Sequence[Delivery]) -> None:
        """Give claims back, uncounted. When the database is away their leases run out instead."""
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT), self._database.begin() as connection:
                await outbox.release(connection, claimed)
        except (SQLAlchemyError, OSError) as error:
            log.warning("callbacks were not given back; their leases run out", error=first_line(error))

    async def _write(self, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.ours:
            log.warning("callback not charged: our own fault", delivery=delivery.id, error=outcome.error)
            async with self._database.begin() as connection:
                await outbox.release(connection, [delivery], OWN_FAULT)
            return
        attempt = Attempt(
            started_at=delivery.claimed_at,
            milliseconds=outcome.milliseconds,
            address=outcome.address,
            status=outcome.status,
            error=outcome.error,
            answer=outcome.answer,
        )
        step = next_step(
            attempts=delivery.attempts + 1,
            status=outcome.status,
            failed=outcome.error is not None,
            retry_after=outcome.retry_after,
            delays=self._delays,
            chance=self._chance(),
        )
        async with self._database.begin() as connection:
            if not await outbox.record(connection, delivery, attempt, step):
                log.warning("the lease ran out during an attempt", delivery=delivery.id, state=step.state)


def first_line(error: BaseException) -> str:
    """An error for the log: one line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
