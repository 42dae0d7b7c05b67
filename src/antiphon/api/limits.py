"""Size limit of JSON bodies. Uploads have a limit of their own, kept while they stream in."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.errors import TooLarge

MAX_BODY_BYTES = 1_000_000  # of a JSON body
UPLOAD_PATH = "/api/v1/audio/upload"


class BodyLimit:
    """Answers 413 to a body over ``MAX_BODY_BYTES`` without reading the rest of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == UPLOAD_PATH:
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
                await _refuse(send)
                return
        await self._app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


async def _refuse(send: Send) -> None:
    message = f"body: larger than {MAX_BODY_BYTES} bytes, which no request of this API needs"
    answer = json.dumps({"code": TooLarge.code, "msg": message, "data": None}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": TooLarge.code, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
