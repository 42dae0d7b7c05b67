"""Bounds of bodies. JSON is small; uploads have a limit of their own, kept while they stream in."""

import asyncio

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.api.errors import envelope, nothing_at
from antiphon.errors import AntiphonError, TooLarge

MAX_BODY_BYTES = 1_000_000
MAX_DRAINED_BYTES = 64_000_000
DRAIN_TIMEOUT_S = 10.0
STREAMED_PATHS = frozenset({"/api/v1/audio/upload", "/api/file-stream-upload", "/api/file-base64-upload"})


class BodyLimit:
    """Refuses a body over ``MAX_BODY_BYTES``: with 404 where there is nothing, with 413 elsewhere.

    What is refused is read off before the answer, within bounds: a client that still writes does not read one (Node's
    fetch reports a broken connection instead).
    """

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self._app = app
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in STREAMED_PATHS:
            await self._app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                await self._refuse(scope, receive, send, drained=len(body), more=more)
                return
        await self._app(scope, _replay(body, receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, drained: int, more: bool) -> None:
        whole = await _drain(receive, drained, more)
        error: AntiphonError = nothing_at(scope["path"])
        if self._leads_somewhere(scope):
            error = TooLarge(f"body: larger than {MAX_BODY_BYTES} bytes, which no request of this API needs")
        answer = envelope(error, scope["path"])
        if not whole:
            answer.headers["Connection"] = "close"
        await answer(scope, receive, send)

    def _leads_somewhere(self, scope: Scope) -> bool:
        routes: list[BaseRoute] = self._router.routes
        return any(route.matches(scope)[0] is not Match.NONE for route in routes)


async def _drain(receive: Receive, read: int, more: bool) -> bool:
    """Read a body off; whether all of it came within the bounds."""
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            while more and read <= MAX_DRAINED_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                read += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        return False
    return not more


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
