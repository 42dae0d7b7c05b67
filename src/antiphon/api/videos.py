"""Endpoints of video tasks: make a music video of a track, and its record."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import video_record
from antiphon.api.submit import (
    IdempotencyKey,
    canonical,
    check_addresses,
    find_source,
    find_track,
    given,
    new_task_id,
    order,
    track_title,
    unknown_fields,
)
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Created, VideoRecord
from antiphon.contract.requests import Video
from antiphon.keys import ApiKey
from antiphon.tasks import store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/mp4", tags=["video"])
POLL_AFTER_S = 30


@router.post("/generate", callbacks=openapi.VIDEO_CALLBACK)
async def generate(
    shared: Shared, key: WriterKey, request: Video, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Render an MP4 of a song or of one stem."""
    ignored = unknown_fields(shared, request)
    await check_addresses(shared, callback_url=request.callBackUrl, song_url=request.audioUrl)
    body = canonical("/mp4/generate", request)
    task_id = await order(shared, key, idempotency_key, body, partial(new_video, key=key, request=request))
    return Envelope(data=Created(taskId=task_id, ignored=ignored))


async def new_video(connection: AsyncConnection, *, key: ApiKey, request: Video) -> NewTask:
    """The task that ``request`` asks for. Raises 404, 409 and 410 for an unfit source."""
    source_id: str | None = None
    said: dict[str, Any] = {}
    if request.taskId and request.audioId:
        source_id, said = await _track(connection, key, request.taskId, request.audioId)
    look = request.model_dump(include={"domainName", "theme", "aspect", "resolution", "fps", "audio"})
    return NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.VIDEO,
        source_id=source_id,
        audio_id=request.audioId,
        parameters={
            **look,
            "author": request.author or said.get("author"),
            "lyrics": said.get("lyrics") if request.lyrics is None else request.lyrics,
            **given(title=said.get("title"), audioUrl=request.audioUrl),
        },
        callback_url=request.callBackUrl,
    )


async def _track(connection: AsyncConnection, key: ApiKey, task_id: str, audio_id: str) -> tuple[str, dict[str, Any]]:
    """The task that keeps a track; and the title, author and lyrics that its song came with."""
    named = await find_source(connection, key, task_id, (Kind.UPLOAD, Kind.SEPARATION))
    source, track = await find_track(connection, named, audio_id, include_origin=True)
    song = source if source.kind is Kind.UPLOAD else await store.find(connection, source.source_id or "")
    return source.id, {**(song.parameters if song else {}), "title": track_title(source, track)}


@router.get("/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[VideoRecord]:
    """The video's record with a link to the MP4."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.VIDEO)
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=video_record(shared, task, made))
