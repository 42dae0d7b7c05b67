"""Backlog: callbacks and tasks that are still to be done, counted over partial indexes."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_QUEUE = text(
    "SELECT count(*) AS pending, count(*) FILTER (WHERE lease_until > now()) AS leased,"
    " coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0) AS age"
    " FROM deliveries WHERE state = 'pending'"
)
_TASKS = text("SELECT kind, state, count(*) AS number FROM tasks WHERE state IN ('queued', 'running') GROUP BY 1, 2")
_OVERDUE = text(
    "SELECT count(*) FROM tasks WHERE purged_at IS NULL AND expires_at < now() - interval '1 hour' AND NOT EXISTS"
    " (SELECT 1 FROM tasks AS needing WHERE needing.source_id = tasks.id AND needing.state IN ('queued', 'running'))"
)


@dataclass(frozen=True)
class Backlog:
    """Of all processes together.

    Attributes:
        pending: Callbacks that have not ended, those between retries among them.
        leased: Callbacks that a sender has claimed.
        age: Seconds that the oldest due callback has waited.
        tasks: Number of unfinished tasks by kind and state.
        overdue: Number of tasks that expired more than an hour ago and whose files have not been deleted.
    """

    pending: int
    leased: int
    age: float
    tasks: dict[tuple[str, str], int]
    overdue: int


async def backlog(connection: AsyncConnection) -> Backlog:
    """The backlog now, counted in the caller's transaction."""
    queue = (await connection.execute(_QUEUE)).one()
    tasks = {(row.kind, row.state): row.number for row in await connection.execute(_TASKS)}
    overdue = (await connection.execute(_OVERDUE)).scalar_one()
    return Backlog(queue.pending, queue.leased, float(queue.age), tasks, overdue)
