"""Guarded connections of the HTTP client: names looked up in threads, every address judged before it is dialled."""

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from antiphon.errors import BlockedAddress
from antiphon.outbound.guard import Guard
from antiphon.outbound.timeline import current

MAX_IDLE_S = 4.0  # that a connection is kept: less than the 5 s after which common servers close theirs


class BlockedConnection(OSError):
    """An ``OSError``, since that is what the HTTP client expects of a socket that cannot be made."""


class Resolver(AbstractResolver):
    """``getaddrinfo`` in threads of its own, so that a name server that hangs holds up no other work.

    The threads are daemons: a look-up that hangs does not keep the process from ending. One that its caller has given
    up still counts as one of ``threads`` until it ends.
    """

    def __init__(self, threads: int = 256) -> None:
        self._free = asyncio.Semaphore(threads)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a name.

        Raises:
            OSError: There is no such name (``socket.gaierror``), or no thread for the look-up.
            UnicodeError: The name cannot be written in DNS.
        """
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()

        def hand_over(found: list[Any], error: Exception | None) -> None:
            self._free.release()
            if future.cancelled():
                return
            if error is None:
                future.set_result(found)
            else:
                future.set_exception(error)

        def look_up() -> None:
            found: list[Any] = []
            failure: Exception | None = None
            try:
                found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(hand_over, found, failure)

        try:
            threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        except RuntimeError as error:
            self._free.release()
            raise OSError(errno.ENOMEM, f"no thread for a look-up: {error}") from None
        return [_result(host, port, record) for record in await future]

    async def close(self) -> None:
        """Nothing is held."""


def _result(host: str, port: int, record: tuple[Any, ...]) -> ResolveResult:
    family, _, protocol, _, address = record
    return ResolveResult(
        hostname=host, host=str(address[0]), port=port, family=family, proto=protocol, flags=socket.AI_NUMERICHOST
    )


class GuardedResolver(AbstractResolver):
    """Wraps a resolver: all records of a name must be allowed, or none is given out."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises ``OSError`` (``BlockedConnection``) that names the address and the setting."""
        found = await self._resolver.resolve(host, port, family)
        for record in found:
            _judge(self._guard, record["host"], f"the name {host}")
        return found

    async def close(self) -> None:
        """Does nothing: the wrapped resolver belongs to the caller."""


class GuardedConnector(TCPConnector):
    """Dials only what the guard allows, and marks each step in the request's ``Timeline``, if it has one."""

    def __init__(self, guard: Guard, resolver: AbstractResolver, **options: Any) -> None:
        super().__init__(
            resolver=GuardedResolver(guard, resolver), socket_factory=_socket_factory(guard), ssl=_tls(), **options
        )
        self._learn = partial(guard.learn, resolver)

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        """A connection, kept or new. See ``aiohttp.BaseConnector.connect``."""
        await self._learn()  # here, since the resolver is not asked for an address
        timeline = current.get()
        if timeline is None:
            return await super().connect(req, traces, timeout)
        timeline.asked()
        connection = await super().connect(req, traces, timeout)
        timeline.connected()
        timeline.headers = req.headers
        if timeline.over_kept and connection.transport is not None:
            timeline.addresses.append(_shown(*connection.transport.get_extra_info("peername")[:2]))
        return connection


class _TLS(ssl.SSLContext):
    """Marks when a handshake begins, which the HTTP client tells nobody."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        timeline = current.get()
        if timeline is not None:
            timeline.greeted()
        return super().wrap_bio(*args, **kwargs)


@cache
def _tls() -> _TLS:
    context = _TLS(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.load_default_certs()
    return context


def guarded_connector(guard: Guard, resolver: AbstractResolver, *, keep: bool = False) -> GuardedConnector:
    """A connector that dials only what ``guard`` allows. How many connections there are is up to the caller.

    Args:
        keep: Use a connection again within 4 s. The receiver may close it in that very moment, so whoever asks for it
            must be ready to send again.
    """
    return GuardedConnector(
        guard,
        resolver,
        force_close=not keep,
        keepalive_timeout=MAX_IDLE_S if keep else None,
        limit=0,
    )


def _socket_factory(guard: Guard) -> Callable[[Any], socket.socket]:
    def make(address_info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (host, port, *_) = address_info
        _judge(guard, host, "the host")
        timeline = current.get()
        if timeline is not None:
            timeline.dialled(_shown(host, port))
        return socket.socket(family, kind, protocol)

    return make


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _judge(guard: Guard, address: str, what: str) -> None:
    try:
        guard.check_address(address, what=what)
    except BlockedAddress as error:
        raise BlockedConnection(error.message) from None
