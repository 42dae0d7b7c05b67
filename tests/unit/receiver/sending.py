"""Callbacks as a sender signs them, and a server that drives an ASGI app with them."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from antiphon.contract import signatures
from antiphon.receiver import Answer, Receiver
from antiphon.receiver.http.asgi import App

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TASK = "0123456789abcdef0123456789abcdef"
MIDI = json.dumps({"code": 200, "msg": "success", "taskId": TASK, "data": {"taskId": TASK, "instruments": []}}).encode()

Headers = Iterable[tuple[bytes, bytes]]


def midi(task_id: str = TASK) -> bytes:
    return MIDI.replace(TASK.encode(), task_id.encode())


def failure(task_id: str = TASK) -> bytes:
    return json.dumps({"code": 500, "msg": "no sound", "data": {"task_id": task_id, "video_url": None}}).encode()


def signature(
    body: bytes, *, task_id: str = TASK, key: str = KEY, only: str = "", now: float | None = None
) -> dict[str, str]:
    """``only`` is the beginning of the names of the headers that are wanted: "X-" for the documented scheme."""
    stamp = int(time.time() if now is None else now)
    headers = signatures.headers([key], task_id=task_id, webhook_id="msg_1", body=body, timestamp=stamp)
    return {name: value for name, value in headers.items() if name.startswith(only)}


def raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """As ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def hand_over(receiver: Receiver, body: bytes) -> Answer:
    return receiver.handle("POST", signature(body), body)


async def post(
    app: App,
    body: bytes,
    headers: Headers = (),
    *,
    method: str = "POST",
    parts: list[bytes] | None = None,
    client: str = "192.0.2.99",
) -> tuple[int, dict[str, Any]]:
    """Drive the app as a server does; ``parts`` are how the body comes in."""
    pieces = [body] if parts is None else parts
    incoming = [
        {"type": "http.request", "body": piece, "more_body": place < len(pieces) - 1}
        for place, piece in enumerate(pieces)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/hook", "headers": list(headers), "client": (client, 40000)}
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])
