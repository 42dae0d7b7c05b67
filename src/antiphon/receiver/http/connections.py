"""Bounded connections of uvicorn: limits that hold before a request has reached the app.

uvicorn bounds neither the time in which headers come in (a connection that says nothing, or a byte now and then, stays
for ever), nor, with httptools, their size, nor the number of connections. The body is the app's to bound.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol


@dataclass
class Bounds:
    """Shared by the connections of a server. ``seconds`` and ``size`` (bytes) are for the head of a request.

    ``waiting`` are the connections on which no request is being answered, who waits longest first.
    """

    seconds: float
    size: int
    connections: int
    waiting: dict["Connection", None] = field(default_factory=dict)


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # whichever parser is installed
    """One connection of uvicorn's, within ``bounds``."""

    bounds: Bounds
    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            oldest = next(iter(self.bounds.waiting), self)
            oldest.refuse(503, "Service Unavailable")
        if not transport.is_closing():
            self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_request:
            self._forget()
        elif not self.transport.is_closing():
            self._await_head()
            self._size += len(data)
            if self._size > self.bounds.size:
                self.refuse(400, "Bad Request")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_request and not self.transport.is_closing():
            self.bounds.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def refuse(self, status: int, phrase: str) -> None:
        """Say why, unless nothing was asked yet, and close."""
        asked = self._size > 0
        self._forget()
        if asked or status != 408:
            lines = (f"HTTP/1.1 {status} {phrase}", "content-length: 0", "connection: close", "", "")
            self.transport.write("\r\n".join(lines).encode())
        self.transport.close()

    @property
    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_head(self) -> None:
        self.bounds.waiting.setdefault(self)
        if self._timer is None:
            self._timer = self.loop.call_later(self.bounds.seconds, self.refuse, 408, "Request Timeout")

    def _forget(self) -> None:
        self.bounds.waiting.pop(self, None)
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(bounds: Bounds) -> type[asyncio.Protocol]:
    """The protocol class for one server; uvicorn makes the connections itself, so the bounds are part of the class."""
    return type("BoundedConnection", (Connection,), {"bounds": bounds})


class Server(uvicorn.Server):
    """Tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
