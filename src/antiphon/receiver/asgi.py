"""The receiver as an ASGI app: verify, keep, answer 200. Everything else happens afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from antiphon.receiver.intake import Answer, Body, TooSlow, refusal

if TYPE_CHECKING:
    from antiphon.receiver.receiver import Receiver

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Gone(Exception):
    """The sender closed the connection before its body had come: there is nobody to answer."""


async def serve_http(receiver: "Receiver", scope: Scope, receive: Receive, send: Send) -> None:
    try:
        answer = await _answer(receiver, scope, receive)
    except Gone:
        return
    except Exception as error:
        answer = refusal(error)
    headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def serve_lifespan(receiver: "Receiver", receive: Receive, send: Send) -> None:
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


async def _answer(receiver: "Receiver", scope: Scope, receive: Receive) -> Answer:
    raw = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    headers = receiver.intake.head(scope["method"], raw)
    with receiver.intake.body(headers) as body:
        await _fill(body, receive)
        return await receiver.answer(headers, body.whole())


async def _fill(body: Body, receive: Receive) -> None:
    try:
        async with asyncio.timeout(body.seconds_left):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                body.add(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        raise TooSlow("the body did not come in time") from None
