"""Endpoints of uploads: a song as a file, or from a URL."""

from fastapi import APIRouter, Request

from antiphon.api import openapi
from antiphon.api.auth import Uploader
from antiphon.api.dependencies import Shared
from antiphon.api.errors import validated
from antiphon.api.multipart import Form, read_form
from antiphon.api.submit import IdempotencyKey, canonical, find_owned, new_task_id, unknown_fields
from antiphon.contract.envelope import Envelope
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import Uploaded
from antiphon.contract.requests import UploadFields, UploadUrl
from antiphon.errors import AntiphonError, BadParameter
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import idempotency, store
from antiphon.tasks.model import Task
from antiphon.tasks.songs import Song, inspect_song, store_files

router = APIRouter(prefix="/audio", tags=["audio"])

MAX_COVER_BYTES = 20_000_000
FILES = ("file", "cover")


@router.post("/upload", openapi_extra=openapi.UPLOAD_BODY)
async def upload(
    request: Request, shared: Shared, key: Uploader, idempotency_key: IdempotencyKey = None
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
        fields = validated(UploadFields, form.fields)
        body = b"/audio/upload\n" + form.digest
        return await _take(shared, key, idempotency_key, body, fields, form)


@router.post("/upload-url")
async def upload_url(
    shared: Shared, key: Uploader, request: UploadUrl, idempotency_key: IdempotencyKey = None
) -> Envelope[Uploaded]:
    """Fetch a song from a URL, under the same guard as callbacks."""
    body = canonical("/audio/upload-url", request)
    async with shared.database.begin() as connection:
        if known := await idempotency.recall(connection, key.id, idempotency_key, body):
            return _answer(await find_owned(connection, key, known), unknown_fields(shared, request))
    with shared.scratch.folder() as folder:
        form = Form(files={"file": folder / "upload-file"})
        fetched = await shared.fetch(request.url, form.files["file"])
        form.filenames["file"] = fetched.filename
        if request.cover:
            form.files["cover"] = folder / "upload-cover"
            await shared.fetch(request.cover, form.files["cover"], max_bytes=MAX_COVER_BYTES)
        return await _take(shared, key, idempotency_key, body, request, form)


async def _take(
    services: Services, key: ApiKey, idempotency_key: str | None, body: bytes, fields: UploadFields, form: Form
) -> Envelope[Uploaded]:
    """Inspect what came, store it, and only then say so in the database."""
    ignored = unknown_fields(services, fields)
    cover = form.files.get("cover")
    if cover is not None and cover.stat().st_size > MAX_COVER_BYTES:
        raise BadParameter(f"cover: larger than {MAX_COVER_BYTES / 1e6:g} MB; send a smaller picture")
    song = Song(form.files["file"], form.filenames.get("file", ""), cover, fields.title, fields.author, fields.lyrics)
    upload = await inspect_song(services, song, api_key_id=key.id, task_id=new_task_id())
    task = upload.task
    await store_files(services, task.id, upload.artifacts, upload.files)
    try:
        async with services.database.begin() as connection:
            known = await idempotency.take(connection, key.id, idempotency_key, body)
            if known is None:
                recorded = await store.record_upload(connection, task, upload.artifacts, services.retention)
                await idempotency.remember(connection, key.id, idempotency_key, task.id)
                return _answer(recorded, ignored)
            before = await find_owned(connection, key, known)
    except AntiphonError:  # such as an Idempotency-Key that came with another song before
        await services.storage.delete_prefix(task.id)
        raise
    await services.storage.delete_prefix(task.id)
    return _answer(before, ignored)


def _answer(task: Task, ignored: list[str]) -> Envelope[Uploaded]:
    assert task.audio_id is not None
    return Envelope(
        data=Uploaded(
            taskId=task.id,
            audioId=task.audio_id,
            duration=round(task.parameters["duration"], 3),
            title=task.parameters["title"],
            expireTime=milliseconds(task.expires_at) or 0,
            ignored=ignored,
        )
    )
