"""Retention: deletion of what has passed its time. First the bytes, then what was known of them, much later the row."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from antiphon.errors import StorageError
from antiphon.tasks import store
from antiphon.tasks.idempotency import forget_old_keys
from antiphon.tasks.services import Services

log = structlog.get_logger()
MAX_BATCH = 50
MAX_FAILURES = 3  # of one round: then the storage as a whole may be away, and each failure takes its time-out
ROW_RETENTION = timedelta(days=365)  # for which an expired task answers 410; then 404
MIN_ORPHAN_AGE = timedelta(days=1)  # longer than any run: files of an unfinished run are not orphans
MIN_RETRY_S = 300.0
MAX_RETRY_S = 86_400.0


@dataclass(frozen=True)
class _SetAside:
    """A prefix that could not be deleted: when it is tried again, and how long that was put off."""

    until: float
    delay: float


class Retention:
    """Deletes expired tasks and orphaned files. A prefix that cannot be deleted is set aside, each time for twice as
    long, and does not stop the others; how many tasks have outlived their time is in the metrics and the checks.

    Args:
        services: The open services.
        clock: Monotonic seconds.
    """

    def __init__(self, services: Services, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock = clock
        self._set_aside: dict[str, _SetAside] = {}

    async def purge_expired(self) -> None:
        """Delete the artifacts of expired tasks. A crash half-way leaves the rest for the next time."""
        async with self._services.database.begin() as connection:
            expired = await store.expired_tasks(connection, MAX_BATCH, without=self._waiting())
            await store.forget(connection, ROW_RETENTION, MAX_BATCH)
            await forget_old_keys(connection)

        async def mark_purged(task_id: str) -> None:
            async with self._services.database.begin() as connection:
                await store.mark_purged(connection, task_id)
            log.info("task expired", task=task_id)

        await self._delete_all(expired, mark_purged)

    async def sweep_orphans(self) -> None:
        """Delete files that belong to no task: a process was killed between storing them and recording them."""
        now = datetime.now(UTC)
        found = await self._services.storage.list_prefixes()
        old = [prefix for prefix, modified in found.items() if now - modified > MIN_ORPHAN_AGE]
        async with self._services.database.begin() as connection:
            known = await store.known_ids(connection, old)

        async def tell(prefix: str) -> None:
            log.info("orphaned files deleted", prefix=prefix)

        await self._delete_all(set(old) - known - set(self._waiting()), tell)

    def _waiting(self) -> list[str]:
        now = self._clock()
        return [prefix for prefix, aside in self._set_aside.items() if now < aside.until]

    async def _delete_all(self, prefixes: Iterable[str], deleted: Callable[[str], Awaitable[None]]) -> None:
        failures = 0
        for prefix in prefixes:
            try:
                await self._services.storage.delete_prefix(prefix)
            except StorageError as error:
                self._put_off(prefix, error)
                failures += 1
                if failures == MAX_FAILURES:
                    return
            else:
                self._set_aside.pop(prefix, None)
                await deleted(prefix)

    def _put_off(self, prefix: str, error: StorageError) -> None:
        before = self._set_aside.get(prefix)
        delay = min(2 * before.delay, MAX_RETRY_S) if before else MIN_RETRY_S
        self._set_aside[prefix] = _SetAside(self._clock() + delay, delay)
        log.error("files could not be deleted", prefix=prefix, error=error.message, retry_in=delay)
