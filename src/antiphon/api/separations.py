"""Endpoints of separation tasks: separate a song into stems, and its record."""

from fastapi import APIRouter, Response

from antiphon.api import openapi
from antiphon.api.auth import Caller, Writer
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import separation_record
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    find_source,
    find_track,
    new_task_id,
    submit,
)
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created, SeparationRecord
from antiphon.contract.requests import Separation
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/vocal-removal", tags=["separation"])
POLL_AFTER_S = 10


@router.post("/generate", callbacks=openapi.SEPARATION_CALLBACK)
async def generate(
    shared: Shared, key: Writer, request: Separation, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Separate the vocals from the rest (``separate_vocal``), or into all stems (``split_stem``)."""
    await shared.check_address(request.callBackUrl, field="callBackUrl")
    async with shared.database.begin() as connection:
        body = canonical("/vocal-removal/generate", request)
        if known := await idempotency.take(connection, key.id, idempotency_key, body):
            return Envelope(data=Created(taskId=known))
        source = await find_source(connection, key, request.taskId, (Kind.UPLOAD,))
        await find_track(connection, source, request.audioId, include_origin=False)
        task = NewTask(
            id=new_task_id(),
            api_key_id=key.id,
            kind=Kind.SEPARATION,
            source_id=source.id,
            audio_id=request.audioId,
            parameters={"type": request.type, "title": source.parameters["title"]},
            callback_url=request.callBackUrl,
        )
        return Envelope(data=Created(taskId=await submit(connection, shared, key, task, idempotency_key)))


@router.get("/record-info")
async def record_info(
    shared: Shared, key: Caller, taskId: QueryTaskId, response: Response
) -> Envelope[SeparationRecord]:
    """The separation's record; the links in it are made anew each time and live as long as the files."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.SEPARATION)
        made = await store.artifacts_of(connection, task.id)
        origin = (await store.artifacts_of(connection, task.source_id or "")).get("origin")
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=separation_record(shared, task, origin, made))
