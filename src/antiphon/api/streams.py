"""Server-sent event streams: one loop for all of them, and their limit per API key."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import keys
from antiphon.api.errors import Draining
from antiphon.database import Database, Notifications
from antiphon.errors import TooFrequent
from antiphon.keys import ApiKey
from antiphon.tasks import store

log = structlog.get_logger()
KEEP_ALIVE_S = 15.0  # between comments in a silent stream, and between looks without news
DRAINING_CHECK_S = 1.0  # in which a stream notices that the server goes down
MAX_STREAMS = 20  # of one key in one process
COMMENT = ": still here\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Turn:
    """Result of one look at the database.

    Attributes:
        events: What to send, each a whole server-sent event.
        pause: Seconds until the next look if no news comes before; None for the keep-alive.
        last: Whether the stream ends behind these events.
    """

    events: Sequence[str] = ()
    pause: float | None = None
    last: bool = False


StreamLook = Callable[[AsyncConnection, set[str]], Awaitable[Turn]]
"""Looks at the database for a stream. Gets the ids of the tasks that have news; an empty id among them means that some
may have been missed, and no id at all that the pause has passed without news."""


class Streams:
    """The event streams of one process: limited per key, ended when the server drains."""

    def __init__(
        self,
        database: Database,
        notifications: Notifications,
        draining: Draining,
        *,
        keep_alive: float = KEEP_ALIVE_S,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._draining = draining
        self._keep_alive = keep_alive
        self._open: Counter[int] = Counter()

    def answer(
        self, key: ApiKey, look: StreamLook, *, task_id: str | None = None, gather: float = 0
    ) -> StreamingResponse:
        """Answer with the events that ``look`` finds, until it says which are the last, the key is revoked or the
        server goes down.

        Args:
            key: The API key whose stream this is.
            look: What finds the events.
            task_id: The only task whose news lead to a look; None for all tasks.
            gather: Seconds in which news come together after the first, so that many lead to one look.

        Raises:
            TooFrequent: ``MAX_STREAMS`` of the key are open.
        """
        if self._open[key.id] >= MAX_STREAMS:
            raise TooFrequent(
                f"{MAX_STREAMS} streams of this key are open, which is the most", retry_after=self._keep_alive
            )
        events = self._counted(key, self.events(key, look, task_id=task_id, gather=gather))
        return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)

    async def _counted(self, key: ApiKey, events: AsyncIterator[str]) -> AsyncIterator[str]:
        self._open[key.id] += 1
        try:
            async for event in events:
                yield event
        finally:
            self._open[key.id] -= 1

    async def events(
        self, key: ApiKey, look: StreamLook, *, task_id: str | None = None, gather: float = 0
    ) -> AsyncIterator[str]:
        """The events of a stream, and comments while there are none. An error of the database ends it: the client
        comes back and resumes."""
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        news = {""}
        try:
            async with self._notifications.subscribe(store.CHANNEL) as queue:
                while not self._draining.on:
                    async with self._database.begin() as connection:
                        if not await keys.is_valid(connection, key.id):
                            return
                        turn = await look(connection, news)
                    for event in turn.events:
                        yield event
                        told_at = loop.time()
                    if turn.last:
                        return
                    news = await self._news(queue, self._keep_alive if turn.pause is None else turn.pause, task_id)
                    if news and gather:
                        await asyncio.sleep(gather)
                        news |= _drained(queue)
                    if loop.time() - told_at >= self._keep_alive:
                        yield COMMENT
                        told_at = loop.time()
        except SQLAlchemyError as error:
            log.warning("a stream of events broke off", key=key.id, error=str(error).partition("\n")[0])

    async def _news(self, queue: asyncio.Queue[str], seconds: float, task_id: str | None) -> set[str]:
        """Ids of tasks with news, as soon as there are any; empty after ``seconds``, or when the server goes down."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self._draining.on and (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, DRAINING_CHECK_S)):
                    news = {await queue.get()}
            except TimeoutError:
                continue
            news |= _drained(queue)
            if task_id is None or news & {task_id, ""}:
                return news
        return set()


def _drained(queue: asyncio.Queue[str]) -> set[str]:
    found = set()
    while not queue.empty():
        found.add(queue.get_nowait())
    return found
