"""Endpoints of separation tasks: separate a song into stems, and its record."""

from functools import partial

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import separation_record
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    check_addresses,
    find_source,
    find_track,
    given,
    new_task_id,
    order,
    unknown_fields,
)
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import GROUP_NAMES, Kind
from antiphon.contract.records import Created, SeparationRecord
from antiphon.contract.requests import Separation
from antiphon.errors import BadParameter
from antiphon.keys import ApiKey
from antiphon.music import separators
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/vocal-removal", tags=["separation"])
POLL_AFTER_S = 10


@router.post("/generate", callbacks=openapi.SEPARATION_CALLBACK)
async def generate(
    shared: Shared, key: WriterKey, request: Separation, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Separate the vocals from the rest (``separate_vocal``), into all stems (``split_stem``), or take one named stem
    out (``split_stem_advanced``)."""
    ignored = unknown_fields(shared, request)
    check_engine(shared, request)
    await check_addresses(shared, callback_url=request.callBackUrl, song_url=request.audioUrl)
    body = canonical("/vocal-removal/generate", request)
    task_id = await order(shared, key, idempotency_key, body, partial(new_separation, key=key, request=request))
    return Envelope(data=Created(taskId=task_id, ignored=ignored))


def check_engine(services: Services, request: Separation) -> None:
    """Raises ``BadParameter`` when there is no such engine here, or when it is known not to make the stem."""
    if request.engine is not None:
        separators.check_name(request.engine)
    engine = request.engine or services.settings.separation
    made = separators.STEMS.get(engine)
    if request.stemName and made and request.stemName not in (*made, "other"):
        names = ", ".join(GROUP_NAMES[stem] for stem in (*made, "other"))
        raise BadParameter(f"stemName: expected a stem that the engine {engine!r} makes: {names}")


async def new_separation(connection: AsyncConnection, *, key: ApiKey, request: Separation) -> NewTask:
    """The task that ``request`` asks for. Raises 404, 409 and 410 for an unfit source."""
    source = None
    if request.taskId and request.audioId:
        source = await find_source(connection, key, request.taskId, (Kind.UPLOAD,))
        await find_track(connection, source, request.audioId, include_origin=False)
    return NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.SEPARATION,
        source_id=source.id if source else None,
        audio_id=request.audioId,
        parameters=given(
            type=request.type,
            stem=request.stemName,
            engine=request.engine,
            title=source.parameters["title"] if source else None,
            audioUrl=request.audioUrl,
        ),
        callback_url=request.callBackUrl,
    )


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
