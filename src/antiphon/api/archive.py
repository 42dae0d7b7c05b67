"""ZIP of all files of a task, streamed: it is made while it is read, and neither held in memory nor written to disk."""

import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from antiphon.api import openapi
from antiphon.api.auth import Caller
from antiphon.api.dependencies import Shared
from antiphon.api.files import disposition
from antiphon.api.submit import find_owned, require_unexpired
from antiphon.api.tasks import PathTaskId
from antiphon.contract.kinds import Kind
from antiphon.errors import Conflict
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.file_names import file_name
from antiphon.tasks.model import Artifact, Task

router = APIRouter(prefix="/tasks", tags=["sound"])
NAMES = {Kind.UPLOAD: "upload", Kind.SEPARATION: "stems", Kind.MIDI: "midi", Kind.VIDEO: "video"}


@router.get("/{taskId}/archive", response_class=StreamingResponse, responses=openapi.ARCHIVE)
async def archive(shared: Shared, key: Caller, taskId: PathTaskId) -> StreamingResponse:
    """All files of a task in a ZIP; with MIDI also the notes as JSON."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        require_unexpired(task)
        made = list((await store.artifacts_of(connection, task.id)).values())
    if not made:
        raise Conflict(f"taskId: task {task.id} has no files: it is {task.state}; only one that succeeded has some")
    filename = file_name(task.parameters.get("title", ""), NAMES[task.kind], ".zip")
    headers = {"Content-Disposition": disposition("attachment", filename), "Cache-Control": "no-store"}
    return StreamingResponse(_zipped(shared, task, made), media_type="application/zip", headers=headers)


async def _zipped(services: Services, task: Task, made: list[Artifact]) -> AsyncIterator[bytes]:
    out = _Outlet()
    with ZipFile(out, "w", ZIP_STORED) as archive:  # sound and pictures are compressed already
        for artifact in made:
            with archive.open(_entry(task, artifact.filename), "w", force_zip64=True) as entry:
                async for piece in services.storage.stream(artifact.key):
                    entry.write(piece)
                    yield out.take()
        if task.kind is Kind.MIDI and task.result:
            notes = json.dumps(task.result["instruments"], ensure_ascii=False).encode()
            archive.writestr(_entry(task, file_name(task.parameters.get("title", ""), "notes", ".json")), notes)
    yield out.take()


def _entry(task: Task, filename: str) -> ZipInfo:
    """An entry dated by the task's end, in UTC, readable by its owner."""
    ended = (task.completed_at or datetime.now(UTC)).astimezone(UTC)
    entry = ZipInfo(filename, (ended.year, ended.month, ended.day, ended.hour, ended.minute, ended.second))
    entry.external_attr = 0o644 << 16
    return entry


class _Outlet(io.RawIOBase):
    """What the ZIP writes, until it is taken. It cannot seek, so the ZIP puts sizes behind the data."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken
