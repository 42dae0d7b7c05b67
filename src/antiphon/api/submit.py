"""Submission of tasks: the source task must be fit, the queue not full, and a repeated request with the
same ``Idempotency-Key`` gives the same task."""

from typing import Annotated
from uuid import uuid4

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.kinds import Kind, State
from antiphon.errors import Conflict, Expired, NotFound, TooManyQueued
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import Artifact, NewTask, Task

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key and body within 24 h gives the same taskId; with another body it is 409.",
    ),
]


def new_task_id() -> str:
    return uuid4().hex


def describe_expiry(task: Task) -> str:
    return f"{task.expires_at:%Y-%m-%d %H:%M} UTC" if task.expires_at else "an unknown date"


def require_unexpired(task: Task, field: str = "taskId") -> None:
    if task.expired:
        raise Expired(
            f"{field}: task {task.id} expired on {describe_expiry(task)} and its files were deleted; "
            "upload the song again"
        )


async def find_owned(connection: AsyncConnection, key: ApiKey, task_id: str) -> Task:
    """The caller's task. Another key's task is not found, either."""
    task = await store.find(connection, task_id, key.id)
    if task is None:
        raise NotFound(f"taskId: there is no task {task_id} of this API key; check the id and the key")
    return task


async def find_source(connection: AsyncConnection, key: ApiKey, task_id: str, kinds: tuple[Kind, ...]) -> Task:
    """The source task, if it is fit to be worked on. Raises 404, 409 or 410."""
    task = await find_owned(connection, key, task_id)
    if task.kind not in kinds:
        wanted = " or ".join(f"'{kind}'" for kind in kinds)
        raise Conflict(f"taskId: task {task.id} is of the kind '{task.kind}'; expected a task of the kind {wanted}")
    if task.state is not State.SUCCEEDED:
        remedy = "start it anew" if task.state.ended else "wait until it has succeeded"
        raise Conflict(f"taskId: task {task.id} has not succeeded: it is {task.state}; {remedy}")
    require_unexpired(task)
    return task


async def find_track(
    connection: AsyncConnection, source: Task, audio_id: str, *, include_origin: bool
) -> tuple[Task, Artifact]:
    """The track with this audio id and the task that keeps it: one of the task's own, or what it was made from."""
    for artifact in (await store.artifacts_of(connection, source.id)).values():
        if artifact.audio_id == audio_id:
            return source, artifact
    if include_origin and source.source_id:
        origin = await store.find(connection, source.source_id)
        if origin is not None and origin.audio_id == audio_id:
            require_unexpired(origin)
            return origin, (await store.artifacts_of(connection, origin.id))["origin"]
    raise NotFound(
        f"audioId: task {source.id} has no track {audio_id}; its upload or its record gives the ids of its tracks"
    )


async def submit(
    connection: AsyncConnection, services: Services, key: ApiKey, task: NewTask, idempotency_key: str | None
) -> str:
    """Make the task and its job, in the caller's transaction."""
    active = await store.count_active(connection, key.id)
    if active >= services.settings.max_queued:
        raise TooManyQueued(
            f"{active} tasks of this API key are queued or running, and {services.settings.max_queued} is the most; "
            "wait until some have finished, or cancel some",
            retry_after=30,
        )
    await store.create(connection, task)
    await services.queue.put(connection, task.id, task.kind)
    await idempotency.remember(connection, key.id, idempotency_key, task.id)
    return task.id


def canonical(path: str, request: BaseModel) -> bytes:
    """What makes two requests the same."""
    return f"{path}\n{request.model_dump_json()}".encode()
