"""What was announced of a task and how it went, for its owner to read."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks.outbox import RecordedAttempt, attempts_of
from antiphon.database.schema import deliveries


@dataclass(frozen=True)
class RecordedDelivery:
    """A delivery and its attempts, oldest first. ``due_at`` is when a pending one is tried next."""

    id: int
    webhook_id: str
    url: str
    state: str
    created_at: datetime
    due_at: datetime
    attempts: list[RecordedAttempt]


async def deliveries_of(connection: AsyncConnection, task_id: str) -> list[RecordedDelivery]:
    """Every delivery of a task, oldest first: the first, and one for each resend."""
    attempts: dict[int, list[RecordedAttempt]] = defaultdict(list)
    for attempt in await attempts_of(connection, task_id):
        attempts[attempt.delivery_id].append(attempt)
    columns = (
        deliveries.c.id,
        deliveries.c.webhook_id,
        deliveries.c.url,
        deliveries.c.state,
        deliveries.c.created_at,
        deliveries.c.due_at,
    )
    rows = await connection.execute(select(*columns).where(deliveries.c.task_id == task_id).order_by(deliveries.c.id))
    return [RecordedDelivery(*row, attempts=attempts[row.id]) for row in rows]
