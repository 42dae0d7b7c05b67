"""Addresses of this very machine, public ones included: its interfaces', and those that its public URL leads to."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver

from antiphon.addresses import Address, unwrapped

LOOKUP_TIMEOUT_S = 3.0
LOOKUP_INTERVAL_S = 60.0  # for which what the public URL's name led to is believed

_NOBODYS = {4: "192.0.2.1", 6: "2001:db8::1"}  # documentation: no machine has these


def is_of_an_interface(address: Address) -> bool:
    """Whether an interface of this machine has the address. Asks the kernel by binding a socket; nothing is sent."""
    return _binds(str(address)) and not _binds(_NOBODYS[address.version])


def _binds(address: str) -> bool:
    """Some systems let a socket be bound to any address at all; then this says nothing."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


class OwnAddresses:
    """Knows this machine's addresses. ``public_url`` is where clients reach it, None when that is not set.

    Args:
        of_an_interface: Whether an interface has an address.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        public_url: str | None = None,
        *,
        of_an_interface: Callable[[Address], bool] = is_of_an_interface,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = urlsplit(public_url or "").hostname or ""
        self._of_an_interface = of_an_interface
        self._clock = clock
        self._public: frozenset[Address] = frozenset(_literals([self._host]))
        self._until = float("inf") if self._public or not self._host else 0.0

    async def learn(self, resolver: AbstractResolver) -> None:
        """Look the public URL's name up, now and then. What it led to before holds where that fails."""
        if self._clock() < self._until:
            return
        self._until = self._clock() + LOOKUP_INTERVAL_S
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                found = await resolver.resolve(self._host, 0)
        except (OSError, TimeoutError, UnicodeError):
            return
        self._public = frozenset(_literals([record["host"] for record in found])) or self._public

    def explain(self, address: Address) -> str | None:
        """In which way it is this machine's own; None when it is not."""
        if unwrapped(address) in self._public:
            return "where ANTIPHON_PUBLIC_URL leads"
        if self._of_an_interface(unwrapped(address)):
            return "an address of this machine"
        return None


def _literals(hosts: Sequence[str]) -> list[Address]:
    found = []
    for host in hosts:
        try:
            found.append(unwrapped(ip_address(host.partition("%")[0])))
        except ValueError:
            continue
    return found
