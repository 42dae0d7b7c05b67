"""What is still to be done, counted: callbacks and tasks, over partial indexes."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_QUEUE = text(
    "SELECT count(*) AS pending, count(*) FILTER (WHERE lease_until > now()) AS leased,"
    " coalesce(extract(epoch FROM now() - min(due_at) FILTER (WHERE due_at <= now())), 0) AS age"
    " FROM deliveries WHERE state = 'pending'"
)
_TASKS = text("SELECT kind, state, count(*) AS number FROM tasks WHERE state IN ('queued', 'running') GROUP BY 1, 2")


@dataclass(frozen=True)
class Backlog:
    """Of all processes together. ``leased`` callbacks are claimed by a sender; ``age`` is the seconds that the oldest
    due one has waited; ``tasks`` are numbers by kind and state."""

    pending: int
    leased: int
    age: float
    tasks: dict[tuple[str, str], int]


async def backlog(connection: AsyncConnection) -> Backlog:
    queue = (await connection.execute(_QUEUE)).one()
    tasks = (await connection.execute(_TASKS)).all()
    return Backlog(queue.pending, queue.leased, float(queue.age), {(row.kind, row.state): row.number for row in tasks})
