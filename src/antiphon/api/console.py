"""The console's files: the page at ``/`` and what it needs below ``/console``. They hold no secret, so no key is asked
for; what they show comes from the API."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from antiphon.api.dependencies import Shared
from antiphon.errors import NotFound
from antiphon.settings import Settings

PAGE = "index.html"
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
HEADERS = {
    "Cache-Control": "no-cache",  # kept, but asked for again: what has not changed answers 304
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def routes(folder: Path) -> APIRouter:
    """Serve the files of ``folder``. Only what lies there now is ever read, whatever path is asked for."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in CONTENT_TYPES
    }
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    def page(shared: Shared, request: Request) -> Response:
        return answer(shared.settings, request, PAGE)

    @router.api_route("/console/{path:path}", methods=["GET", "HEAD"])
    def file(shared: Shared, request: Request, path: str) -> Response:
        return answer(shared.settings, request, path)

    def answer(settings: Settings, request: Request, name: str) -> Response:
        if name not in files:
            raise NotFound(f"there is no file {name[:80]!r} in the console; it begins at /")
        content = files[name].read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {**HEADERS, "ETag": etag, "Content-Security-Policy": policy(settings, request)}
        if etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=CONTENT_TYPES[files[name].suffix])

    return router


def policy(settings: Settings, request: Request) -> str:
    """The Content-Security-Policy: our own files and no other. Links to artifacts begin with ANTIPHON_PUBLIC_URL, which
    may be another origin than the one by which the console was opened."""
    public = urlsplit(settings.base_url)
    ours = (public.scheme, public.netloc) == (request.url.scheme, request.url.netloc)
    artifacts = "" if ours else f" {public.scheme}://{public.netloc}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: data:{artifacts}",
            f"media-src 'self' blob:{artifacts}",
            f"connect-src 'self'{artifacts}",
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )
