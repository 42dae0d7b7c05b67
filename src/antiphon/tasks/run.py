"""Run of a task: started, watched while it works, and ended together with its callback."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks import outbox
from antiphon.contract.callbacks import midi_callback, separation_callback, video_callback, wav_callback
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.database.connection import is_outage
from antiphon.durable_files import SERVER_DISK_FULL, is_disk_full
from antiphon.errors import AntiphonError, EngineError, StorageError
from antiphon.tasks import store
from antiphon.tasks.model import Task
from antiphon.tasks.queue import Interrupted
from antiphon.tasks.services import Services
from antiphon.tasks.unified import is_unified, unified_callback
from antiphon.tasks.work import RunOutcome, TaskRun

log = structlog.get_logger()
WATCH_INTERVAL_S = 0.4  # between looks for a cancel, and between notes of the progress
STOP_PATIENCE_S = 5.0  # for the database at a stop; after that the task comes back as one of a dead worker
DISCARD_TIMEOUT_S = 5.0  # to delete what a bad run stored; what is left then goes with its task's retention
Result = TypeVar("Result")


class Fenced(Exception):
    """Another worker has taken this task over."""


class Cancelled(Exception):
    """The task's owner does not want it any more."""


async def run_task(services: Services, task_id: str, stopping: asyncio.Event) -> None:
    """Run a task to its end.

    Raises:
        Interrupted: ``stopping`` is set before that.
    """
    task = await _persist(services, lambda connection: store.start(connection, task_id))
    if task is None:
        return
    started = task
    bound = log.bind(task=task.id, kind=str(task.kind), run=task.run)
    bound.info("task started")
    try:
        outcome = await _work(services, task, stopping)
        await _persist(services, lambda connection: _succeed(connection, services, started, outcome))
    except Exception as reason:
        await _give_up(services, task, reason, bound)
    else:
        await _discard(services, task, *range(1, task.run))
        bound.info("task succeeded")


async def _give_up(services: Services, task: Task, reason: Exception, bound: Any) -> None:
    """End a run that came to nothing, as its reason demands; what it stored is deleted."""
    if isinstance(reason, Fenced):
        current = await _persist(services, lambda connection: store.find(connection, task.id))
        if current is None or current.run != task.run:  # else we ended it, and only the answer to that was lost
            await _discard(services, task, task.run)
            bound.warning("task was taken over by another worker")
        return
    await _discard(services, task, task.run)
    if isinstance(reason, Interrupted) or is_outage(reason):
        patience = STOP_PATIENCE_S if isinstance(reason, Interrupted) else services.settings.outage_patience
        try:
            async with asyncio.timeout(patience):
                await _persist(services, lambda connection: store.release(connection, task))
        except TimeoutError:
            raise Interrupted from reason
        bound.info("task given back", reason=str(reason).partition("\n")[0] or "the worker stops")
        raise Interrupted from reason
    if isinstance(reason, Cancelled):
        await _persist(services, lambda connection: store.cancelled(connection, task, retention=services.retention))
        bound.info("task cancelled")
        return
    error = explain(reason)
    await _fail(services, task, error)
    bound.warning("task failed", error=error.message, exc_info=None if error is reason else reason)


def explain(reason: Exception) -> AntiphonError:
    """The error that the task's owner is told; places of the server are in the log alone."""
    if isinstance(reason, StorageError):
        return StorageError(reason.told)
    if isinstance(reason, AntiphonError):
        return reason
    if is_disk_full(reason):
        return EngineError(SERVER_DISK_FULL)
    return EngineError("an unexpected error happened; the server's log says more")


async def _work(services: Services, task: Task, stopping: asyncio.Event) -> RunOutcome:
    if task.cancel_requested:
        raise Cancelled
    if task.run > services.settings.max_runs:
        raise EngineError(
            f"the task was given up after {task.run - 1} runs, each of which ended with its worker; "
            "the file may need more memory than the server has"
        )
    told = [0.0, ""]

    def report(fraction: float, stage: str) -> None:
        told[:] = [fraction, stage]

    with services.scratch.folder() as folder:
        working = asyncio.create_task(TaskRun(services, task, folder, report).do())
        watching = asyncio.create_task(_watch(services, task, told))
        stop = asyncio.create_task(stopping.wait())
        try:
            done, _ = await asyncio.wait({working, watching, stop}, return_when=asyncio.FIRST_COMPLETED)
            if working in done:
                return working.result()
            if watching in done:
                watching.result()
            raise Interrupted
        finally:
            for pending in (working, watching, stop):
                pending.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await pending


async def _watch(services: Services, task: Task, told: list[Any]) -> None:
    """Note the progress; raise ``Cancelled`` or ``Fenced`` when this run should end."""
    noted: tuple[float, str] = (task.progress, task.stage)
    while True:
        await asyncio.sleep(WATCH_INTERVAL_S)
        now = (float(told[0]), str(told[1]))
        try:
            async with services.database.begin() as connection:
                wanted = await store.report(connection, task, *now, changed=now != noted)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("progress not noted", task=task.id, error=str(error).partition("\n")[0])
            continue
        noted = now
        if wanted is None:
            raise Fenced
        if wanted:
            raise Cancelled


async def _succeed(connection: AsyncConnection, services: Services, task: Task, outcome: RunOutcome) -> None:
    ended = await store.succeed(
        connection, task, result=outcome.result, stored=outcome.artifacts, retention=services.retention
    )
    if not ended:
        raise Fenced
    await _announce(connection, services, task.id)


async def _fail(services: Services, task: Task, error: AntiphonError) -> None:
    async def end(connection: AsyncConnection) -> None:
        if await store.fail(connection, task, code=error.code, message=error.message, retention=services.retention):
            await _announce(connection, services, task.id)

    await _persist(services, end)


async def _announce(connection: AsyncConnection, services: Services, task_id: str) -> None:
    """Put the callback into the outbox, in the transaction that ends the task."""
    task = await store.find(connection, task_id)
    if task is not None and task.callback_url:
        body = json.dumps(await callback_body(connection, services, task), ensure_ascii=False, separators=(",", ":"))
        await outbox.enqueue(connection, task_id=task.id, url=task.callback_url, body=body.encode())


async def callback_body(connection: AsyncConnection, services: Services, task: Task) -> dict[str, Any]:
    """Body of the callback of an ended task."""
    error = task.error_message
    assert task.expires_at is not None
    made = await store.artifacts_of(connection, task.id)
    urls = {name: services.link(artifact, task.expires_at) for name, artifact in made.items()}
    if is_unified(task):
        return unified_callback(task, urls)
    if task.kind is Kind.WAV:
        return wav_callback(task.id, urls.get("wav"), error)
    if task.kind is Kind.MIDI:
        return midi_callback(task.id, (task.result or {}).get("instruments"), error)
    if task.kind is Kind.VIDEO:
        return video_callback(task.id, urls.get("video"), error, thumbnail=urls.get("thumbnail"))
    sources = await store.artifacts_of(connection, task.source_id or "")
    urls["origin"] = services.link(sources["origin"], task.expires_at) if "origin" in sources else ""
    separation = SeparationType(task.parameters["type"])
    return separation_callback(task.id, separation, urls, error, stem=task.parameters.get("stem"))


async def _discard(services: Services, task: Task, *runs: int) -> None:
    """Delete what runs that came to nothing have stored."""
    try:
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            for run in runs:
                await services.storage.delete_prefix(f"{task.id}/{run}")
    except (AntiphonError, TimeoutError) as error:
        log.warning("files of a broken-off run are left", task=task.id, error=str(error))


async def _persist(services: Services, write: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """Write the start or the end of a run; wait for a database that restarts just now."""
    deadline = asyncio.get_running_loop().time() + services.settings.outage_patience
    while True:
        try:
            async with services.database.begin() as connection:
                return await write(connection)
        except Exception as error:
            if not is_outage(error) or asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("the database is away; trying again")
            await asyncio.sleep(1)
