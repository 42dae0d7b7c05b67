"""Calls of the documented music API that make sense for an uploaded song: its record, its lyrics, and the credits."""

import json

from fastapi import APIRouter

from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import App, Shared
from antiphon.api.sound import coarser, outline_of
from antiphon.api.submit import find_source, find_track, unknown_fields
from antiphon.api.tasks import QueryTaskId, find_record
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import AlignedLyrics, AlignedWord, SongItem, SongRecord, SongResponse
from antiphon.contract.requests import DownloadUrl, TimestampedLyrics
from antiphon.errors import BadParameter, NotFound
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.engine import run_engine

router = APIRouter(tags=["songs"])
ALIGN_TIMEOUT_S = 20.0
WAVEFORM_STRETCHES = 1000
MODEL_NAME = "upload"


@router.get("/generate/record-info")
async def record_info(shared: Shared, key: Caller, taskId: QueryTaskId) -> Envelope[SongRecord]:
    """An uploaded song as the documented music records tell it; ``id`` is its audio id."""
    async with shared.database.begin() as connection:
        task = await find_record(connection, key, taskId, Kind.UPLOAD)
        made = await store.artifacts_of(connection, task.id)
    assert task.expires_at is not None
    links = {name: shared.link(artifact, task.expires_at) for name, artifact in made.items()}
    said = task.parameters
    song = SongItem(
        id=task.audio_id or "",
        audioUrl=links["origin"],
        streamAudioUrl=links["origin"],
        imageUrl=links.get("cover"),
        prompt=said.get("lyrics") or "",
        modelName=MODEL_NAME,
        title=said["title"],
        tags=said.get("author") or "",
        createTime=milliseconds(task.created_at) or 0,
        duration=round(said["duration"], 3),
    )
    param = json.dumps({"title": said["title"], "author": said.get("author")}, ensure_ascii=False)
    response = SongResponse(taskId=task.id, sunoData=[song])
    expires = milliseconds(task.expires_at)
    return Envelope(data=SongRecord(taskId=task.id, param=param, response=response, expireTime=expires))


@router.get("/generate/credit")
async def credit(shared: Shared, key: Caller) -> Envelope[int]:
    """How many tasks this key may still queue at the moment. Nothing is billed."""
    return Envelope(data=await _free_places(shared, key))


@router.get("/chat/credit")
async def chat_credit(shared: Shared, key: Caller) -> Envelope[int]:
    """The same under another edition's path."""
    return Envelope(data=await _free_places(shared, key))


async def _free_places(services: Services, key: ApiKey) -> int:
    async with services.database.begin() as connection:
        active = await store.count_active(connection, key.id)
    return max(services.settings.max_queued - active, 0)


@router.post("/common/download-url")
async def download_url(shared: Shared, key: WriterKey, request: DownloadUrl) -> Envelope[str]:
    """The address to download a file of this server from: ours can be used as they are, so it is the same one."""
    unknown_fields(shared, request)
    link = shared.own_link(request.url)
    if link is None:
        raise BadParameter("url: expected a link of this server, as its records and callbacks give them; send one")
    try:
        await shared.storage.stat(link.key)
    except NotFound:
        raise NotFound("url: this file was deleted; ask the task's record") from None
    return Envelope(data=request.url)


@router.post("/generate/get-timestamped-lyrics")
async def timestamped_lyrics(
    app: App, shared: Shared, key: WriterKey, request: TimestampedLyrics
) -> Envelope[AlignedLyrics]:
    """The lyrics that a song came with, word by word where they say when each is sung, else line by line. Empty for a
    song without lyrics."""
    ignored = unknown_fields(shared, request)
    async with shared.database.begin() as connection:
        source = await find_source(connection, key, request.taskId, (Kind.UPLOAD, Kind.SEPARATION))
        task, track = await find_track(connection, source, request.audioId, include_origin=True)
        song = task if task.kind is Kind.UPLOAD else await store.find(connection, task.source_id or "")
    lyrics = song.parameters.get("lyrics") if song else None
    words = await _words(lyrics, track.duration or 0.0) if lyrics else []
    outline = coarser(await outline_of(app, shared, task.id, track), WAVEFORM_STRETCHES)
    waveform = [round(max(-low, high, 0) / 127, 3) for low, high in zip(outline.low, outline.high, strict=True)]
    return Envelope(data=AlignedLyrics(alignedWords=words, waveformData=waveform, ignored=ignored))


async def _words(lyrics: str, duration: float) -> list[AlignedWord]:
    found = await run_engine("align", {"lyrics": lyrics, "duration": duration}, folder=None, timeout=ALIGN_TIMEOUT_S)
    return [
        AlignedWord(
            word=word["word"],
            success=word["timed"],
            startS=round(word["start"], 3),
            endS=round(word["end"], 3),
            start_s=round(word["start"], 3),
            end_s=round(word["end"], 3),
        )
        for word in found["words"]
    ]
