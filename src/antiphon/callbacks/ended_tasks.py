"""Ended tasks of an API key with their callbacks, in the order in which they ended, for clients that listen to the
server instead of being called by it. Read from the tasks themselves: those without a callBackUrl are among them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.errors import BadParameter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITTEN = re.compile(r"([0-9]{1,16})-([0-9]{1,18})")


@dataclass(frozen=True, order=True)
class Cursor:
    """A place in the order: all that ended before ``completed_at`` lies behind it, and of those that ended in that
    very microsecond the ones up to ``number``."""

    completed_at: datetime
    number: int = 0

    def __str__(self) -> str:
        return f"{(self.completed_at - _EPOCH) // timedelta(microseconds=1)}-{self.number}"


def parse_cursor(written: str, *, field: str) -> Cursor:
    """Read a cursor as ``str`` writes it.

    Raises:
        BadParameter: It is no cursor; the message names ``field``.
    """
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise BadParameter(f"{field}: expected the id of an event of this stream (got {written[:40]!r}); leave it out")
    return Cursor(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2]))


@dataclass(frozen=True)
class EndedTask:
    """An ended task. ``webhook_id`` and ``body`` are those of its callback, None for one without a callBackUrl."""

    cursor: Cursor
    task_id: str
    webhook_id: str | None
    body: bytes | None


# now() of the transaction that ends a task becomes its completed_at, and is its xact_start. So what is still to be
# committed lies behind the oldest open transaction; 100 ms cover the moment between its start and its being listed.
# One that has been open for a minute is a backup or a person, and ends no task.
_HORIZON = text(
    """
    SELECT least(clock_timestamp() - interval '100 ms', min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND xact_start > clock_timestamp() - interval '60 s'
    """
)
_AFTER = text(
    """
    SELECT tasks.id AS task_id, completed_at, number, callback.webhook_id, callback.body
    FROM tasks LEFT JOIN LATERAL (
        SELECT webhook_id, body FROM deliveries WHERE task_id = tasks.id ORDER BY deliveries.id DESC LIMIT 1
    ) AS callback ON true
    WHERE api_key_id = :api_key_id AND state IN ('succeeded', 'failed') AND kind <> 'upload'
        AND purged_at IS NULL AND expires_at > now() AND (completed_at, number) > (:completed_at, :number)
    ORDER BY completed_at, number LIMIT :limit
    """
)


async def horizon(connection: AsyncConnection) -> datetime:
    """The moment up to which nothing can end any more: every task that ended before it can be seen.

    Ask for it before the tasks, in a transaction that reads what is committed.
    """
    moment: datetime = (await connection.execute(_HORIZON)).scalar_one()
    return moment


async def ended_after(connection: AsyncConnection, api_key_id: int, cursor: Cursor, limit: int) -> list[EndedTask]:
    """The tasks behind ``cursor`` that succeeded or failed, in the order in which they ended.

    Those that ended after ``horizon`` are among them, although others may still come before them.

    Args:
        limit: The most tasks that are given.
    """
    bound: dict[str, Any] = {**vars(cursor), "api_key_id": api_key_id, "limit": limit}
    return [
        EndedTask(
            Cursor(row.completed_at, row.number),
            row.task_id,
            row.webhook_id,
            None if row.body is None else bytes(row.body),
        )
        for row in await connection.execute(_AFTER, bound)
    ]
