"""Files that are brought in for three days, to be named by their link: as a stream, by URL, or in Base64."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request

from antiphon.api import openapi
from antiphon.api.auth import Uploader
from antiphon.api.base64_body import MAX_OTHER_BYTES, read_base64_body
from antiphon.api.dependencies import Shared
from antiphon.api.errors import unkept, validated
from antiphon.api.multipart import read_form
from antiphon.api.submit import new_task_id, unknown_fields
from antiphon.contract.envelope import FileEnvelope
from antiphon.contract.kinds import Kind
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import FileItem
from antiphon.contract.requests import FileBase64, FileFields, FileUrl
from antiphon.errors import BadParameter, TooLarge
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.model import Artifact, NewTask
from antiphon.tasks.songs import store_files

router = APIRouter(tags=["files"])
RETENTION = timedelta(days=3)
PART = "file"
DEFAULT_TYPE = "application/octet-stream"


@router.post("/file-stream-upload", openapi_extra=openapi.FILE_STREAM_BODY)
async def stream_upload(request: Request, shared: Shared, key: Uploader) -> FileEnvelope[FileItem]:
    """Send a file as multipart/form-data."""
    with shared.scratch.folder() as folder:
        form = await read_form(
            request.stream(),
            request.headers.get("content-type", ""),
            folder,
            files=(PART,),
            limit=shared.settings.max_upload,
            by_its_first_line=True,
        )
        if PART not in form.files:
            raise BadParameter("file: required, but missing; add the file as a part with this name")
        fields = validated(FileFields, form.fields)
        return await _keep(shared, key, fields, form.files[PART], name=form.filenames[PART], mime_type=None)


@router.post("/file-url-upload")
async def url_upload(shared: Shared, key: Uploader, request: FileUrl) -> FileEnvelope[FileItem]:
    """Fetch a file from a URL, under the same guard as callbacks."""
    with shared.scratch.folder() as folder:
        path = folder / PART
        fetched = await shared.fetch(request.fileUrl, path, field="fileUrl")
        return await _keep(shared, key, request, path, name=fetched.filename, mime_type=fetched.content_type)


@router.post("/file-base64-upload", openapi_extra=openapi.FILE_BASE64_BODY)
async def base64_upload(request: Request, shared: Shared, key: Uploader) -> FileEnvelope[FileItem]:
    """Send a file in Base64, plain or as a ``data:`` URL. It is decoded on the disk, whatever its size."""
    limit = shared.settings.max_upload
    with shared.scratch.folder() as folder:
        body, path = folder / "body", folder / PART
        await _spool(request.stream(), body, most=limit * 4 // 3 + MAX_OTHER_BYTES, limit=limit)
        other, mime_type = await asyncio.to_thread(read_base64_body, body, path)
        fields = validated(FileBase64, other)
        return await _keep(shared, key, fields, path, name="", mime_type=mime_type)


async def _spool(stream: AsyncIterator[bytes], path: Path, *, most: int, limit: int) -> None:
    """Write a body to the disk as it comes; ``most`` and ``limit`` are bytes, the body's and the file's in it."""
    size = 0
    try:
        with path.open("wb") as file:
            async for chunk in stream:
                size += len(chunk)
                if size > most:
                    raise TooLarge(
                        f"base64Data: larger than {limit / 1e6:g} MB, the most that ANTIPHON_MAX_UPLOAD allows"
                    )
                file.write(chunk)
    except OSError as error:
        raise unkept(error) from error


async def _keep(
    services: Services, key: ApiKey, fields: FileFields, path: Path, *, name: str, mime_type: str | None
) -> FileEnvelope[FileItem]:
    """Store the file and answer where it is."""
    ignored = unknown_fields(services, fields)
    size = path.stat().st_size
    if not size:
        raise BadParameter("file: is empty; send one with something in it")
    suffix = mimetypes.guess_extension(mime_type or "") or ""
    filename = _base_name(fields.fileName or "") or _base_name(name) or f"file{suffix}"
    folder = PurePosixPath("/", (fields.uploadPath or "").replace("\\", "/")).relative_to("/")
    task = NewTask(
        id=new_task_id(),
        api_key_id=key.id,
        kind=Kind.FILE,
        parameters={"title": filename, "path": str(folder / filename)},
    )
    artifact = Artifact(PART, f"{task.id}/0/{PART}{PurePosixPath(filename).suffix[:10]}", filename, DEFAULT_TYPE, size)
    await store_files(services, task.id, [artifact], {PART: path})
    async with services.database.begin() as connection:
        recorded = await store.record_upload(connection, task, [artifact], RETENTION)
    assert recorded.expires_at is not None
    return FileEnvelope(
        msg="File uploaded successfully",
        data=FileItem(
            fileName=filename,
            filePath=task.parameters["path"],
            downloadUrl=services.link(artifact, recorded.expires_at),
            fileSize=size,
            mimeType=mimetypes.guess_type(filename)[0] or mime_type or DEFAULT_TYPE,
            uploadedAt=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            taskId=task.id,
            expireTime=milliseconds(recorded.expires_at) or 0,
            ignored=ignored,
        ),
    )


def _base_name(name: str) -> str:
    """The last part of a path of any system, without what no file name has."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    return "" if last in (".", "..") else "".join(letter for letter in last if letter.isprintable())[:255]
