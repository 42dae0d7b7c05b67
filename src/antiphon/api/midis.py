"""Endpoints of MIDI tasks: make MIDI of a finished separation, and its record."""

from fastapi import APIRouter, Response

from antiphon.api import openapi
from antiphon.api.auth import Caller, Writer
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import midi_record
from antiphon.api.submit import IdempotencyKey, canonical, find_source, find_track, new_task_id, submit
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created, MidiRecord
from antiphon.contract.requests import Midi
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/midi", tags=["midi"])
POLL_AFTER_S = 10


@router.post("/generate", callbacks=openapi.MIDI_CALLBACK)
async def generate(
    shared: Shared, key: Writer, request: Midi, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Transcribe all stems of a separation, or one of them. Works best from ``split_stem``."""
    await shared.check_address(request.callBackUrl, field="callBackUrl")
    async with shared.database.begin() as connection:
        if known := await idempotency.take(connection, key.id, idempotency_key, canonical("/midi/generate", request)):
            return Envelope(data=Created(taskId=known))
        source = await find_source(connection, key, request.taskId, (Kind.SEPARATION,))
        if request.audioId:
            await find_track(connection, source, request.audioId, include_origin=False)
        task = NewTask(
            id=new_task_id(),
            api_key_id=key.id,
            kind=Kind.MIDI,
            source_id=source.id,
            audio_id=request.audioId,
            parameters={"title": source.parameters["title"], "quantize": request.quantize},
            callback_url=request.callBackUrl,
        )
        return Envelope(data=Created(taskId=await submit(connection, shared, key, task, idempotency_key)))


@router.get("/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[MidiRecord]:
    """The MIDI record: the notes, and a link to a Standard MIDI File."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.MIDI)
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=midi_record(shared, task, made))
