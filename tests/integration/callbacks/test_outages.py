"""A database that restarts in mid-flight or refuses a commit, and a host that hangs beside one that does not."""

import asyncio
import statistics
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import text
from structlog.testing import capture_logs

from antiphon.database import Database, Notifications
from antiphon.database.connection import migrate
from antiphon.database.embedded import EmbeddedPostgres
from tests.integration.callbacks.conftest import CHANNELS, OK, Receiver, Rig, answering, receiving
from tests.waiting import wait_for_async

NUMBER = 1000


async def test_postgres_restarted_in_mid_flight_loses_nothing_and_charges_nobody(tmp_path: Path) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK)

    server = EmbeddedPostgres(tmp_path)
    try:
        url = await asyncio.to_thread(server.start)
        await asyncio.to_thread(migrate, url)
        database = Database(url)
        async with database.begin() as connection:
            await connection.execute(text("INSERT INTO api_keys (id, name, digest) VALUES (1, 'test', '\\x00')"))
        async with Notifications(url, CHANNELS) as notifications, receiving(slowly) as receiver:
            rig = Rig(database, notifications)
            ids = await rig.tasks(100, url=receiver.url)
            async with rig.sending():

                async def under_way() -> bool:
                    return len(receiver.requests) >= 20

                await wait_for_async(under_way)
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)

                async def all_delivered() -> bool:
                    return await rig.counts() == {"delivered": 100}

                await wait_for_async(all_delivered, seconds=20)
            received = Counter(request.headers["webhook-id"] for request in receiver.requests)
            assert len(received) == 100
            assert received.total() == 100
            assert all([len(await rig.attempts(task_id)) == 1 for task_id in ids[:20]])
        await database.close()
    finally:
        await asyncio.to_thread(server.destroy)


async def latencies(rig: Rig, good: Receiver, hanging: Receiver | None) -> list[float]:
    """Seconds from the start of the sender to each receipt of the good host."""
    times: list[float] = []

    async def note(writer: asyncio.StreamWriter) -> None:
        times.append(time.monotonic())
        writer.write(OK)

    good.behave = note
    for _ in range(NUMBER // 100):  # mixed
        if hanging:
            await rig.tasks(100, url=hanging.url)
        await rig.tasks(100, url=good.url)
    began = time.monotonic()
    async with rig.sending(rig.sender(callback_timeout=15.0, grace=0.1)):

        async def all_there() -> bool:
            return len(times) >= NUMBER

        await wait_for_async(all_there, seconds=30)
    return [moment - began for moment in times]


async def test_a_thousand_for_a_hanging_host_do_not_delay_a_thousand_for_a_good_one(rig: Rig) -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with receiving(answering(OK)) as good, receiving(hang) as hanging:
        alone = await latencies(rig, good, None)
        beside = await latencies(rig, good, hanging)
        assert 0 < hanging.most_at_once <= 8
    assert statistics.quantiles(beside, n=100)[98] <= 2 * statistics.quantiles(alone, n=100)[98] + 0.1


async def test_claims_whose_commit_fails_are_not_sent_and_later_sent_once(rig: Rig) -> None:
    """A deferred trigger speaks at the commit, when the statement that claims has long succeeded."""
    statements = [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no commit'; END $$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON deliveries DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    ]
    async with receiving(answering(OK)) as receiver:
        task_id = await rig.task(url=receiver.url)
        async with rig.database.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        try:
            with capture_logs() as logs:
                async with rig.sending(rig.sender(margin=10)):

                    async def refused_twice() -> bool:
                        return sum("no commit" in str(line.get("error")) for line in logs) >= 2

                    await wait_for_async(refused_twice)
                    assert receiver.requests == []
                    async with rig.database.begin() as connection:
                        await connection.execute(text("DROP FUNCTION refuse CASCADE"))
                    assert await rig.ended(task_id) == "delivered"
                assert len(receiver.requests) == 1
        finally:
            async with rig.database.begin() as connection:
                await connection.execute(text("DROP FUNCTION IF EXISTS refuse CASCADE"))
