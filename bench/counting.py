"""A receiver that does next to nothing, so that what is measured is the sender: it counts POSTs and answers 200."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Tally:
    """When callbacks came, in seconds of ``time.perf_counter``."""

    url: str = ""
    times: list[float] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        self.times.clear()

    def add(self) -> None:
        self.times.append(time.perf_counter())
        self.news.set()

    async def wait(self, number: int, seconds: float) -> None:
        """Until ``number`` have come. Raises ``TimeoutError`` that says how many did."""
        try:
            async with asyncio.timeout(seconds):
                while len(self.times) < number:
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise TimeoutError(f"{len(self.times)} of {number} callbacks came in {seconds} s") from None

    @property
    def per_second(self) -> float:
        """From the first to the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])


class _Connection(asyncio.Protocol):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
            if self._missing == 0:
                self._answer()
            return
        self._head += data
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        self._head = b""
        length = _LENGTH.search(head)
        self._missing = int(length[1] if length else 0) - len(body)
        if self._missing == 0:
            self._answer()

    def _answer(self) -> None:
        self._tally.add()
        self._transport.write(ANSWER)


@asynccontextmanager
async def receiving() -> AsyncIterator[Tally]:
    """A receiver on a free port of loopback, as long as the block runs."""
    tally = Tally()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(tally), "127.0.0.1", 0, backlog=1024)
    tally.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield tally
    finally:
        server.close()
