"""What all streams of server-sent events share."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import StreamingResponse

from antiphon.api.errors import Draining
from antiphon.errors import TooFrequent
from antiphon.keys import ApiKey

KEEP_ALIVE = 15.0  # seconds between comments in a silent stream
SLICE = 1.0  # seconds in which a stream notices that the server goes down
MOST = 20  # of one key in one process
SILENCE = ": still here\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def stream(request: Request, key: ApiKey, events: AsyncIterator[str]) -> StreamingResponse:
    """Answer with events, one of a limited number of streams of a key. Raises ``TooFrequent``."""
    open_ones: Counter[int] = request.app.state.streams
    if open_ones[key.id] >= MOST:
        raise TooFrequent(f"{MOST} streams of this key are open, which is the most", retry_after=KEEP_ALIVE)
    return StreamingResponse(_counted(events, open_ones, key), media_type="text/event-stream", headers=HEADERS)


async def _counted(events: AsyncIterator[str], open_ones: Counter[int], key: ApiKey) -> AsyncIterator[str]:
    open_ones[key.id] += 1
    try:
        async for event in events:
            yield event
    finally:
        open_ones[key.id] -= 1


async def heard(news: asyncio.Queue[str], draining: Draining) -> set[str]:
    """Wait for news; gives all that have come. Empty when nothing came within a whole keep-alive, or when the server
    goes down. An empty payload among them means that some may have been missed."""
    end = asyncio.get_running_loop().time() + KEEP_ALIVE
    while not draining.on and asyncio.get_running_loop().time() < end:
        try:
            async with asyncio.timeout(SLICE):
                payloads = {await news.get()}
        except TimeoutError:
            continue
        if news.full():  # older ones have been pushed out
            payloads.add("")
        while not news.empty():
            payloads.add(news.get_nowait())
        return payloads
    return set()
