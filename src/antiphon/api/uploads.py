"""A song comes in: as a file, or from a URL."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from antiphon.api import openapi
from antiphon.api.auth import Shared, Writer
from antiphon.api.multipart import Form, read_form
from antiphon.api.rendering import milliseconds
from antiphon.api.submit import IdempotencyKey, canonical, find_owned, new_task_id
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import Kind
from antiphon.contract.records import Uploaded
from antiphon.contract.requests import CONTROL, UploadFields, UploadUrl
from antiphon.errors import AntiphonError, BadParameter
from antiphon.keys import ApiKey
from antiphon.outbound.fetch import fetch
from antiphon.services import Services
from antiphon.tasks import idempotency, store
from antiphon.tasks.engine import run_engine
from antiphon.tasks.model import Artifact, NewTask, Task
from antiphon.tasks.work import file_name

router = APIRouter(prefix="/audio", tags=["audio"])

INSPECTION_TIMEOUT = 300.0  # seconds
FETCH_TIMEOUT = 300.0
LARGEST_COVER = 20_000_000  # bytes
FILES = ("file", "cover")
SUFFIXES = {
    "mp3": ".mp3",
    "flac": ".flac",
    "wav": ".wav",
    "ogg": ".ogg",
    "aac": ".aac",
    "aiff": ".aiff",
    "mov,mp4,m4a,3gp,3g2,mj2": ".m4a",
    "matroska,webm": ".mka",
}


@router.post("/upload", openapi_extra=openapi.UPLOAD_BODY)
async def upload(
    request: Request, shared: Shared, key: Writer, idempotency_key: IdempotencyKey = None
) -> Envelope[Uploaded]:
    """Upload a song. Any format and any video with sound will do."""
    with shared.scratch.folder() as folder:
        form = await read_form(
            request.stream(),
            request.headers.get("content-type", ""),
            folder,
            files=FILES,
            limit=shared.settings.max_upload,
        )
        if "file" not in form.files:
            raise BadParameter("file: required, but missing; add the song as a part with this name")
        fields = _fields(form)
        body = b"/audio/upload\n" + form.digest
        return await _take(shared, key, idempotency_key, body, fields, form)


@router.post("/upload-url")
async def upload_url(
    shared: Shared, key: Writer, request: UploadUrl, idempotency_key: IdempotencyKey = None
) -> Envelope[Uploaded]:
    """Fetch a song from a URL, under the same guard as callbacks."""
    body = canonical("/audio/upload-url", request)
    async with shared.database.begin() as connection:
        if known := await idempotency.recall(connection, key.id, idempotency_key, body):
            return _answer(await find_owned(connection, key, known))
    with shared.scratch.folder() as folder:
        form = Form(files={"file": folder / "upload-file"})
        guarded = partial(fetch, guard=shared.guard, resolver=shared.resolver, timeout=FETCH_TIMEOUT)
        fetched = await guarded(request.url, form.files["file"], max_bytes=shared.settings.max_upload)
        form.filenames["file"] = fetched.filename
        if request.cover:
            form.files["cover"] = folder / "upload-cover"
            await guarded(request.cover, form.files["cover"], max_bytes=LARGEST_COVER)
        return await _take(shared, key, idempotency_key, body, request, form)


def _fields(form: Form) -> UploadFields:
    try:
        return UploadFields.model_validate(form.fields)
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in error.errors()]) from None


async def _take(
    services: Services, key: ApiKey, idempotency_key: str | None, body: bytes, fields: UploadFields, form: Form
) -> Envelope[Uploaded]:
    """Inspect what came, store it, and only then say so in the database."""
    cover = form.files.get("cover")
    if cover is not None and cover.stat().st_size > LARGEST_COVER:
        raise BadParameter(f"cover: larger than {LARGEST_COVER / 1e6:g} MB; send a smaller picture")
    async with services.inspections:  # many at once would only be slower, and want much memory
        info = await run_engine(
            "inspect",
            {
                "path": str(form.files["file"]),
                "max_duration": services.settings.max_duration,
                "cover": str(cover) if cover else None,
            },
            timeout=INSPECTION_TIMEOUT,
        )
    task = NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.UPLOAD,
        audio_id=str(uuid4()),
        parameters=_describe(fields, info, form.filenames.get("file", "")),
    )
    stored = await _store(services, task, form, info)
    try:
        async with services.database.begin() as connection:
            known = await idempotency.take(connection, key.id, idempotency_key, body)
            if known is None:
                recorded = await store.record_upload(connection, task, stored, services.retention)
                await idempotency.remember(connection, key.id, idempotency_key, task.id)
                return _answer(recorded)
            before = await find_owned(connection, key, known)
    except AntiphonError:  # such as an Idempotency-Key that came with another song before
        await services.storage.delete_prefix(task.id)
        raise
    await services.storage.delete_prefix(task.id)
    return _answer(before)


def _describe(fields: UploadFields, info: dict[str, Any], filename: str) -> dict[str, Any]:
    """Title and author: as given, else as the file's tags say, else from its name."""
    stem = CONTROL.sub("", Path(filename.replace("\\", "/")).stem).strip()
    return {
        "title": fields.title or _tag(info["title"]) or stem[:200] or "Untitled",
        "author": fields.author or _tag(info["artist"])[:50],
        "lyrics": fields.lyrics,
        "duration": info["duration"],
    }


def _tag(value: str | None) -> str:
    return CONTROL.sub("", value or "").strip()[:200]


async def _store(services: Services, task: NewTask, form: Form, info: dict[str, Any]) -> list[Artifact]:
    artifacts = []
    suffixes = {"file": SUFFIXES.get(info["container"], ".audio"), "cover": ".image"}
    names = {"file": "origin", "cover": "cover"}
    for part, path in form.files.items():
        name, suffix = names[part], suffixes[part]
        artifact = Artifact(
            name=name,
            key=f"{task.id}/0/{name}{suffix}",
            filename=file_name(task.parameters["title"], name, suffix),
            content_type="application/octet-stream",
            size=path.stat().st_size,
            audio_id=task.audio_id if part == "file" else None,
            duration=round(info["duration"], 3) if part == "file" else None,
        )
        artifacts.append(artifact)
    try:
        for artifact, path in zip(artifacts, form.files.values(), strict=True):
            await services.storage.put_file(artifact.key, path, artifact.content_type)
    except BaseException:
        await services.storage.delete_prefix(task.id)
        raise
    return artifacts


def _answer(task: Task) -> Envelope[Uploaded]:
    assert task.audio_id is not None
    return Envelope(
        data=Uploaded(
            taskId=task.id,
            audioId=task.audio_id,
            duration=round(task.parameters["duration"], 3),
            title=task.parameters["title"],
            expireTime=milliseconds(task.expires_at) or 0,
        )
    )
