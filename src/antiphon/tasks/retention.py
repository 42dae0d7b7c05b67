"""What has passed its time is deleted: first the bytes, then what was known of them, much later the row."""

from datetime import UTC, datetime, timedelta

import structlog

from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.idempotency import forget_old_keys

log = structlog.get_logger()
BATCH = 50
ROWS_STAY = timedelta(days=365)  # so long an expired task answers 410; then 404
ORPHAN_AGE = timedelta(days=1)  # longer than any run: files of an unfinished run are not orphans


async def purge_expired(services: Services) -> None:
    """Delete the artifacts of expired tasks. A crash half-way leaves the rest for the next time."""
    async with services.database.begin() as connection:
        expired = await store.expired_tasks(connection, BATCH)
        await store.forget(connection, ROWS_STAY, BATCH)
        await forget_old_keys(connection)
    for task_id in expired:
        await services.storage.delete_prefix(task_id)
        async with services.database.begin() as connection:
            await store.mark_purged(connection, task_id)
        log.info("task expired", task=task_id)


async def sweep_orphans(services: Services) -> None:
    """Delete files that belong to no task: a process was killed between storing them and saying so."""
    now = datetime.now(UTC)
    old = [
        prefix for prefix, modified in (await services.storage.list_prefixes()).items() if now - modified > ORPHAN_AGE
    ]
    async with services.database.begin() as connection:
        known = await store.known_ids(connection, old)
    for prefix in set(old) - known:
        log.info("orphaned files deleted", prefix=prefix)
        await services.storage.delete_prefix(prefix)
