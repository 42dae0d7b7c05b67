"""A receiver as an ASGI app: verify, keep, answer 200. Everything else happens afterwards."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from antiphon.contract import signatures
from antiphon.errors import AntiphonError, BadParameter, MethodNotAllowed, SettingsError, TooLarge
from antiphon.receiver.inbox import Event, Inbox
from antiphon.receiver.verify import verify

log = logging.getLogger("antiphon.receiver")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 32_000_000  # bytes
SLOWEST_BODY = 30.0  # seconds for a body to come in


class _TooSlow(AntiphonError):
    """The body did not come in time."""

    code = 408


class _Gone(Exception):
    """The sender closed the connection before its body had come: there is nobody to answer."""


def create_app(
    inbox: Inbox,
    keys: Sequence[str],
    *,
    insecure: bool = False,
    clock: Callable[[], float] = time.time,
    notify: Callable[[Event, bool], None] | None = None,
) -> App:
    """An ASGI app that takes callbacks by POST on any path and keeps them in ``inbox``.

    ``keys`` are the webhook keys of the sender. Without any, only ``insecure`` lets the app start, which then takes
    whatever comes from whomever. ``notify`` is called with each event after it was kept, and whether it is new.
    Answers 200 when kept, 400 or 413 for what is no callback, 401 for a signature that does not hold, 503 when it
    cannot be kept, so that it is sent again. Raises ``SettingsError`` for missing or damaged keys.
    """
    if not keys and not insecure:
        raise SettingsError("no webhook key given: pass the sender's key, or take everything with --insecure")
    for key in keys:
        signatures.check_key(key)
    if insecure:
        log.warning("INSECURE: signatures are not verified; anybody who reaches this can put anything in the inbox")

    async def take(scope: Scope, receive: Receive) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowed("callbacks come by POST; there is nothing else here")
        body = await _body(scope, receive)
        event, new = await asyncio.to_thread(keep, _headers(scope), body)
        if notify is not None:
            notify(event, new)

    def keep(headers: dict[str, str], body: bytes) -> tuple[Event, bool]:
        if insecure:
            return inbox.add(body)
        proof = verify(headers, body, keys, now=clock())
        return inbox.add(body, scheme=proof.scheme, task_id=proof.task_id)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            await take(scope, receive)
        except _Gone:
            return
        except AntiphonError as error:
            log.warning("callback refused: %s", error.message)
            await _answer(send, 503 if error.code == 500 else error.code, error.message)
        else:
            await _answer(send, 200, "success")

    return app


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by lower-case name. Raises ``BadParameter`` for one that is repeated and part of a signature."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name in found and name in signatures.STANDARD_HEADERS + signatures.DOCUMENTED_HEADERS:
            raise BadParameter(f"the header {name} is repeated")
        found[name] = raw_value.decode("latin-1")
    return found


async def _body(scope: Scope, receive: Receive) -> bytes:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    too_large = TooLarge(f"the body is larger than {LARGEST_BODY} bytes")
    if declared.isdigit() and (len(declared) > 15 or int(declared) > LARGEST_BODY):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    raise too_large
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise _TooSlow from None


async def _answer(send: Send, status: int, message: str) -> None:
    body = json.dumps({"code": status, "msg": message, "data": None}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the body is not wanted
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
