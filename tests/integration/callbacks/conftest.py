"""A database with tasks in it, senders on it, and receivers that behave as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from antiphon.callbacks import outbox
from antiphon.callbacks.metrics import Metrics
from antiphon.callbacks.outbox import RecordedAttempt
from antiphon.callbacks.sender import Sender
from antiphon.database import Database, Notifications
from antiphon.database.connection import migrate
from antiphon.settings import Settings
from tests.waiting import wait_for_async

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHANNELS = (outbox.CHANNEL, outbox.TASK_CHANNEL)


@dataclass(frozen=True)
class Request:
    """What a receiver got: raw, so that a test sees the bytes on the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A server on loopback that keeps what it gets and answers with whatever bytes ``behave`` writes."""

    behave: Behaviour
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Request(line, headers, body))
            await self.behave(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


def answering(raw: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return behave


@asynccontextmanager
async def receiving(behave: Behaviour, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver(behave)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@dataclass
class Rig:
    """What a test of the sender has at hand."""

    database: Database
    notifications: Notifications

    async def task(self, *, url: str, body: bytes = b'{"code": 200}') -> str:
        """A task that has just ended, with its callback in the outbox."""
        (task_id,) = await self.tasks(1, url=url, body=body)
        return task_id

    async def tasks(self, number: int, *, url: str, body: bytes = b'{"code": 200}') -> list[str]:
        ids = [uuid4().hex for _ in range(number)]
        insert = text("INSERT INTO tasks (id, api_key_id, kind, state) VALUES (:id, 1, 'midi', 'succeeded')")
        async with self.database.begin() as connection:
            await connection.execute(insert, [{"id": task_id} for task_id in ids])
            for task_id in ids:
                await outbox.enqueue(connection, task_id=task_id, url=url, body=body)
        return ids

    async def attempts(self, task_id: str) -> list[RecordedAttempt]:
        async with self.database.begin() as connection:
            return await outbox.attempts_of(connection, task_id)

    async def state(self, task_id: str) -> str:
        async with self.database.begin() as connection:
            return (await outbox.states_of(connection, [task_id]))[task_id]

    async def counts(self) -> dict[str, int]:
        query = text("SELECT state, count(*) AS number FROM deliveries GROUP BY state")
        async with self.database.begin() as connection:
            return {row.state: row.number for row in await connection.execute(query)}

    async def ended(self, task_id: str, seconds: float = 10) -> str:
        """Wait until the callback is delivered or stopped; gives which."""
        await wait_for_async(lambda: self._is_over(task_id), seconds=seconds)
        return await self.state(task_id)

    async def _is_over(self, task_id: str) -> bool:
        """False, too, while a database that breaks off leaves the question unanswered."""
        try:
            return await self.state(task_id) != "pending"
        except OperationalError:
            return False

    def sender(
        self,
        *,
        keys: Callable[[], Awaitable[list[str]]] | None = None,
        resolver: Any = None,
        metrics: Metrics | None = None,
        grace: float = 16.0,
        margin: float = 1.0,
        **settings: Any,
    ) -> Sender:
        return Sender(
            self.database,
            self.notifications,
            quick_settings(**settings),
            keys or one_key,
            resolver=resolver,
            metrics=metrics,
            grace=grace,
            margin=margin,
        )

    @asynccontextmanager
    async def sending(self, sender: Sender | None = None, **settings: Any) -> AsyncIterator[None]:
        stop = asyncio.Event()
        running = asyncio.create_task((sender or self.sender(**settings)).run(stop))
        try:
            yield
        finally:
            stop.set()
            await running


async def one_key() -> list[str]:
    return [KEY]


async def no_keys() -> list[str]:
    return []


def quick_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "callback_allow": (ip_network("127.0.0.0/8"),),
        "callback_timeout": 1.0,
        "callback_retry_delays": (0.05, 0.1, 0.15),
    }
    return Settings(**(values | changes))


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """One database for all tests here: making one for each takes longer than most of them."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE callbacks")
    url = postgres_url.replace("/antiphon?", "/callbacks?")
    migrate(url)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Empty but for one API key."""
    database = Database(database_url)
    async with database.begin() as connection:
        await connection.execute(text("TRUNCATE api_keys CASCADE"))
        await connection.execute(text("INSERT INTO api_keys (id, name, digest) VALUES (1, 'test', '\\x00')"))
    yield database
    await database.close()


@pytest.fixture
async def rig(database: Database, database_url: str) -> AsyncIterator[Rig]:
    async with Notifications(database_url, CHANNELS) as notifications:
        yield Rig(database, notifications)
