"""A sender in a process of its own, to be killed: ``python lone_sender.py DATABASE_URL``."""

import asyncio
import sys

from antiphon.callbacks import outbox
from antiphon.callbacks.sender import Sender
from antiphon.database import Database, Notifications
from antiphon.settings import load_settings


async def keys() -> list[str]:
    return ["a-webhook-key"]


async def main(url: str) -> None:
    settings = load_settings(callback_allow="127.0.0.0/8", callback_timeout=1.0, callback_per_host=16)
    async with Notifications(url, (outbox.CHANNEL,)) as notifications:
        await Sender(Database(url), notifications, settings, keys, margin=1.0).run(asyncio.Event())


asyncio.run(main(sys.argv[1]))
