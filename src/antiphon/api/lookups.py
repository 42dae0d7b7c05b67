"""Turns at looking up keys: a burst of calls from one address does not stand before all others at the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from starlette.requests import HTTPConnection
from starlette.types import Scope

from antiphon.addresses import neighbourhood

MAX_LOOKUPS = 2  # of one address at a time


class Lookups:
    """At most ``MAX_LOOKUPS`` at a time for each address; the others of this address wait."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, scope: Scope) -> AsyncIterator[None]:
        """Context of one lookup."""
        turns = self._turns.setdefault(caller_of(scope), asyncio.Semaphore(MAX_LOOKUPS))
        async with turns:
            yield


def caller_of(scope: Scope) -> str:
    """The address that a request comes from, as bounds per address count it."""
    client = HTTPConnection(scope).client
    return neighbourhood(client.host) if client else ""
