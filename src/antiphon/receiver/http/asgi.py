"""The receiver as an ASGI app: verify, keep, answer 200. Everything else happens afterwards."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from antiphon.errors import InvalidSignature, TooLarge
from antiphon.http_server.bodies import TooSlow
from antiphon.receiver.http.intake import Answer, CallbackReceiver, refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_DRAIN_TIMEOUT_S = 2.0  # for the rest of a body that is refused


class Gone(Exception):
    """The sender closed the connection before its body had come: there is nobody to answer."""


class _Incoming:
    """The body of a request, as it comes in. ``more`` is whether there is more to come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.more = True

    async def chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone
        self.more = message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def drain(self, most: int) -> None:
        """Let the rest come in for a moment, and keep none of it: closing on a sender that still sends destroys the
        answer on its way."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_TIMEOUT_S):
                while self.more and most > 0:
                    most -= len(await self.chunk())


async def serve_http(receiver: CallbackReceiver, scope: Scope, receive: Receive, send: Send) -> None:
    incoming = _Incoming(receive)
    try:
        try:
            answer = await _answer(receiver, scope, incoming)
        except (TooLarge, InvalidSignature) as error:
            if b"expect" not in dict(scope["headers"]):  # who asks before sending a body sends none then
                await incoming.drain(receiver.intake.limits.body)
            answer = refusal(error)
    except Gone:
        return
    except Exception as error:
        answer = refusal(error)
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def serve_lifespan(receiver: CallbackReceiver, receive: Receive, send: Send) -> None:
    """Start the worker with the server, and stop it with the server."""
    message = await receive()
    try:
        receiver.adopt(asyncio.get_running_loop())
        await asyncio.to_thread(receiver.start)
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    while message["type"] != "lifespan.shutdown":
        message = await receive()
    await asyncio.to_thread(receiver.stop)
    await send({"type": "lifespan.shutdown.complete"})


async def _answer(receiver: CallbackReceiver, scope: Scope, incoming: _Incoming) -> Answer:
    raw = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    client = scope.get("client")
    headers, body = receiver.admit(scope["method"], raw, str(client[0]) if client else "")
    with body:
        try:
            async with asyncio.timeout(body.seconds_left):
                while incoming.more:
                    body.add(await incoming.chunk())
        except TimeoutError:
            raise TooSlow("the body did not come in time") from None
        return await receiver.answer(headers, body.take())
