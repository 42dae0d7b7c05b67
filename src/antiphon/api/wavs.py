"""Conversion of a track to WAV."""

from functools import partial

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import wav_record
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    check_addresses,
    find_source,
    find_track,
    new_task_id,
    order,
    track_title,
    unknown_fields,
)
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created, WavRecord
from antiphon.contract.requests import Wav
from antiphon.keys import ApiKey
from antiphon.tasks import store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/wav", tags=["wav"])
POLL_AFTER_S = 5


@router.post("/generate", callbacks=openapi.WAV_CALLBACK)
async def generate(
    shared: Shared, key: WriterKey, request: Wav, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Convert a song or a stem to WAV, 16 bit, at its own rate."""
    ignored = unknown_fields(shared, request)
    await check_addresses(shared, callback_url=request.callBackUrl)
    body = canonical("/wav/generate", request)
    task_id = await order(shared, key, idempotency_key, body, partial(new_wav, key=key, request=request))
    return Envelope(data=Created(taskId=task_id, ignored=ignored))


async def new_wav(connection: AsyncConnection, *, key: ApiKey, request: Wav) -> NewTask:
    """The task that ``request`` asks for. Raises 404, 409 and 410 for an unfit source."""
    named = await find_source(connection, key, request.taskId, (Kind.UPLOAD, Kind.SEPARATION))
    source, track = await find_track(connection, named, request.audioId, include_origin=True)
    return NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.WAV,
        source_id=source.id,
        audio_id=request.audioId,
        parameters={"title": track_title(source, track)},
        callback_url=request.callBackUrl,
    )


@router.get("/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[WavRecord]:
    """The conversion's record with a link to the WAV."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.WAV)
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=wav_record(shared, task, made))
