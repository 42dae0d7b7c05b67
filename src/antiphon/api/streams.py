"""Server-sent event streams: one loop for all of them, and their limit per API key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Receive, Scope, Send

from antiphon import keys
from antiphon.api.errors import Draining
from antiphon.api.slots import KeySlots
from antiphon.database import Database, Notifications
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
        self._open = KeySlots(MAX_STREAMS, "streams", retry_after=keep_alive)

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
        self._open.take(key.id)
        return _Stream(self.events(key, look, task_id=task_id, gather=gather), partial(self._open.give, key.id))

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


class _Stream(StreamingResponse):
    """An answer of events; ``ended`` is called when it is over, whether or not it came to begin."""

    def __init__(self, events: AsyncIterator[str], ended: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=HEADERS)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended()


def _drained(queue: asyncio.Queue[str]) -> set[str]:
    found = set()
    while not queue.empty():
        found.add(queue.get_nowait())
    return found
