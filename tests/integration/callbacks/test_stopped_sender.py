"""A sender that is stopped by SIGTERM, as every deployment stops it, sends nothing twice."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from tests.integration.callbacks.conftest import OK, Rig, receiving
from tests.waiting import wait_for_async

PENDING = 60
PER_HOST = 4
PATIENCE = 20.0  # seconds that a stop may take


async def test_sigterm_ends_what_is_in_flight_and_the_next_sender_repeats_nothing(rig: Rig, tmp_path: Path) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(OK)

    async with receiving(slowly) as receiver:
        await rig.tasks(PENDING, url=receiver.url)
        async with rig.database.begin() as connection:  # the server's first start makes a key beside the planted one
            await connection.execute(text("SELECT setval('api_keys_id_seq', 100)"))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")},
            "ANTIPHON_DATA": str(tmp_path),
            "ANTIPHON_DATABASE_URL": rig.database.url,
            "ANTIPHON_CALLBACK_ALLOW": "127.0.0.0/8",
            "ANTIPHON_CALLBACK_PER_HOST": str(PER_HOST),
        }
        command = (sys.executable, "-m", "antiphon", "serve", "--role", "sender")
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )

        async def well_under_way() -> bool:
            return len(receiver.requests) >= 3 * PER_HOST

        await wait_for_async(well_under_way, seconds=20)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
        left = (await rig.counts()).get("pending", 0)
        assert 0 < left == PENDING - len(receiver.requests)  # what was received is known to be received

        async def all_delivered() -> bool:
            return await rig.counts() == {"delivered": PENDING}

        async with rig.sending():
            await wait_for_async(all_delivered, seconds=20)
        received = Counter(request.headers["webhook-id"] for request in receiver.requests)
        assert set(received.values()) == {1}
        assert len(received) == PENDING
