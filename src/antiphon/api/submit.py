"""Submission of tasks: the source task must be fit, the queue not full, and a repeated request with the
same ``Idempotency-Key`` gives the same task."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import uuid4

import structlog
from fastapi import Header
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api.errors import named
from antiphon.contract.kinds import GROUP_NAMES, Kind, State
from antiphon.contract.requests import NO_CONTROLS, pattern
from antiphon.contract.requests import Request as DocumentedRequest
from antiphon.errors import BadParameter, Conflict, Expired, NotFound, TooManyQueued
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import Artifact, NewTask, Task

log = structlog.get_logger()

_KEY = {"minLength": 1, "maxLength": idempotency.MAX_KEY_CHARS, **pattern(NO_CONTROLS)}
IdempotencyKey = Annotated[
    Annotated[str, Field(json_schema_extra=_KEY)] | None,
    Header(
        alias="Idempotency-Key",
        description="The same key and body within 24 h gives the same taskId; with another body it is 409.",
    ),
]


def given(**parameters: Any) -> dict[str, Any]:
    """``parameters`` without those that nobody gave."""
    return {name: value for name, value in parameters.items() if value is not None}


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


def track_title(source: Task, track: Artifact) -> str:
    """The title of what is made of one track: of a stem, with the stem's name."""
    title: str = source.parameters["title"]
    return f"{title} ({GROUP_NAMES[track.name]})" if track.name in GROUP_NAMES else title


async def check_addresses(services: Services, *, callback_url: str | None, song_url: str | None = None) -> None:
    """Judge the addresses that a request names; a song's may be a link of this server.

    Raises:
        BadParameter: One is no URL, or leads to what may not be dialled.
        NotFound: It is a link of ours that was cut or changed.
        Expired: It is a link of ours whose time is up.
    """
    await services.check_address(callback_url, field="callBackUrl")
    if song_url is not None and services.own_link(song_url) is None:
        await services.check_address(song_url, field="audioUrl")


Describe = Callable[[AsyncConnection], Awaitable[NewTask]]


async def order(services: Services, key: ApiKey, idempotency_key: str | None, body: bytes, describe: Describe) -> str:
    """Queue the task that ``describe`` gives; its id, or that of the task which the same request made before."""
    async with services.database.begin() as connection:
        if known := await idempotency.take(connection, key.id, idempotency_key, body):
            return known
        return await submit(connection, services, key, await describe(connection), idempotency_key)


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


def unknown_fields(services: Services, request: DocumentedRequest) -> list[str]:
    """The names of the fields of ``request`` that nothing is known of, which are ignored.

    Raises:
        BadParameter: ``ANTIPHON_STRICT`` is set.
    """
    names = [named(name) for name in request.unknown_fields]
    if names and services.settings.strict:
        raise BadParameter(
            f"{names[0]}: unknown field; remove it or correct its spelling (the callback field is 'callBackUrl')"
        )
    if names:
        log.warning("unknown fields ignored", request=type(request).__name__, fields=names)
    return names


def canonical(path: str, request: BaseModel) -> bytes:
    """What makes two requests the same."""
    return f"{path}\n{request.model_dump_json()}".encode()
