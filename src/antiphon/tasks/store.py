"""Queries about tasks and artifacts. Moves between states are conditional updates, so that two workers, or a
worker and a cancel, can never both win."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, Text, and_, cast, column, delete, func, insert, literal, or_, select, table, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.kinds import CallbackState, Kind, State
from antiphon.database.schema import artifacts, deliveries, server_state, tasks
from antiphon.tasks.model import Artifact, NewTask, Task, sources_of

CHANNEL = "antiphon_task"
RECONCILER_LOCK = 0x616E7470
ACTIVE = (State.QUEUED, State.RUNNING)

_callback_state = (
    select(deliveries.c.state)
    .where(deliveries.c.task_id == tasks.c.id)
    .order_by(deliveries.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_expired = func.coalesce(or_(tasks.c.expires_at <= func.now(), tasks.c.purged_at.is_not(None)), False)
ARTIFACT_COLUMNS = (
    artifacts.c.name,
    artifacts.c.key,
    artifacts.c.filename,
    artifacts.c.content_type,
    artifacts.c.size,
    artifacts.c.audio_id,
    artifacts.c.duration,
)
"""In the order of the fields of ``Artifact``."""
COLUMNS: list[Any] = [tasks, _callback_state.label("callback_state"), _expired.label("expired")]


def task_of(row: Row[Any]) -> Task:
    """A row of ``COLUMNS``."""
    values = dict(row._mapping)
    values["kind"], values["state"] = Kind(values["kind"]), State(values["state"])
    state = values["callback_state"]
    awaited = values["callback_url"] and not values["state"].ended
    values["callback_state"] = CallbackState(state or (CallbackState.PENDING if awaited else CallbackState.NONE))
    return Task(**values)


async def _one(connection: AsyncConnection, query: Select[Any]) -> Task | None:
    row = (await connection.execute(query)).one_or_none()
    return task_of(row) if row else None


async def notify(connection: AsyncConnection, task_id: str) -> None:
    await connection.execute(select(func.pg_notify(CHANNEL, task_id)))


async def create(connection: AsyncConnection, task: NewTask) -> None:
    await connection.execute(insert(tasks).values(state=State.QUEUED, **asdict(task)))
    await notify(connection, task.id)


async def find(connection: AsyncConnection, task_id: str, api_key_id: int | None = None) -> Task | None:
    """The task, if it is this key's; any key's when ``api_key_id`` is None."""
    query = select(*COLUMNS).where(tasks.c.id == task_id)
    return await _one(connection, query if api_key_id is None else query.where(tasks.c.api_key_id == api_key_id))


async def page(
    connection: AsyncConnection,
    api_key_id: int,
    *,
    limit: int,
    before: int | None,
    kind: Kind | None,
    state: State | None,
    search: str | None,
) -> list[Task]:
    """A page of a key's tasks, newest first; files only when ``kind`` asks for them.

    Args:
        limit: The most tasks that are given.
        before: Number of the last task of the page before; None for the first page.
        search: Looked for in titles, and as the beginning of ids.
    """
    query = select(*COLUMNS).where(tasks.c.api_key_id == api_key_id).order_by(tasks.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(tasks.c.number < before)
    query = query.where(tasks.c.kind != Kind.FILE if kind is None else tasks.c.kind == kind)
    if state is not None:
        query = query.where(tasks.c.state == state)
    if search:
        title = tasks.c.parameters["title"].astext.icontains(search, autoescape=True)
        query = query.where(or_(title, tasks.c.id.startswith(search, autoescape=True)))
    return [task_of(row) for row in await connection.execute(query)]


async def count_active(connection: AsyncConnection, api_key_id: int) -> int:
    query = select(func.count()).where(tasks.c.api_key_id == api_key_id, tasks.c.state.in_(ACTIVE))
    return int((await connection.execute(query)).scalar_one())


async def start(connection: AsyncConnection, task_id: str) -> Task | None:
    """Take a task for a new run, which fences off the runs before it. None if it has ended meanwhile."""
    found = await connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state.in_(sources_of(State.RUNNING)))
        .values(
            state=State.RUNNING,
            run=tasks.c.run + 1,
            started_at=func.coalesce(tasks.c.started_at, func.now()),
            progress=0,
            stage="",
        )
        .returning(tasks.c.id)
    )
    if found.one_or_none() is None:
        return None
    await notify(connection, task_id)
    return await find(connection, task_id)


async def release(connection: AsyncConnection, task: Task) -> None:
    """Give a run back unfinished; it does not count."""
    await connection.execute(
        update(tasks).where(_own(task)).values(state=State.QUEUED, run=tasks.c.run - 1, progress=0, stage="")
    )
    await notify(connection, task.id)


def _own(task: Task) -> Any:
    return and_(tasks.c.id == task.id, tasks.c.run == task.run, tasks.c.state == State.RUNNING)


async def report(connection: AsyncConnection, task: Task, progress: float, stage: str, *, changed: bool) -> bool | None:
    """Note how far a run is.

    Args:
        progress: 0–1.
        changed: Whether event streams are to be told.

    Returns:
        Whether a cancel was asked for; None if this run was fenced off.
    """
    found = await connection.execute(
        update(tasks).where(_own(task)).values(progress=progress, stage=stage).returning(tasks.c.cancel_requested)
    )
    row = found.one_or_none()
    if row is None:
        return None
    if changed:
        await notify(connection, task.id)
    return bool(row.cancel_requested)


async def succeed(
    connection: AsyncConnection,
    task: Task,
    *,
    result: dict[str, Any],
    stored: Iterable[Artifact],
    retention: timedelta,
) -> bool:
    """End a run well; false if it was fenced off. Its sources are kept at least as long as its result."""
    values = {"result": result, "progress": 1.0, "stage": "done"}
    if not await _end(connection, task, State.SUCCEEDED, retention, values):
        return False
    await add_artifacts(connection, task.id, stored)
    expiry = func.greatest(tasks.c.expires_at, func.now() + retention)
    its_source = select(tasks.c.source_id).where(tasks.c.id == task.source_id).scalar_subquery()
    made_from = or_(tasks.c.id == task.source_id, tasks.c.id == its_source)
    await connection.execute(update(tasks).where(made_from).values(expires_at=expiry))
    return True


async def fail(connection: AsyncConnection, task: Task, *, code: int, message: str, retention: timedelta) -> bool:
    """End a run badly; false if it was fenced off."""
    return await _end(
        connection, task, State.FAILED, retention, {"error_code": code, "error_message": message, "stage": "failed"}
    )


async def cancelled(connection: AsyncConnection, task: Task, *, retention: timedelta) -> bool:
    """End a run because its owner asked for it; false if it was fenced off."""
    return await _end(connection, task, State.CANCELLED, retention, {"stage": "cancelled"})


async def _end(
    connection: AsyncConnection, task: Task, state: State, retention: timedelta, values: dict[str, Any]
) -> bool:
    ended = await connection.execute(
        update(tasks)
        .where(_own(task))
        .values(state=state, completed_at=func.now(), expires_at=func.now() + retention, **values)
        .returning(tasks.c.id)
    )
    if ended.one_or_none() is None:
        return False
    await notify(connection, task.id)
    return True


async def cancel(connection: AsyncConnection, task_id: str, *, retention: timedelta) -> None:
    """Cancel a queued task at once; ask the worker of a running one to stop."""
    ended = await connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == State.QUEUED)
        .values(
            state=State.CANCELLED,
            stage="cancelled",
            cancel_requested=True,
            completed_at=func.now(),
            expires_at=func.now() + retention,
        )
        .returning(tasks.c.id)
    )
    if ended.one_or_none() is None:
        await connection.execute(
            update(tasks).where(tasks.c.id == task_id, tasks.c.state == State.RUNNING).values(cancel_requested=True)
        )
    await notify(connection, task_id)


async def adopt_source(connection: AsyncConnection, task: Task, source: NewTask, parameters: dict[str, Any]) -> bool:
    """Make ``source``, recorded just now, what a running task works on.

    Args:
        parameters: Added to the task's own.

    Returns:
        False if another run has taken the task over.
    """
    adopted = await connection.execute(
        update(tasks)
        .where(tasks.c.id == task.id, tasks.c.run == task.run, tasks.c.state == State.RUNNING)
        .values(
            source_id=source.id,
            audio_id=source.audio_id,
            parameters=tasks.c.parameters.concat(cast(parameters, JSONB)),
        )
        .returning(tasks.c.id)
    )
    return adopted.one_or_none() is not None


async def record_upload(
    connection: AsyncConnection, task: NewTask, stored: Iterable[Artifact], retention: timedelta
) -> Task:
    """An upload is a task that succeeded at once."""
    await connection.execute(
        insert(tasks).values(
            **asdict(task),
            state=State.SUCCEEDED,
            stage="done",
            progress=1,
            result={},
            started_at=func.now(),
            completed_at=func.now(),
            expires_at=func.now() + retention,
        )
    )
    await add_artifacts(connection, task.id, stored)
    await notify(connection, task.id)
    found = await find(connection, task.id)
    assert found is not None
    return found


async def add_artifacts(connection: AsyncConnection, task_id: str, stored: Iterable[Artifact]) -> None:
    rows = [{"task_id": task_id, **asdict(artifact)} for artifact in stored]
    if rows:
        await connection.execute(insert(artifacts), rows)


async def artifacts_of(connection: AsyncConnection, task_id: str) -> dict[str, Artifact]:
    """The artifacts by name, in the order in which they were stored."""
    query = select(*ARTIFACT_COLUMNS)
    rows = await connection.execute(query.where(artifacts.c.task_id == task_id).order_by(artifacts.c.id))
    return {row.name: Artifact(*row) for row in rows}


async def expired_tasks(connection: AsyncConnection, limit: int, *, without: Sequence[str] = ()) -> list[str]:
    """Tasks past their retention whose bytes are still there and which no unfinished task needs; those of ``without``
    are left out."""
    dependent = tasks.alias()
    needed = select(literal(1)).where(dependent.c.source_id == tasks.c.id, dependent.c.state.in_(ACTIVE)).exists()
    query = select(tasks.c.id).where(tasks.c.purged_at.is_(None), tasks.c.expires_at <= func.now(), ~needed)
    query = query.where(tasks.c.id != func.all(_array(without)))
    return list((await connection.execute(query.order_by(tasks.c.expires_at).limit(limit))).scalars())


async def mark_purged(connection: AsyncConnection, task_id: str) -> None:
    """The bytes are gone: forget what was made, keep the row, which answers 410."""
    await connection.execute(delete(artifacts).where(artifacts.c.task_id == task_id))
    await connection.execute(delete(deliveries).where(deliveries.c.task_id == task_id))
    await connection.execute(
        update(tasks).where(tasks.c.id == task_id).values(purged_at=func.now(), result=None, parameters={})
    )


async def forget(connection: AsyncConnection, after: timedelta, limit: int) -> int:
    """Delete the rows of tasks purged long ago: from then on they answer 404."""
    old = select(tasks.c.id).where(tasks.c.purged_at < func.now() - after).limit(limit)
    return int((await connection.execute(delete(tasks).where(tasks.c.id.in_(old)))).rowcount)


async def known_ids(connection: AsyncConnection, task_ids: Sequence[str]) -> set[str]:
    """Which of these ids, of any number, belong to a task that still has its bytes."""
    query = select(tasks.c.id).where(tasks.c.id == func.any(_array(task_ids)), tasks.c.purged_at.is_(None))
    return set((await connection.execute(query)).scalars())


def _array(task_ids: Sequence[str]) -> Any:
    """One parameter, however many ids there are: PostgreSQL takes 65,535 of them."""
    return literal(list(task_ids), ARRAY(Text))


async def without_job(connection: AsyncConnection) -> list[tuple[str, Kind]]:
    """Unfinished tasks whose job is lost; empty while another worker looks for them, too."""
    if not (await connection.execute(select(func.pg_try_advisory_xact_lock(RECONCILER_LOCK)))).scalar_one():
        return []
    jobs = table("procrastinate_jobs", column("args", JSONB), column("status"))
    waits_or_runs = jobs.c.status.cast(Text).in_(["todo", "doing"])
    job = select(literal(1)).where(jobs.c.args["task_id"].astext == tasks.c.id, waits_or_runs)
    query = select(tasks.c.id, tasks.c.kind).where(
        tasks.c.state.in_(ACTIVE), tasks.c.created_at < func.now() - timedelta(minutes=1), ~job.exists()
    )
    return [(row.id, Kind(row.kind)) for row in await connection.execute(query)]


async def in_maintenance(connection: AsyncConnection) -> bool:
    return bool((await connection.execute(select(server_state.c.maintenance))).scalar_one())


async def set_maintenance(connection: AsyncConnection, on: bool) -> None:
    await connection.execute(update(server_state).values(maintenance=on))
