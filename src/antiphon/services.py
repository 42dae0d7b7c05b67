"""Opening of the services that all parts of a process share, by the settings, and their closing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection

from antiphon import keys
from antiphon.database import Notifications, open_database
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.database.presence import name_of
from antiphon.outbound.connection import Resolver
from antiphon.outbound.guard import Guard
from antiphon.outbound.own_addresses import OwnAddresses
from antiphon.roles import Role
from antiphon.scratch import Scratch
from antiphon.secret import load_secret
from antiphon.settings import Settings
from antiphon.storage import Storage
from antiphon.tasks.queue import Queue
from antiphon.tasks.services import Services

__all__ = ["Services", "open_services"]

CHANNELS = ("antiphon_task", "antiphon_callback")


@contextlib.asynccontextmanager
async def open_services(settings: Settings, roles: Collection[Role] = ()) -> AsyncIterator[Services]:
    """Start or reach PostgreSQL, migrate, open storage, make the first keys; close all at the end of the block.

    Args:
        settings: The settings.
        roles: Those of a process that serves, under which other processes see it.

    Raises:
        DatabaseError: There is no usable PostgreSQL.
        SettingsError: The database was set up with another secret.
        StorageError: The storage's location is wrong.
    """
    async with contextlib.AsyncExitStack() as stack:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        url = settings.database_url
        if url is None:
            url = await asyncio.to_thread(stack.enter_context, EmbeddedPostgres(settings.data))
        database = await asyncio.to_thread(open_database, url)
        stack.push_async_callback(database.close)
        secret = load_secret(settings.data, settings.secret)
        storage = Storage.open(settings.storage_location)
        notifications = await stack.enter_async_context(Notifications(url, CHANNELS, name=name_of(roles)))
        queue = await stack.enter_async_context(Queue(url))
        async with database.begin() as connection:  # last: keys that were made must be shown
            first_keys = await keys.prepare(connection, secret)
        yield Services(
            settings=settings,
            database=database,
            notifications=notifications,
            storage=storage,
            scratch=Scratch(settings.data / "scratch"),
            guard=Guard(settings.callback_allow, OwnAddresses(settings.public_url)),
            resolver=Resolver(),
            queue=queue,
            secret=secret,
            first_keys=first_keys,
        )
