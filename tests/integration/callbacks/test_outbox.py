"""The outbox's rows: what a transaction, a lease and a resend do to them."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import event, text

from antiphon.callbacks import outbox
from antiphon.callbacks.history import deliveries_of
from antiphon.callbacks.outbox import ClaimedDelivery, MadeAttempt
from antiphon.callbacks.retry_schedule import NextStep
from antiphon.errors import NotFound
from antiphon.outbound.guard import host_of
from tests.integration.callbacks.conftest import Rig
from tests.waiting import wait_for_async

URL = "http://receiver.example:8080/hook"


async def claim(
    rig: Rig, *, limit: int = 10, lease: float = 60, per_host: int = 10, **busy: int
) -> list[ClaimedDelivery]:
    async with rig.database.begin() as connection:
        return await outbox.claim(connection, limit=limit, lease=lease, per_host=per_host, busy=busy)


async def record(rig: Rig, delivery: ClaimedDelivery, step: NextStep, *, status: int = 200) -> bool:
    attempt = MadeAttempt(started_at=datetime.now(UTC), milliseconds=5, status=status)
    async with rig.database.begin() as connection:
        return await outbox.record(connection, [(delivery, attempt, step)]) == {delivery.id}


async def test_a_callback_exists_only_if_the_transaction_that_queued_it_commits(rig: Rig) -> None:
    task_id = await rig.task(url=URL)
    async with rig.database.begin() as connection:
        await outbox.enqueue(connection, task_id=task_id, url=URL, body=b"{}")
        await connection.rollback()
    assert await rig.counts() == {"pending": 1}


async def test_a_claim_is_hidden_until_its_lease_ends_and_then_comes_back_uncounted(rig: Rig) -> None:
    await rig.task(url=URL, body=b"\x00\xff raw")
    (first,) = await claim(rig, lease=0.2)
    assert (first.url, first.host, first.body, first.attempts) == (URL, "receiver.example:8080", b"\x00\xff raw", 0)
    assert await claim(rig) == []

    async def due() -> bool:
        async with rig.database.begin() as connection:
            return await outbox.next_due(connection) == 0

    await wait_for_async(due)
    (again,) = await claim(rig)
    assert (again.id, again.webhook_id, again.attempts) == (first.id, first.webhook_id, 0)


async def test_whoever_lost_the_lease_changes_nothing_but_by_an_acknowledgement(rig: Rig) -> None:
    task_id = await rig.task(url=URL)
    (lost,) = await claim(rig, lease=0)
    (held,) = await claim(rig)
    assert not await record(rig, lost, NextStep("stopped"), status=410)
    assert await rig.state(task_id) == "pending"
    assert await record(rig, lost, NextStep("delivered"))
    assert await rig.state(task_id) == "delivered"
    assert not await record(rig, held, NextStep("stopped"), status=410)
    assert await rig.state(task_id) == "delivered"
    assert [attempt.status for attempt in await rig.attempts(task_id)] == [410, 200, 410]


async def test_one_host_gets_no_more_than_its_free_slots_and_hides_nobody(rig: Rig) -> None:
    await rig.tasks(50, url=URL)
    await rig.tasks(3, url="http://other.example/")
    claimed = await claim(rig, limit=20, per_host=5, **{"receiver.example:8080": 3})
    assert [delivery.host for delivery in claimed].count("receiver.example:8080") == 2
    assert [delivery.host for delivery in claimed].count("other.example:80") == 3
    async with rig.database.begin() as connection:
        assert await outbox.next_due(connection) == 0
        wait = await outbox.next_due(connection, ["receiver.example:8080"])
    assert wait is not None
    assert 50 < wait <= 60


async def test_claims_made_at_once_never_overlap(rig: Rig) -> None:
    await rig.tasks(60, url=URL)
    batches = await asyncio.gather(*(claim(rig, limit=10, per_host=10) for _ in range(6)))
    ids = [delivery.id for batch in batches for delivery in batch]
    assert len(ids) == len(set(ids))


async def test_a_released_claim_is_due_at_once_and_not_counted(rig: Rig) -> None:
    await rig.task(url=URL)
    (first,) = await claim(rig)
    async with rig.database.begin() as connection:
        await outbox.release(connection, [first])
    (again,) = await claim(rig)
    assert again.attempts == 0
    async with rig.database.begin() as connection:
        await outbox.release(connection, [first])  # no longer the holder
    assert await claim(rig) == []


async def test_a_resend_is_a_new_delivery_of_the_same_callback(rig: Rig) -> None:
    task_id = await rig.task(url=URL, body=b"frozen")
    (first,) = await claim(rig)
    await record(rig, first, NextStep("stopped"), status=500)
    async with rig.database.begin() as connection:
        await outbox.resend(connection, task_id)
    assert await rig.state(task_id) == "pending"
    (second,) = await claim(rig)
    assert second.id != first.id
    assert (second.webhook_id, second.url, second.body) == (first.webhook_id, URL, b"frozen")
    assert second.attempts == 0


async def test_a_resend_while_a_retry_is_waiting_hurries_it_and_makes_no_second_one(rig: Rig) -> None:
    task_id = await rig.task(url=URL)
    (first,) = await claim(rig)
    await record(rig, first, NextStep("pending", 300), status=500)
    assert await claim(rig) == []
    async with rig.database.begin() as connection:
        assert await outbox.resend(connection, task_id) == first.id
    (second,) = await claim(rig)
    assert (second.id, second.attempts) == (first.id, 1)
    async with rig.database.begin() as connection:
        assert await outbox.resend(connection, task_id) == first.id
    assert await claim(rig) == []


async def test_a_task_without_callback_has_nothing_to_resend(rig: Rig) -> None:
    async with rig.database.begin() as connection:
        with pytest.raises(NotFound, match="callBackUrl"):
            await outbox.resend(connection, "0" * 32)
        assert await outbox.states_of(connection, ["0" * 32]) == {}
        assert await outbox.attempts_of(connection, "0" * 32) == []


async def test_queueing_wakes_senders_and_the_end_of_a_delivery_tells_who_watches_the_task(rig: Rig) -> None:
    async with (
        rig.notifications.subscribe(outbox.CHANNEL) as callbacks,
        rig.notifications.subscribe(outbox.TASK_CHANNEL) as tasks,
        asyncio.timeout(5),
    ):
        assert (await callbacks.get(), await tasks.get()) == ("", "")  # listening now
        task_id = await rig.task(url=URL)
        (delivery,) = await claim(rig)
        assert await callbacks.get() == str(delivery.id)
        await record(rig, delivery, NextStep("delivered"))
        assert await tasks.get() == task_id


async def test_deliveries_and_attempts_go_with_their_task(rig: Rig) -> None:
    task_id = await rig.task(url=URL)
    (delivery,) = await claim(rig)
    await record(rig, delivery, NextStep("delivered"))
    async with rig.database.begin() as connection:
        await connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": task_id})
    assert await rig.counts() == {}
    assert await rig.attempts(task_id) == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.com/a?b", "example.com:443"),
        ("http://example.com", "example.com:80"),
        ("http://[2606:4700::1]:8080/", "[2606:4700::1]:8080"),
    ],
)
def test_the_cap_per_host_counts_by_host_and_port(url: str, host: str) -> None:
    assert host_of(url) == host


async def test_a_delivery_that_ends_while_it_is_read_never_lacks_its_last_attempt(rig: Rig, database_url: str) -> None:
    task_id = await rig.task(url="http://a/")
    ended: list[str] = []

    def end_it(*_: object) -> None:
        """Behind the first statement of the reader another process ends the delivery, and commits."""
        if not ended:
            ended.append(task_id)
            with psycopg.connect(database_url) as other:
                other.execute(
                    "INSERT INTO attempts (delivery_id, number, started_at, milliseconds)"
                    " SELECT id, 1, now(), 1 FROM deliveries WHERE task_id = %s",
                    [task_id],
                )
                other.execute("UPDATE deliveries SET state = 'stopped', attempts = 1 WHERE task_id = %s", [task_id])

    async with rig.database.begin() as connection:
        event.listen(connection.sync_connection, "after_cursor_execute", end_it)
        (delivery,) = await deliveries_of(connection, task_id)
    assert ended
    assert (delivery.state, len(delivery.attempts)) != ("stopped", 0)
