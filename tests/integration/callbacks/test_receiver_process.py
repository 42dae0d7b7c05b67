"""The sender and 'antiphon receive', each a process as users run it."""

import asyncio
import json
import socket
import sys
from pathlib import Path
from uuid import uuid4

from antiphon.contract import signatures
from antiphon.receiver.inbox.inbox import Inbox
from tests.integration.callbacks.conftest import KEY, Rig
from tests.waiting import wait_for_async

NUMBER = 100


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_every_callback_is_verified_and_kept_even_when_the_receiver_is_killed_and_comes_back(
    rig: Rig, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "antiphon", "receive", "--inbox", str(tmp_path), "--port", str(port)]
    command += ["--key", signatures.new_key(), "--key", KEY]

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)

    async def kept() -> int:
        with Inbox(tmp_path) as inbox:
            return sum(1 for _ in inbox.events())

    async def some_kept() -> bool:
        return await kept() >= 1

    async def all_delivered() -> bool:
        return (await rig.counts()).get("delivered") == 2 * NUMBER

    process = await start()
    try:
        ids = await callbacks(rig, port)
        async with rig.sending(callback_retry_delays=(0.5,) * 40, callback_timeout=5.0):
            await wait_for_async(some_kept, seconds=20)
            process.kill()
            await process.wait()
            ids += await callbacks(rig, port)
            process = await start()
            await wait_for_async(all_delivered, seconds=30)
    finally:
        process.kill()
        await process.wait()
    with Inbox(tmp_path) as inbox:
        events = list(inbox.events())
    assert {(event.task_id, event.scheme, event.version) for event in events} == {
        (task_id, "standard", 1) for task_id in ids
    }
    assert len(events) == 2 * NUMBER


async def callbacks(rig: Rig, port: int) -> list[str]:
    """The ids within the bodies, which are what a receiver goes by."""
    ids = [uuid4().hex for _ in range(NUMBER)]
    for task_id in ids:
        body = {"code": 200, "msg": "success", "data": {"taskId": task_id, "instruments": []}}
        await rig.task(url=f"http://127.0.0.1:{port}/", body=json.dumps(body).encode())
    return ids
