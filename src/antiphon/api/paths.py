"""Paths as clients write them: with a slash at the end as well."""

from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIX = "/api/"


class TrailingSlash:
    """Answers ``/api/…/`` as ``/api/…``, without a redirect, which would lose the body of a POST."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX) and scope["path"].endswith("/"):
            path = scope["path"].rstrip("/")
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
