"""Job queue over Procrastinate: a job for each task, committed together with the task's row."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager, NotificationCallback
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.kinds import Kind
from antiphon.database.connection import raw_connection

JOB = "antiphon.run_task"
QUEUE = "tasks"
RETRY_DELAY_S = 1
CONNECT_TIMEOUT_S = 3.0  # a worker that is stopped while the database is away waits for it a few times
PRIORITIES = {Kind.WAV: 3, Kind.MIDI: 2, Kind.VIDEO: 1, Kind.SEPARATION: 0}  # what is near its end goes first


Run = Callable[[str], Awaitable[None]]


class Interrupted(Exception):
    """The worker is being stopped; the job goes back into the queue."""


class _Retry(procrastinate.BaseRetryStrategy):
    """Retries an interrupted job at once, as another worker may take it; any other after a delay."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision:
        wait = 0 if isinstance(exception, Interrupted) else RETRY_DELAY_S
        return procrastinate.RetryDecision(retry_in={"seconds": wait})


class _Jobs(JobManager):
    """Goes on when the database comes back. Procrastinate's own would never listen again, and let a worker that lives
    be taken for dead: what watches these two for it ends at once when there are no periodic tasks."""

    async def update_heartbeat(self, worker_id: int) -> None:
        with contextlib.suppress(ConnectorException):
            await super().update_heartbeat(worker_id)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        while True:
            with contextlib.suppress(ConnectorException):
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            await asyncio.sleep(RETRY_DELAY_S)


class Queue:
    """The jobs. ``url`` is a libpq URL."""

    def __init__(self, url: str) -> None:
        self._connector = procrastinate.PsycopgConnector(
            conninfo=url, min_size=1, max_size=4, timeout=CONNECT_TIMEOUT_S
        )
        self._app = procrastinate.App(connector=self._connector)
        self._app.job_manager = _Jobs(self._connector)
        self._app.task(name=JOB, queue=QUEUE, retry=_Retry())(self._do)
        self._run: Run | None = None

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

    async def work(self, run: Run, *, concurrency: int, heartbeat: float, stalled_after: float) -> None:
        """Run jobs until cancelled; then wait for the running ones, which ``run`` ends by ``Interrupted``.

        A job whose ``run`` raises is tried again: a task that failed has ended well as far as its job is concerned.
        When the database goes away this ends by itself, and may be called again.
        """
        self._run = run
        await self._app.run_worker_async(
            queues=[QUEUE],
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs="successful",
            update_heartbeat_interval=heartbeat,
            stalled_worker_timeout=stalled_after,
        )

    async def _do(self, task_id: str) -> None:
        assert self._run is not None
        await self._run(task_id)

    async def stalled(self, after: float) -> list[Job]:
        """Jobs whose worker has been silent for ``after`` seconds."""
        return list(await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=after))

    async def retry(self, job: Job) -> None:
        await self._app.job_manager.retry_job(job)
