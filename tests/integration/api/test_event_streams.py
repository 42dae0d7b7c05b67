"""The one loop of all event streams, over a real PostgreSQL: what is missed, what is refused, what breaks off."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from antiphon.api.errors import Draining
from antiphon.api.streams import COMMENT, Streams
from antiphon.api.task_stream import Changes
from antiphon.api.tasks import TaskProgress
from antiphon.database import Database, Notifications, open_database
from antiphon.database.notifications import MAX_WAITING
from antiphon.keys import ApiKey, create_api_key
from antiphon.tasks import store
from tests.integration.server import Server
from tests.waiting import wait_for

TASK = "0123456789abcdef0123456789abcdef"
PATIENCE = 10.0


class Line:
    """A queued task of a key, and the streams that show it."""

    def __init__(self, database: Database, notifications: Notifications, key: ApiKey) -> None:
        self.database, self.notifications, self.key = database, notifications, key
        self.draining = Draining()

    def progress(self, *, keep_alive: float = 60) -> AsyncIterator[str]:
        streams = Streams(self.database, self.notifications, self.draining, keep_alive=keep_alive)
        return streams.events(self.key, TaskProgress(self.key, TASK), task_id=TASK)

    def changes(self, *, keep_alive: float = 60) -> AsyncIterator[str]:
        streams = Streams(self.database, self.notifications, self.draining, keep_alive=keep_alive)
        return streams.events(self.key, Changes(self.key, None))

    async def sql(self, *statements: str) -> None:
        async with self.database.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    database = await asyncio.to_thread(open_database, database_url)
    async with database.begin() as connection:
        _, key = await create_api_key(connection, "test")
        query = text("INSERT INTO tasks (id, api_key_id, kind, state) VALUES (:id, :key, 'midi', 'queued')")
        await connection.execute(query, {"id": TASK, "key": key.id})
    async with Notifications(database_url, (store.CHANNEL,)) as notifications:
        async with notifications.subscribe(store.CHANNEL) as queue, asyncio.timeout(PATIENCE):
            await queue.get()  # it listens
        yield Line(database, notifications, key)
    await database.close()


async def following(events: AsyncIterator[str]) -> str:
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


def state_in(event: str) -> str:
    data = next(line for line in event.splitlines() if line.startswith("data: "))
    return str(json.loads(data.removeprefix("data: "))["state"])


async def test_a_change_that_a_burst_of_others_pushed_out_is_told_all_the_same(line: Line) -> None:
    events = line.progress()
    assert state_in(await following(events)) == "queued"
    async with line.notifications.subscribe(store.CHANNEL) as other:  # the stream reads nothing meanwhile
        await line.sql(
            f"UPDATE tasks SET state = 'failed', error_message = 'x' WHERE id = '{TASK}'",
            f"SELECT pg_notify('{store.CHANNEL}', '{TASK}')",
            f"SELECT pg_notify('{store.CHANNEL}', 'other' || n) FROM generate_series(1, {2 * MAX_WAITING}) AS n",
            f"SELECT pg_notify('{store.CHANNEL}', 'the end')",
        )
        async with asyncio.timeout(PATIENCE):
            while await other.get() != "the end":
                pass
    assert state_in(await following(events)) == "failed"
    assert [event async for event in events] == []


@pytest.mark.parametrize("name", ["progress", "changes"])
async def test_a_change_without_a_notification_is_told_after_a_keep_alive(line: Line, name: str) -> None:
    events: AsyncIterator[str] = getattr(line, name)(keep_alive=0.2)
    while "queued" not in (event := await following(events)):
        pass
    assert state_in(event) == "queued"
    await line.sql(f"UPDATE tasks SET state = 'failed', error_message = 'x', completed_at = now() WHERE id = '{TASK}'")
    while (event := await following(events)) == COMMENT:
        pass
    assert state_in(event) == "failed"


async def test_news_of_other_keys_do_not_silence_the_comments_of_a_stream(line: Line) -> None:
    events = line.changes(keep_alive=0.2)
    while (await following(events)) != COMMENT:
        await line.sql(f"SELECT pg_notify('{store.CHANNEL}', 'another')")


async def test_an_error_of_the_database_ends_a_stream_and_is_no_traceback(line: Line) -> None:
    events = line.progress(keep_alive=0.2)
    await following(events)
    await line.sql("ALTER TABLE tasks RENAME TO gone")
    assert [event async for event in events if event != COMMENT] == []


async def test_a_stream_ends_with_its_task_and_with_the_server(line: Line) -> None:
    gone, drained = line.progress(keep_alive=0.2), line.progress(keep_alive=0.2)
    await following(gone)
    await following(drained)
    line.draining.set()
    assert [event async for event in drained] == []
    line.draining.on = False
    await line.sql(f"DELETE FROM tasks WHERE id = '{TASK}'")
    assert [event async for event in gone if event != COMMENT] == []


@contextlib.contextmanager
def watching(server: Server, key: str, task_id: str) -> Iterator[httpx.Response]:
    headers: dict[str, Any] = {"Authorization": f"Bearer {key}"}
    url = f"{server.url}/api/v1/tasks/{task_id}/events"
    with httpx.stream("GET", url, headers=headers, timeout=20, trust_env=False) as answer:
        yield answer


def test_streams_of_single_tasks_count_towards_the_limit_of_their_key(server: Server, key: str) -> None:
    task_id = server.plant("midi", "queued", key=key)
    with contextlib.ExitStack() as stack:
        read = [stack.enter_context(watching(server, key, task_id)).iter_lines() for _ in range(20)]
        assert {next(lines) for lines in read} == {"event: task"}
        with watching(server, key, task_id) as refused:
            assert refused.status_code == 430
            assert "20 streams of this key are open" in refused.read().decode()

    def room() -> bool:
        with watching(server, key, task_id) as answer:
            return answer.status_code == 200

    assert wait_for(room)
