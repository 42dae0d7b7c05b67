"""Artifacts by signed link, whole or in part."""

import re
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from antiphon import links
from antiphon.api import openapi
from antiphon.api.dependencies import Shared
from antiphon.errors import NotFound
from antiphon.http_dates import format_http_date
from antiphon.services import Services
from antiphon.storage import Stored
from antiphon.tasks.file_names import content_type

router = APIRouter(tags=["files"])
_SPAN = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


Range = Annotated[str | None, Header(alias="Range")]
IfRange = Annotated[str | None, Header(alias="If-Range")]


@router.head("/files/{token}/{filename}", include_in_schema=False)
@router.get("/files/{token}/{filename}", response_class=StreamingResponse, responses=openapi.FILE)
async def download(
    shared: Shared, request: Request, token: str, filename: str, range_header: Range = None, if_range: IfRange = None
) -> Response:
    """The artifact. One byte range is supported, so downloads resume and players seek. What it is and what it is called
    is signed into the token; the name behind it is for those who save a link under its last part."""
    return await answer(shared, request, token, range_header, if_range)


@router.head("/files/{token}", include_in_schema=False)
@router.get("/files/{token}", include_in_schema=False)
async def download_by_token(
    shared: Shared, request: Request, token: str, range_header: Range = None, if_range: IfRange = None
) -> Response:
    """The same by a link of version 0.1, which ends with the token."""
    return await answer(shared, request, token, range_header, if_range)


async def answer(
    shared: Services, request: Request, token: str, range_header: str | None, if_range: str | None
) -> Response:
    """What the token leads to, or the part of it that is asked for."""
    link = links.read(shared.secret, token, datetime.now(UTC).timestamp())
    try:
        stored = await shared.storage.stat(link.key)
    except NotFound:
        raise NotFound("this file was deleted; ask the task's record") from None
    headers = _headers(link.key, link.filename, stored)
    span = _span(range_header, stored.size) if if_range in (None, headers["ETag"]) else None
    if span == (0, 0) and stored.size:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{stored.size}"})
    start, end = span or (0, stored.size)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(shared.storage.stream(link.key, start, end), status, headers)


def _headers(key: str, filename: str, stored: Stored) -> dict[str, str]:
    return {
        "Content-Type": content_type(filename),
        "Content-Disposition": disposition("inline", filename),
        "Accept-Ranges": "bytes",
        "ETag": f'"{(stored.etag or key).strip(chr(34))}"',
        "Last-Modified": format_http_date(stored.modified),
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; media-src 'self'; img-src 'self'",
    }


def disposition(how: str, filename: str) -> str:
    """``Content-Disposition`` (RFC 6266), the name also for those who know ASCII only. ``how``: inline, attachment."""
    plain = filename.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the range; None for the whole; (0, 0) if it cannot be satisfied."""
    match = _SPAN.fullmatch(header.strip()) if header else None
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        wanted = min(int(last), size)
        return (size - wanted, size) if wanted else (0, 0)
    start, end = int(first), min(int(last) + 1 if last else size, size)
    if last and int(last) < start:
        return None
    return (start, end) if start < size else (0, 0)
