"""Endpoints of video tasks: make a music video of a track, and its record."""

from fastapi import APIRouter, Response

from antiphon.api import openapi
from antiphon.api.auth import Caller, Writer
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import video_record
from antiphon.api.submit import IdempotencyKey, canonical, find_source, find_track, new_task_id, submit
from antiphon.api.tasks import QueryTaskId, advise_polling, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import GROUP_NAMES, Kind
from antiphon.contract.records import Created, VideoRecord
from antiphon.contract.requests import Video
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import NewTask

router = APIRouter(prefix="/mp4", tags=["video"])
POLL_AFTER_S = 30


@router.post("/generate", callbacks=openapi.VIDEO_CALLBACK)
async def generate(
    shared: Shared, key: Writer, request: Video, idempotency_key: IdempotencyKey = None
) -> Envelope[Created]:
    """Render an MP4 of an uploaded song or of one stem."""
    await shared.check_address(request.callBackUrl, field="callBackUrl")
    async with shared.database.begin() as connection:
        if known := await idempotency.take(connection, key.id, idempotency_key, canonical("/mp4/generate", request)):
            return Envelope(data=Created(taskId=known))
        named = await find_source(connection, key, request.taskId, (Kind.UPLOAD, Kind.SEPARATION))
        source, track = await find_track(connection, named, request.audioId, include_origin=True)
        song = source if source.kind is Kind.UPLOAD else await store.find(connection, source.source_id or "")
        said = song.parameters if song else {}
        title = source.parameters["title"]
        task = NewTask(
            id=new_task_id(),
            api_key_id=key.id,
            kind=Kind.VIDEO,
            source_id=source.id,
            audio_id=request.audioId,
            parameters={
                "title": f"{title} ({GROUP_NAMES[track.name]})" if track.name in GROUP_NAMES else title,
                "author": request.author or said.get("author"),
                "domainName": request.domainName,
                "theme": request.theme,
                "aspect": request.aspect,
                "resolution": request.resolution,
                "fps": request.fps,
                "audio": request.audio,
                "lyrics": said.get("lyrics") if request.lyrics is None else request.lyrics,
            },
            callback_url=request.callBackUrl,
        )
        return Envelope(data=Created(taskId=await submit(connection, shared, key, task, idempotency_key)))


@router.get("/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId, response: Response) -> Envelope[VideoRecord]:
    """The video's record with a link to the MP4."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.VIDEO)
        made = await store.artifacts_of(connection, task.id)
    advise_polling(response, task, POLL_AFTER_S)
    return Envelope(data=video_record(shared, task, made))
