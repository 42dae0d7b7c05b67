"""LISTEN on one connection per process, for any number of subscribers."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger()
MAX_WAITING = 1000  # payloads of one subscriber


class Notifications:
    """Hands the payloads of NOTIFY to subscribers, and reconnects by itself. An empty payload says that some may have
    been missed, so that a subscriber must look for itself: after each reconnection, and in place of all payloads that
    wait when there are more than ``MAX_WAITING``.

    ``name`` is what PostgreSQL calls the connection."""

    def __init__(self, url: str, channels: tuple[str, ...], *, name: str = "antiphon") -> None:
        self._url = url
        self._name = name
        self._channels = channels
        self._subscribers: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Notifications":
        self._task = asyncio.create_task(self._run(), name="notifications")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[asyncio.Queue[str]]:
        """Queue of the payloads that come on ``channel`` within the block; an empty one: look yourself."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=MAX_WAITING)
        self._subscribers[channel].add(queue)
        try:
            yield queue
        finally:
            self._subscribers[channel].discard(queue)

    def _publish(self, channel: str, payload: str) -> None:
        for queue in self._subscribers[channel]:
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait("")
            else:
                queue.put_nowait(payload)

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.OperationalError as error:
                log.warning("notifications lost", error=str(error).strip())
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, application_name=self._name)
        async with connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for channel in self._channels:
                self._publish(channel, "")
            async for notification in connection.notifies():
                self._publish(notification.channel, notification.payload)
