"""The connections out: names looked up off the event loop, and every address judged before it is dialled."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from antiphon.callbacks.guard import Guard
from antiphon.errors import BlockedAddress

dialled: ContextVar[list[str] | None] = ContextVar("dialled", default=None)
"""A list set here before a request gets each ``address:port`` that the request dials, in order."""


class BlockedConnection(OSError):
    """An ``OSError``, since that is what the HTTP client expects of a socket that cannot be made."""


class Resolver(AbstractResolver):
    """``getaddrinfo`` in threads of its own, so that a name server that hangs holds up no other work."""

    def __init__(self, threads: int = 64) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises ``OSError`` (``socket.gaierror``) when there is no such name."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


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
        """The wrapped resolver belongs to whoever made it."""


def guarded_connector(guard: Guard, resolver: AbstractResolver) -> TCPConnector:
    """A connector that dials only what ``guard`` allows.

    Connections are not kept: a receiver that closes an idle one just as it is used again would cost an attempt,
    or get the callback twice. Limits are the caller's.
    """
    return TCPConnector(
        resolver=GuardedResolver(guard, resolver),
        socket_factory=_socket_factory(guard),
        force_close=True,
        limit=0,
    )


def _socket_factory(guard: Guard) -> Callable[[Any], socket.socket]:
    def make(address_info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, (host, port, *_) = address_info
        _judge(guard, host, "the host")
        tracked = dialled.get()
        if tracked is not None:
            tracked.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        return socket.socket(family, kind, protocol)

    return make


def _judge(guard: Guard, address: str, what: str) -> None:
    try:
        guard.check_address(address, what=what)
    except BlockedAddress as error:
        raise BlockedConnection(error.message) from None
