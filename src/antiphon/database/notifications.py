"""One LISTENing connection a process, and whoever wants to hear what it hears."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger()


class Notifications:
    """Hands the payloads of NOTIFY to subscribers. Reconnects by itself; since what came while the connection was
    down is lost, subscribers get an empty payload after each reconnection and must look for themselves.

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
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1000)
        self._subscribers[channel].add(queue)
        try:
            yield queue
        finally:
            self._subscribers[channel].discard(queue)

    def _publish(self, channel: str, payload: str) -> None:
        for queue in self._subscribers[channel]:
            if queue.full():
                queue.get_nowait()
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
