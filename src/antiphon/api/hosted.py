"""Errors as the documented OpenAPI has them, for ``ANTIPHON_PROFILE=hosted``: HTTP 200, the code in the envelope."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFIX = "/api/"


class HostedStatus:
    """Turns the status of the API's errors into 200. The console, which comes with a cookie, keeps them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX) or "cookie" in Headers(scope=scope):
            await self._app(scope, receive, send)
            return

        async def as_success(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                message = {**message, "status": 200}
            await send(message)

        await self._app(scope, receive, as_success)
