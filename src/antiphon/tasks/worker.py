"""Worker: runs jobs, and beside them revives lost ones and enforces retention."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy.exc import SQLAlchemyError

from antiphon.errors import AntiphonError
from antiphon.tasks import store
from antiphon.tasks.retention import Retention
from antiphon.tasks.run import run_task
from antiphon.tasks.services import Services

log = structlog.get_logger()
PURGE_INTERVAL_S = 60.0
SWEEP_INTERVAL_S = 3600.0
FAULTS = (SQLAlchemyError, psycopg.Error, ProcrastinateException, AntiphonError, OSError)


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set; then give running tasks back to the queue and return."""
    retention = Retention(services)
    async with asyncio.TaskGroup() as group:
        loops = [
            group.create_task(_work(services, stop)),
            group.create_task(
                _every(
                    services.settings.stalled_after / 4, functools.partial(_revive, services), "jobs of dead workers"
                )
            ),
            group.create_task(_every(PURGE_INTERVAL_S, retention.purge_expired, "expired tasks")),
            group.create_task(_every(SWEEP_INTERVAL_S, retention.sweep_orphans, "orphaned files")),
        ]
        await stop.wait()
        await asyncio.wait({loops[0]})
        for loop in loops[1:]:
            loop.cancel()


async def _work(services: Services, stop: asyncio.Event) -> None:
    settings = services.settings
    while not stop.is_set():
        working = asyncio.create_task(
            services.queue.work(
                lambda task_id: run_task(services, task_id, stop),
                concurrency=settings.concurrency,
                heartbeat=settings.heartbeat,
                stalled_after=settings.stalled_after,
            )
        )
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        working.cancel()  # asks Procrastinate to end; it waits for the running jobs
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await working
            except FAULTS as error:
                log.warning("the queue is away; trying again", error=str(error).strip())
                await asyncio.sleep(1)


async def _revive(services: Services) -> None:
    """Queue the jobs of dead workers again, and those that were lost."""
    for job in await services.queue.stalled(services.settings.stalled_after):
        log.warning("worker died; its task runs again", task=job.task_kwargs.get("task_id"))
        await services.queue.retry(job)
    async with services.database.begin() as connection:
        for task_id, kind in await store.without_job(connection):
            log.warning("the task's job was lost; it is queued again", task=task_id)
            await services.queue.put(connection, task_id, kind)


async def _every(seconds: float, do: Callable[[], Awaitable[None]], what: str) -> None:
    while True:
        try:
            await do()
        except FAULTS as error:
            log.warning("housekeeping failed; trying again", what=what, error=str(error).strip())
        await asyncio.sleep(seconds)
