"""Procrastinate, as far as we use it: a job for each task, committed together with the task's row."""

from collections.abc import Awaitable, Callable

import procrastinate
from procrastinate.jobs import Job
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.kinds import Kind
from antiphon.database.connection import raw_connection

JOB = "antiphon.run_task"
QUEUE = "tasks"
PRIORITIES = {Kind.MIDI: 2, Kind.VIDEO: 1, Kind.SEPARATION: 0}  # what is near its end goes first


class Interrupted(Exception):
    """The worker is being stopped; the job goes back into the queue."""


class Queue:
    """The jobs. ``url`` is a libpq URL."""

    def __init__(self, url: str) -> None:
        self._connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4)
        self._app = procrastinate.App(connector=self._connector)

    async def __aenter__(self) -> "Queue":
        await self._app.open_async()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._app.close_async()

    async def put(self, connection: AsyncConnection, task_id: str, kind: Kind) -> None:
        """Queue a task inside the caller's transaction."""
        await self._app.configure_task(
            JOB, queue=QUEUE, priority=PRIORITIES[kind], connection=await raw_connection(connection)
        ).defer_async(task_id=task_id)

    async def work(
        self, run: Callable[[str], Awaitable[None]], *, concurrency: int, heartbeat: float, stalled_after: float
    ) -> None:
        """Run jobs until cancelled; then wait for the running ones, which ``run`` ends by ``Interrupted``."""
        retry = procrastinate.RetryStrategy(max_attempts=1_000_000, retry_exceptions={Interrupted})

        @self._app.task(name=JOB, queue=QUEUE, retry=retry)
        async def run_task(task_id: str) -> None:
            await run(task_id)

        await self._app.run_worker_async(
            queues=[QUEUE],
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs="always",
            update_heartbeat_interval=heartbeat,
            stalled_worker_timeout=stalled_after,
        )

    async def stalled(self, after: float) -> list[Job]:
        """Jobs whose worker has been silent for ``after`` seconds."""
        return list(await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=after))

    async def retry(self, job: Job) -> None:
        await self._app.job_manager.retry_job(job)
