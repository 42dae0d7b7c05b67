"""Endpoints of sound for the console: waveforms, and pieces of ten seconds."""

import asyncio
import contextlib
import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller
from antiphon.api.dependencies import App, AppState, Shared
from antiphon.api.submit import find_owned, require_unexpired
from antiphon.api.tasks import PathTaskId
from antiphon.contract.envelope import Envelope
from antiphon.contract.records import Peaks
from antiphon.errors import EngineError, NotAudio, NotFound
from antiphon.keys import ApiKey
from antiphon.playback.players import UNPLAYABLE
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.engine import run_engine
from antiphon.tasks.model import Artifact

log = structlog.get_logger()
router = APIRouter(prefix="/tasks", tags=["sound"])
PIECE_S = 10
OUTLINE_BUCKETS = 9600  # of an outline as it is stored
OUTLINE_TIMEOUT_S = 300.0
IMMUTABLE_HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Authorization, Cookie"}
Name = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="origin, or a stem", examples=["vocal"])]


@router.get("/{taskId}/peaks/{artifact}")
async def peaks(
    app: App,
    response: Response,
    shared: Shared,
    key: Caller,
    taskId: PathTaskId,
    artifact: Name,
    buckets: Annotated[int, Query(ge=1, le=OUTLINE_BUCKETS, description="stretches of equal length")] = 1600,
) -> Envelope[Peaks]:
    """The waveform of a sound: how low and how high it goes in each stretch. Worked out once, then kept."""
    async with shared.database.begin() as connection:
        found = await _find_sound(connection, key, taskId, artifact)
    outline = await outline_of(app, shared, taskId, found)
    response.headers.update(IMMUTABLE_HEADERS)
    return Envelope(data=coarser(outline, buckets))


@router.get("/{taskId}/segments/{artifact}/{number}", response_class=Response, responses=openapi.SEGMENT)
async def segment(
    app: App,
    shared: Shared,
    key: Caller,
    taskId: PathTaskId,
    artifact: Name,
    number: Annotated[int, Path(ge=0, le=100_000, description="from 0")],
    codec: Annotated[Literal["flac", "wav"], Query(alias="format")] = "flac",
) -> Response:
    """Ten seconds of a sound from the second 10 × ``number`` on, in 44.1 kHz, stereo and 16 bit. The pieces fit
    together without a gap, to the sample; the last one is shorter."""
    async with shared.database.begin() as connection:
        found = await _find_sound(connection, key, taskId, artifact)
    with _damage_told():
        content = await app.players.piece(found.key, number, codec)
    if not content:
        pieces = math.ceil((found.duration or 0) / PIECE_S)
        raise NotFound(f"number: {artifact!r} of task {taskId} has about {pieces} pieces, counted from 0; ask for less")
    return Response(content, media_type=f"audio/{codec}", headers=IMMUTABLE_HEADERS)


async def _find_sound(connection: AsyncConnection, key: ApiKey, task_id: str, name: str) -> Artifact:
    task = await find_owned(connection, key, task_id)
    require_unexpired(task)
    artifacts = await store.artifacts_of(connection, task.id)
    sounds = [artifact.name for artifact in artifacts.values() if artifact.audio_id]
    if name not in sounds:
        there = f"it has {', '.join(sounds)}" if sounds else "it has none"
        raise NotFound(f"artifact: task {task.id} has no sound {name!r}; {there}")
    return artifacts[name]


async def outline_of(app: AppState, services: Services, task_id: str, artifact: Artifact) -> Peaks:
    """The outline of a sound, made once and then kept beside it."""
    async with app.outline_locks.setdefault(artifact.key, asyncio.Lock()):  # who asks meanwhile finds it in the storage
        return await _outline(services, task_id, artifact)


async def _outline(services: Services, task_id: str, artifact: Artifact) -> Peaks:
    """From the storage, where it lies beside the artifact and is deleted with it; made when it is not there yet."""
    key = f"{task_id}/peaks/{artifact.name}.json"
    with contextlib.suppress(NotFound):
        return Peaks.model_validate_json(b"".join([block async for block in services.storage.stream(key)]))
    with services.scratch.folder() as folder:
        path = folder / "sound"
        async with services.inspections:
            await services.storage.download(artifact.key, path)
            arguments = {"path": str(path), "most": OUTLINE_BUCKETS}
            with _damage_told():
                found = await run_engine("peaks", arguments, folder=folder, timeout=OUTLINE_TIMEOUT_S)
    outline = Peaks(**found, buckets=len(found["low"]))
    await services.storage.put_bytes(key, json.dumps(outline.model_dump()).encode(), "application/json")
    return outline


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    """A process that decodes a file and dies, or does not end, is no fault of the server's: it is the file's.

    Raises:
        NotAudio: In place of the engine's error.
    """
    try:
        yield
    except EngineError as error:
        log.warning("a file cannot be played", error=error.message)
        raise NotAudio(UNPLAYABLE) from error


def coarser(outline: Peaks, buckets: int) -> Peaks:
    """An outline of fewer stretches; of as many as there are when more are asked for."""
    have = outline.buckets
    want = min(buckets, have)
    edges = [at * have // want for at in range(want + 1)] if want else [0]
    stretches = list(pairwise(edges))
    return Peaks(
        duration=outline.duration,
        buckets=want,
        low=[min(outline.low[start:stop]) for start, stop in stretches],
        high=[max(outline.high[start:stop]) for start, stop in stretches],
    )
