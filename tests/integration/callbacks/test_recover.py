"""Many callbacks sent again: those that were asked for, at the pace that was asked for, and none of them twice."""

import asyncio
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from antiphon.callbacks.recover import Found, Selection, find, recover
from antiphon.errors import BadParameter
from tests.integration.callbacks.conftest import OK, Rig, answering, receiving
from tests.waiting import wait_for_async

DEAD = "http://dead.example:8080/hook?secret=1"
OTHER = "http://other.example/hook"


async def end(rig: Rig, task_ids: list[str], state: str, *, minutes_ago: float = 5) -> None:
    """As if these callbacks had come to this end."""
    query = text(
        "UPDATE deliveries SET state = :state, finished_at = now() - make_interval(secs => :ago)"
        " WHERE task_id = ANY(CAST(:ids AS text[]))"
    )
    async with rig.database.begin() as connection:
        await connection.execute(query, {"state": state, "ago": minutes_ago * 60, "ids": task_ids})


async def selection(rig: Rig, *, state: str = "stopped", hosts: tuple[str, ...] = ()) -> Selection:
    now: datetime = await rig.database.now()
    return Selection(now - timedelta(hours=1), now, state, hosts)  # type: ignore[arg-type]


async def found(rig: Rig, chosen: Selection) -> list[Found]:
    async with rig.database.begin() as connection:
        return await find(connection, chosen)


async def deliveries(rig: Rig) -> int:
    return sum((await rig.counts()).values())


async def test_only_what_came_to_the_given_end_in_the_given_time_at_the_given_host_is_chosen(rig: Rig) -> None:
    dead, other, long_ago = [await rig.tasks(number, url=url) for number, url in ((3, DEAD), (2, OTHER), (1, DEAD))]
    await end(rig, dead + other, "stopped")
    await end(rig, long_ago, "stopped", minutes_ago=120)
    delivered = await rig.tasks(1, url=DEAD)
    await end(rig, delivered, "delivered")
    await rig.tasks(1, url=DEAD)  # still pending
    for hosts, expected in (
        ((), dead + other),
        (("dead.example",), dead),
        (("DEAD.example:8080",), dead),
        (("dead.example:80",), []),
        (("other.example", "dead.example"), dead + other),
    ):
        chosen = await found(rig, await selection(rig, hosts=hosts))
        assert sorted(one.task_id for one in chosen) == sorted(expected), hosts
    chosen = await found(rig, await selection(rig, state="delivered"))
    assert chosen == [Found(delivered[0], "dead.example:8080")]
    assert await deliveries(rig) == 8


async def test_what_is_recovered_reaches_the_receiver_with_its_first_identity(rig: Rig) -> None:
    async with receiving(answering(OK)) as receiver:
        task_ids = await rig.tasks(5, url=receiver.url)
        await end(rig, task_ids, "stopped")
        query = text("SELECT DISTINCT webhook_id FROM deliveries")
        async with rig.database.begin() as connection:
            identities = set((await connection.execute(query)).scalars())
        chosen = await selection(rig)
        async with rig.sending():
            assert await recover(rig.database, chosen, await found(rig, chosen), rate=1000) == 5
            for task_id in task_ids:
                assert await rig.ended(task_id) == "delivered"
        assert {request.headers["webhook-id"] for request in receiver.requests} == identities
        assert len(receiver.requests) == 5


async def test_a_recovery_that_was_interrupted_goes_on_where_it_stopped(rig: Rig) -> None:
    await end(rig, await rig.tasks(20, url=DEAD), "stopped")
    chosen = await selection(rig)
    told: list[int] = []
    broken_off = asyncio.create_task(recover(rig.database, chosen, await found(rig, chosen), rate=50, told=told.append))
    await wait_for_async(lambda: told)
    broken_off.cancel()
    with pytest.raises(asyncio.CancelledError):
        await broken_off
    already = (await rig.counts())["pending"]
    assert 0 < already < 20
    left = await found(rig, chosen)
    assert len(left) == 20 - already
    assert await recover(rig.database, chosen, left, rate=1000) == 20 - already
    assert await rig.counts() == {"stopped": 20, "pending": 20}
    assert await recover(rig.database, chosen, await found(rig, chosen), rate=1000) == 0


async def test_two_recoveries_at_once_queue_each_callback_once(rig: Rig) -> None:
    await end(rig, await rig.tasks(30, url=DEAD), "stopped")
    chosen = await selection(rig)
    everything = await found(rig, chosen)
    await asyncio.gather(*(recover(rig.database, chosen, everything, rate=1000) for _ in range(2)))
    assert await rig.counts() == {"stopped": 30, "pending": 30}


async def test_what_was_acknowledged_after_all_is_not_sent_again(rig: Rig) -> None:
    task_ids = await rig.tasks(2, url=DEAD)
    await end(rig, task_ids, "stopped")
    chosen = await selection(rig)
    everything = await found(rig, chosen)
    await end(rig, task_ids[:1], "delivered", minutes_ago=0)
    assert await recover(rig.database, chosen, everything, rate=1000) == 1


async def test_the_pace_is_kept(rig: Rig) -> None:
    await end(rig, await rig.tasks(9, url=DEAD), "stopped")
    chosen = await selection(rig)
    began = time.monotonic()
    await recover(rig.database, chosen, await found(rig, chosen), rate=20)
    assert 0.3 < time.monotonic() - began < 1.5


async def test_a_span_that_ends_before_it_begins_is_refused(rig: Rig) -> None:
    now: datetime = await rig.database.now()
    with pytest.raises(BadParameter, match="must lie before"):
        Selection(now, now - timedelta(hours=1))
