"""Requests begin in turns: one of each address."""

import asyncio
from typing import Any

from antiphon.api.turns import Turns

PATIENCE_S = 20


async def test_after_a_burst_from_one_address_another_begins_second_and_each_begins_once() -> None:
    begun: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["client"][0])

    async def nothing() -> Any: ...

    async def heard(message: Any) -> None: ...

    turns = Turns(app)
    callers = ["192.0.2.1"] * 1000 + ["192.0.2.2"] * 3
    scopes = [{"type": "http", "client": (caller, 1), "headers": []} for caller in callers]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(turns(scope, nothing, heard) for scope in scopes))
    assert sorted(begun) == sorted(callers)
    assert max(place for place, caller in enumerate(begun) if caller == "192.0.2.2") < 8


async def test_a_request_that_was_given_up_holds_nobody_up() -> None:
    begun: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.append(scope["client"][0])

    turns = Turns(app)
    scopes = [{"type": "http", "client": (f"192.0.2.{number}", 1), "headers": []} for number in range(3)]
    tasks = [asyncio.create_task(turns(scope, None, None)) for scope in scopes]  # type: ignore[arg-type]
    await asyncio.sleep(0)
    tasks[1].cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert begun == ["192.0.2.0", "192.0.2.2"]
