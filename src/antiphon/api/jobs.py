"""The unified form: every kind of task by one call, and one record for all of them."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.errors import validated
from antiphon.api.midis import new_midi
from antiphon.api.separations import check_engine, new_separation
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    check_addresses,
    find_owned,
    order,
    require_unexpired,
    unknown_fields,
)
from antiphon.api.tasks import QueryTaskId, advise_polling
from antiphon.api.videos import new_video
from antiphon.api.wavs import new_wav
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created
from antiphon.contract.requests import CreateJob, Request, Separation, TrackRequest
from antiphon.contract.unified import MODELS, JobRecord, request_of
from antiphon.errors import BadParameter, NotFound
from antiphon.tasks import store
from antiphon.tasks.model import NewTask
from antiphon.tasks.unified import PARAMETER, is_unified, job_record

router = APIRouter(prefix="/jobs", tags=["jobs"])
POLL_AFTER_S = 10
_DESCRIBE: dict[Kind, Any] = {
    Kind.SEPARATION: new_separation,
    Kind.MIDI: new_midi,
    Kind.VIDEO: new_video,
    Kind.WAV: new_wav,
}


@router.post("/createTask")
async def create_task(
    shared: Shared, key: WriterKey, request: CreateJob, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Separate, transcribe, render or convert, named by ``model``; ``input`` is that request in snake_case."""
    kind, inner = _read(request)
    ignored = unknown_fields(shared, request) + [f"input.{name}" for name in unknown_fields(shared, inner)]
    if isinstance(inner, Separation):
        check_engine(shared, inner)
    song_url = inner.audioUrl if isinstance(inner, TrackRequest) else None
    await check_addresses(shared, callback_url=request.callBackUrl, song_url=song_url)

    async def describe(connection: AsyncConnection) -> NewTask:
        task: NewTask = await _DESCRIBE[kind](connection, key=key, request=inner)
        job = {PARAMETER: {"model": request.model, "input": request.input}}
        return replace(task, parameters={**task.parameters, **job})

    task_id = await order(shared, key, idempotency_key, canonical("/jobs/createTask", request), describe)
    return Envelope(data=Created(taskId=task_id, ignored=ignored))


def _read(request: CreateJob) -> tuple[Kind, Request]:
    """The kind of task and its request. Raises 400, which names the model or the field of the input."""
    if request.model not in MODELS:
        raise BadParameter(f"model: expected one of {', '.join(MODELS)} (got {request.model!r}); correct it")
    kind, model = MODELS[request.model]
    return kind, validated(model, request_of(request.input, request.callBackUrl), "input")


@router.get("/recordInfo")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[JobRecord]:
    """The record of a task that was made by ``createTask``."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        if not is_unified(task):
            raise NotFound(f"taskId: task {task.id} was not made by /jobs/createTask; ask the record of its kind")
        require_unexpired(task)
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    urls = {name: shared.link(artifact, task.expires_at) for name, artifact in made.items() if task.expires_at}
    return Envelope(data=job_record(task, urls))
