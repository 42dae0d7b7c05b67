"""Turns at beginning a request: one address after the other, so that a burst from one does not hold up the rest."""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.api.lookups import caller_of


class Turns:
    """Lets one request of each address begin, then what is going on take a step, then the next of each."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._round: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            turn = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(caller_of(scope), deque()).append(turn)
            if self._round is None:
                self._round = asyncio.create_task(self._go_round())
            await turn
        await self._app(scope, receive, send)

    async def _go_round(self) -> None:
        while self._waiting:
            for address, turns in list(self._waiting.items()):
                turn = turns.popleft()
                if not turns:
                    del self._waiting[address]
                if not turn.done():  # else its request was given up
                    turn.set_result(None)
            await asyncio.sleep(0)
        self._round = None
