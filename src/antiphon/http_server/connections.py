"""Bounded connections of uvicorn: limits that hold before a request has reached the app.

uvicorn bounds neither the time in which headers come in (a connection that says nothing, or a byte now and then, stays
for ever), nor, with httptools, their size or number, what stands between the pieces of a body, the requests that wait
behind one another on a connection, the time that a client takes to read, nor the number of connections. The body is the
app's to bound.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from antiphon.addresses import Network, is_within, neighbourhood

MAX_HEADERS = 100  # of a request
MAX_PIPELINED = 8  # requests that wait behind the one that is being answered
MAX_WRITE_STALL_S = 60.0  # seconds that a client may read nothing of what is kept for it
MAX_DRAIN_S = 10.0  # seconds for the rest of a body that has been answered already
CLOSE_TIMEOUT_S = 5.0  # seconds for the last words of a connection to get out


@dataclass
class Peer:
    """The connections of one address: how many are open, and those on which no request is being answered."""

    open: int = 0
    waiting: dict["Connection", None] = field(default_factory=dict)


@dataclass
class Bounds:
    """Shared by the connections of a server.

    Attributes:
        seconds: For the head of a request.
        size: Bytes of the head of a request, and of what stands between two pieces of its body.
        connections: That may be open.
        per_address: That one address may hold open, an IPv6 /64 being one; None for any number.
        proxies: Networks of proxies, which hold the connections of many: ``per_address`` is not for them.
        drained: Bytes of a body that are still taken when it has been answered already.
        stall: Seconds that a client may read nothing.
        waiting: The connections on which no request is being answered, who waits longest first.
        peers: By address, those that have connections.
    """

    seconds: float
    size: int
    connections: int
    per_address: int | None = None
    proxies: Sequence[Network] = ()
    drained: int = 0
    stall: float = MAX_WRITE_STALL_S
    waiting: dict["Connection", None] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)

    def bounded_peer(self, address: str) -> bool:
        """Whether ``per_address`` is for this address."""
        return self.per_address is not None and bool(address) and not is_within(address, self.proxies)


class TooMuch(Exception):
    """A request has more headers, or more requests before it, than any needs. The parser answers 400."""


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # whichever parser is installed
    """One connection of uvicorn's, within ``bounds``."""

    bounds: Bounds
    _timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _whose: str | None = None
    _size = 0  # bytes of the head so far, or since the last piece of the body
    _head_size = 0  # bytes of the names and values of its headers and trailers
    _in_head = False
    _left_over = 0  # bytes of a body that came after its answer
    _unfinished = False  # whether there is more to come of the message that is being read; httptools only

    # What the transport calls.

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if self.bounds.bounded_peer(address):
            self._whose = neighbourhood(address)
            self.bounds.peers.setdefault(self._whose, Peer()).open += 1  # counted first, then looked at
        oldest = self._one_too_many()
        if oldest is not None:
            oldest.refuse(503, "Service Unavailable")
        if not transport.is_closing():
            self._await_head()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._size += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._answered_early:
            self._left_over += len(data)
            if self._left_over > self.bounds.drained + self.bounds.size:
                self.refuse(400, "Bad Request")
        elif self._in_request:
            self._forget_timer()
            if not self._unfinished:
                self._size = 0
        else:
            self._await_head()
        if self._size > self.bounds.size and not self._answered_early:
            self.refuse(400, "Bad Request")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(self.bounds.stall, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_stall()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        self._forget_stall()
        if self._whose is not None:
            peer = self.bounds.peers[self._whose]
            peer.open -= 1
            if not peer.open:
                del self.bounds.peers[self._whose]
        super().connection_lost(exc)

    # What the parser of httptools calls; h11 has such bounds of its own.

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise TooMuch
        self._unfinished, self._in_head, self._head_size = True, True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        if len(self.headers) >= MAX_HEADERS:
            raise TooMuch
        if self._in_head:  # a trailer is no header: a proxy in front has not looked at it
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._size = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = False
        self._size = 0
        super().on_message_complete()

    # What the answer calls.

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_request or self.transport.is_closing():
            return
        self._wait()
        if self._unfinished:
            self._left_over = 0
            self._timer = self.loop.call_later(MAX_DRAIN_S, self.refuse, 408, "Request Timeout")

    def refuse(self, status: int, phrase: str) -> None:
        """Say why, unless nothing was asked yet, and close."""
        asked = self._size > 0
        self._forget_timer()
        if (asked or status != 408) and not self._answered_early:
            lines = (f"HTTP/1.1 {status} {phrase}", "content-length: 0", "connection: close", "", "")
            self.transport.write("\r\n".join(lines).encode())
        self.transport.close()
        self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self.bounds.size:
            raise TooMuch

    @property
    def _in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _answered_early(self) -> bool:
        """Whether this message has been answered, and the rest of it still comes."""
        return self._unfinished and self.cycle is not None and self.cycle.scope is self.scope and not self._in_request

    def _one_too_many(self) -> "Connection | None":
        """The connection that must go for this one: of the same address when that has too many, else of anybody. The
        one that has been waiting longest, or this one when none waits."""
        peer = self.bounds.peers[self._whose] if self._whose is not None else None
        if peer is not None and self.bounds.per_address is not None and peer.open > self.bounds.per_address:
            return next(iter(peer.waiting), self)
        if len(self.connections) > self.bounds.connections:
            return next(iter(self.bounds.waiting), self)
        return None

    def _await_head(self) -> None:
        self._wait()
        if self._timer is None:
            self._timer = self.loop.call_later(self.bounds.seconds, self.refuse, 408, "Request Timeout")

    def _wait(self) -> None:
        self.bounds.waiting.setdefault(self)
        if self._whose is not None:
            self.bounds.peers[self._whose].waiting.setdefault(self)

    def _forget_timer(self) -> None:
        self.bounds.waiting.pop(self, None)
        if self._whose is not None and self._whose in self.bounds.peers:
            self.bounds.peers[self._whose].waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _forget_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


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
