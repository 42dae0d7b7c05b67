"""Writes down what came of attempts, and holds on to it while the database is away."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from antiphon.callbacks import outbox
from antiphon.callbacks.exchange import Outcome
from antiphon.callbacks.outbox import Attempt, Delivery
from antiphon.callbacks.schedule import Step, next_step
from antiphon.database import Database

log = structlog.get_logger()

OWN_FAULT = 10.0  # seconds until we try again what failed by our own fault
BATCH = 500  # attempts in one transaction
PAUSE = 1.0  # seconds between tries while the database is away
RELEASE_TIMEOUT = 3.0

Result = tuple[Delivery, Outcome]


class Recorder:
    """Writes what has come together in one transaction, so that its cost is shared.

    ``delays`` are the seconds before each retry; ``chance`` gives their jitter, uniform in [0, 1).
    """

    def __init__(self, database: Database, delays: Sequence[float], chance: Callable[[], float]) -> None:
        self._database = database
        self._delays = delays
        self._chance = chance
        self._waiting: list[tuple[Result, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Return once the outcome is written down, however long that takes: the receiver may have the callback."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(((delivery, outcome), written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await written

    async def release(self, claimed: Sequence[Delivery]) -> None:
        """Give claims back, uncounted, and write no more. With the database away their leases run out instead."""
        if self._writer is not None:
            self._writer.cancel()
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT), self._database.begin() as connection:
                await outbox.release(connection, claimed)
        except (SQLAlchemyError, OSError) as error:
            log.warning("callbacks were not given back; their leases run out", error=first_line(error))

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                failure: Exception | None = None
                try:
                    await self._persist([result for result, _ in batch])
                except Exception as error:  # a fault of ours: their leases run out, and the rest goes on
                    failure = error
                for _, written in batch:
                    _settle(written, failure)
        finally:
            self._writer = None

    async def _persist(self, results: Sequence[Result]) -> None:
        while True:
            try:
                await self._write(results)
                return
            except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
                log.warning("attempts wait to be written down", number=len(results), error=first_line(error))
                await asyncio.sleep(PAUSE)
            except DBAPIError as error:  # one of them cannot be written: waiting does not help
                if len(results) == 1:
                    log.error("an attempt was not written down", delivery=results[0][0].id, error=first_line(error))
                    return
                for result in results:
                    await self._persist([result])
                return

    async def _write(self, results: Sequence[Result]) -> None:
        ours = [delivery for delivery, outcome in results if outcome.ours]
        charged = [self._judge(delivery, outcome) for delivery, outcome in results if not outcome.ours]
        async with self._database.begin() as connection:
            changed = await outbox.record(connection, charged)
            await outbox.release(connection, ours, OWN_FAULT)
        for delivery, _, step in charged:
            if delivery.id not in changed:
                log.warning("the lease ran out during an attempt", delivery=delivery.id, state=step.state)

    def _judge(self, delivery: Delivery, outcome: Outcome) -> tuple[Delivery, Attempt, Step]:
        attempt = Attempt(
            started_at=delivery.claimed_at,
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


def _settle(written: asyncio.Future[None], failure: Exception | None) -> None:
    if written.done():  # its attempt was broken off
        return
    if failure is None:
        written.set_result(None)
    else:
        written.set_exception(failure)


def first_line(error: BaseException) -> str:
    """An error for the log: one line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
