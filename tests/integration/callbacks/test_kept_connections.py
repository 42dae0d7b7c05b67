"""A connection is used again, and one that the receiver has closed costs nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.callbacks.conftest import Rig

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Keeper:
    """Keeps its connections, but closes one without an answer when it gets one of the requests in ``drop`` (from 0)."""

    def __init__(self, *drop: int, answer: bytes = ANSWER) -> None:
        self._drop = drop
        self._answer = answer
        self.connections = 0
        self.ids: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
                await reader.readexactly(int(headers["content-length"]))
                self.ids.append(headers["webhook-id"])
                if len(self.ids) - 1 in self._drop:
                    break
                writer.write(self._answer)
        writer.close()


@asynccontextmanager
async def keeping(*drop: int, answer: bytes = ANSWER) -> AsyncIterator[Keeper]:
    keeper = Keeper(*drop, answer=answer)
    server = await asyncio.start_server(keeper.serve, "127.0.0.1", 0)
    keeper.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield keeper
    finally:
        server.close()


async def send(rig: Rig, keeper: Keeper, number: int) -> list[str]:
    """One after the other; gives their ids."""
    ids = []
    async with rig.sending(callback_retry_delays=()):
        for _ in range(number):
            ids.append(await rig.task(url=keeper.url))
            await rig.ended(ids[-1])
    return ids


async def test_a_connection_is_used_again(rig: Rig) -> None:
    async with keeping() as keeper:
        ids = await send(rig, keeper, 3)
        assert keeper.connections == 1
    attempts = [(await rig.attempts(task_id))[0] for task_id in ids]
    assert [attempt.connection for attempt in attempts] == ["new", "kept", "kept"]
    assert attempts[1].connect_ms is None
    assert attempts[1].address == attempts[0].address


async def test_a_kept_connection_that_breaks_costs_no_retry_and_the_second_sending_is_on_record(rig: Rig) -> None:
    async with keeping(1) as keeper:
        ids = await send(rig, keeper, 2)
        assert keeper.connections == 2
        assert len(keeper.ids) == 3
        assert keeper.ids[1] == keeper.ids[2]
    (attempt,) = await rig.attempts(ids[1])
    assert (attempt.status, attempt.error, attempt.connection) == (200, None, "replaced")
    assert await rig.state(ids[1]) == "delivered"


async def test_a_new_connection_that_breaks_is_a_failed_attempt(rig: Rig) -> None:
    async with keeping(0) as keeper:
        (task_id,) = await send(rig, keeper, 1)
        assert len(keeper.ids) == 1
    (attempt,) = await rig.attempts(task_id)
    assert attempt.connection == "new"
    assert await rig.state(task_id) == "stopped"


async def test_what_breaks_twice_is_a_failed_attempt_and_not_sent_a_third_time(rig: Rig) -> None:
    async with keeping(1, 2) as keeper:
        ids = await send(rig, keeper, 2)
        assert len(keeper.ids) == 3
    (attempt,) = await rig.attempts(ids[1])
    assert attempt.connection == "replaced"
    assert await rig.state(ids[1]) == "stopped"


async def test_a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again(rig: Rig) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    async with keeping(answer=long) as keeper:
        await send(rig, keeper, 2)
        assert keeper.connections == 2
