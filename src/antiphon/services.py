"""Services that all parts of a process share, opened from the settings and closed again."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from aiohttp.abc import AbstractResolver

from antiphon import keys, links
from antiphon.callbacks.metrics import Metrics
from antiphon.database import Database, Notifications, open_database
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.database.presence import name_of
from antiphon.outbound.connection import Resolver
from antiphon.outbound.fetch import Fetched, fetch
from antiphon.outbound.guard import Guard
from antiphon.outbound.own_addresses import OwnAddresses
from antiphon.roles import Role
from antiphon.scratch import Scratch
from antiphon.secret import load_secret
from antiphon.settings import Settings
from antiphon.storage import Storage
from antiphon.tasks.model import Artifact
from antiphon.tasks.queue import Queue

FETCH_TIMEOUT_S = 300.0
CHANNELS = ("antiphon_task", "antiphon_callback")


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    notifications: Notifications
    storage: Storage
    scratch: Scratch
    guard: Guard
    resolver: AbstractResolver
    queue: Queue
    secret: bytes
    first_keys: keys.FirstKeys | None
    metrics: Metrics = field(default_factory=Metrics)
    inspections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(os.cpu_count() or 1))

    @property
    def retention(self) -> timedelta:
        return timedelta(days=self.settings.retention_days)

    async def webhook_keys(self) -> list[str]:
        """The keys that sign callbacks now."""
        async with self.database.begin() as connection:
            return await keys.current_webhook_keys(connection, self.secret)

    async def check_address(self, url: str | None, *, field: str) -> None:
        """Refuse a URL that we may not connect to. None passes.

        Raises:
            BadParameter: The URL is wrong; the message names ``field``.
            BlockedAddress: It may not be connected to.
        """
        if url is not None:
            await self.guard.check_name(url, field=field, resolver=self.resolver)

    async def fetch(self, url: str, path: Path, *, field: str = "url", max_bytes: int | None = None) -> Fetched:
        """Download a stranger's file under the guard; ``max_bytes`` is by default the most that an upload may have.

        Raises:
            BadParameter: The URL is wrong or gives no file; the message names ``field``.
            BlockedAddress: It may not be connected to.
            TooLarge: The file has more than ``max_bytes``.
        """
        return await fetch(
            url,
            path,
            guard=self.guard,
            resolver=self.resolver,
            max_bytes=self.settings.max_upload if max_bytes is None else max_bytes,
            timeout=FETCH_TIMEOUT_S,
            field=field,
        )

    def link(self, artifact: Artifact, expires: datetime) -> str:
        """The signed address of an artifact, valid until ``expires``."""
        token = links.sign(
            self.secret,
            key=artifact.key,
            expires=int(expires.timestamp()),
            filename=artifact.filename,
        )
        return f"{self.settings.base_url}/files/{token}/{quote(artifact.filename, safe='')}"

    def own_link(self, url: str) -> links.Link | None:
        """What a link of this server leads to, or None for any other address.

        Raises:
            NotFound: It was cut or changed.
            Expired: Its time is up.
        """
        start = f"{self.settings.base_url}/files/"
        if not url.startswith(start):
            return None
        token = url.removeprefix(start).partition("/")[0].partition("?")[0]
        return links.read(self.secret, token, datetime.now(UTC).timestamp())


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
