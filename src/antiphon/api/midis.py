"""Endpoints of MIDI tasks: make MIDI of a finished separation, and its record."""

from functools import partial

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import midi_record
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    check_addresses,
    find_source,
    find_track,
    new_task_id,
    order,
    unknown_fields,
)
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created, MidiRecord
from antiphon.contract.requests import Midi
from antiphon.keys import ApiKey
from antiphon.tasks import store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/midi", tags=["midi"])
POLL_AFTER_S = 10


@router.post("/generate", callbacks=openapi.MIDI_CALLBACK)
async def generate(
    shared: Shared, key: WriterKey, request: Midi, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Transcribe all stems of a separation, or one of them. Works best from ``split_stem``."""
    ignored = unknown_fields(shared, request)
    await check_addresses(shared, callback_url=request.callBackUrl)
    body = canonical("/midi/generate", request)
    task_id = await order(shared, key, idempotency_key, body, partial(new_midi, key=key, request=request))
    return Envelope(data=Created(taskId=task_id, ignored=ignored))


async def new_midi(connection: AsyncConnection, *, key: ApiKey, request: Midi) -> NewTask:
    """The task that ``request`` asks for. Raises 404, 409 and 410 for an unfit source."""
    source = await find_source(connection, key, request.taskId, (Kind.SEPARATION,))
    if request.audioId:
        await find_track(connection, source, request.audioId, include_origin=False)
    return NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.MIDI,
        source_id=source.id,
        audio_id=request.audioId,
        parameters={"title": source.parameters["title"], "quantize": request.quantize},
        callback_url=request.callBackUrl,
    )


@router.get("/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[MidiRecord]:
    """The MIDI record: the notes, and a link to a Standard MIDI File."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.MIDI)
        source = await store.find(connection, task.source_id or "")
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=midi_record(shared, task, source, made))
