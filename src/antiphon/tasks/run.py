"""One run of a task: taken, watched while it works, and ended together with its callback."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks import outbox
from antiphon.contract.callbacks import midi_callback, separation_callback, video_callback
from antiphon.contract.kinds import Kind, SeparationType
from antiphon.database.connection import is_outage
from antiphon.errors import AntiphonError, EngineError
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.model import Task
from antiphon.tasks.queue import Interrupted
from antiphon.tasks.work import Outcome, Work

log = structlog.get_logger()
WATCH_EVERY = 0.4  # seconds between looks for a cancel, and between notes of the progress
PATIENCE = 300.0  # seconds to wait for a database that went away while the engine worked
TIDYING = 5.0  # seconds to delete what a bad run stored; what is left then goes with its task's retention
Result = TypeVar("Result")


class Fenced(Exception):
    """Another worker has taken this task over."""


class Cancelled(Exception):
    """The task's owner does not want it any more."""


async def run_task(services: Services, task_id: str, stopping: asyncio.Event) -> None:
    """Run a task to its end. Raises ``Interrupted`` when ``stopping`` is set before that."""
    task = await _persist(services, lambda connection: store.start(connection, task_id))
    if task is None:
        return
    bound = log.bind(task=task.id, kind=str(task.kind), run=task.run)
    bound.info("task started")
    try:
        outcome = await _work(services, task, stopping)
    except Fenced:
        bound.warning("task was taken over by another worker")
        await _discard(services, task, task.run)
    except Interrupted:
        await _discard(services, task, task.run)
        await _persist(services, lambda connection: store.release(connection, task))
        bound.info("task given back")
        raise
    except Cancelled:
        await _discard(services, task, task.run)
        await _persist(services, lambda connection: store.cancelled(connection, task, retention=services.retention))
        bound.info("task cancelled")
    except AntiphonError as error:
        await _fail(services, task, error)
        bound.warning("task failed", error=error.message)
    except Exception:
        bound.exception("task failed")
        await _fail(services, task, EngineError("an unexpected error happened; the server's log says more"))
    else:
        await _persist(services, lambda connection: _succeed(connection, services, task, outcome))
        await _discard(services, task, *range(1, task.run))
        bound.info("task succeeded")


async def _work(services: Services, task: Task, stopping: asyncio.Event) -> Outcome:
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
        working = asyncio.create_task(Work(services, task, folder, report).do())
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
        await asyncio.sleep(WATCH_EVERY)
        now = (float(told[0]), str(told[1]))
        try:
            async with services.database.begin() as connection:
                wanted = await store.report(connection, task, *now, changed=now != noted)
        except DBAPIError as error:
            log.warning("progress not noted", task=task.id, error=str(error.orig).strip())
            continue
        noted = now
        if wanted is None:
            raise Fenced
        if wanted:
            raise Cancelled


async def _succeed(connection: AsyncConnection, services: Services, task: Task, outcome: Outcome) -> None:
    ended = await store.succeed(
        connection, task, result=outcome.result, stored=outcome.artifacts, retention=services.retention
    )
    if ended:
        await _announce(connection, services, task.id)


async def _fail(services: Services, task: Task, error: AntiphonError) -> None:
    await _discard(services, task, task.run)

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
    """What the callback of an ended task says."""
    error = task.error_message
    assert task.expires_at is not None
    made = await store.artifacts_of(connection, task.id)
    urls = {name: services.link(artifact, task.expires_at) for name, artifact in made.items()}
    if task.kind is Kind.MIDI:
        return midi_callback(task.id, (task.result or {}).get("instruments"), error)
    if task.kind is Kind.VIDEO:
        return video_callback(task.id, urls.get("video"), error)
    sources = await store.artifacts_of(connection, task.source_id or "")
    urls["origin"] = services.link(sources["origin"], task.expires_at) if "origin" in sources else ""
    return separation_callback(task.id, SeparationType(task.parameters["type"]), urls, error)


async def _discard(services: Services, task: Task, *runs: int) -> None:
    """Delete what runs that came to nothing have stored."""
    try:
        async with asyncio.timeout(TIDYING):
            for run in runs:
                await services.storage.delete_prefix(f"{task.id}/{run}")
    except (AntiphonError, TimeoutError) as error:
        log.warning("files of a broken-off run are left", task=task.id, error=str(error))


async def _persist(services: Services, write: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """Write the start or the end of a run; wait for a database that restarts just now."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            async with services.database.begin() as connection:
                return await write(connection)
        except DBAPIError as error:
            if not is_outage(error) or asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("the database is away; trying again")
            await asyncio.sleep(1)
