"""A sender that is killed loses nothing."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

from tests.integration.callbacks.conftest import OK, Rig, receiving
from tests.waiting import wait_for_async

LONE_SENDER = Path(__file__).with_name("lone_sender.py")
PENDING = 500
SLOTS = 16


async def test_kill_9_with_many_pending_loses_none_and_repeats_at_most_what_was_in_flight(rig: Rig) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK)

    async with receiving(slowly) as receiver:
        await rig.tasks(PENDING, url=receiver.url)
        command = (sys.executable, str(LONE_SENDER), rig.database.url)
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)

        async def well_under_way() -> bool:
            return len(receiver.requests) >= PENDING // 4

        await wait_for_async(well_under_way, seconds=20)
        process.kill()
        await process.wait()
        before = await rig.counts()
        assert before["pending"] > PENDING // 4
        in_flight = len(receiver.requests) - before["delivered"]

        async def all_delivered() -> bool:
            return await rig.counts() == {"delivered": PENDING}

        async with rig.sending(callback_per_host=SLOTS):
            await wait_for_async(all_delivered, seconds=20)
        received = Counter(request.headers["webhook-id"] for request in receiver.requests)
        assert len(received) == PENDING
        assert received.total() - PENDING <= in_flight <= 3 * SLOTS
