"""History of a task's callbacks: deliveries with their attempts, for its owner."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks.outbox import RecordedAttempt, attempts_of
from antiphon.database.schema import deliveries

MAX_SHOWN_BYTES = 64 * 1024  # of a body that come with its delivery


@dataclass(frozen=True)
class RecordedDelivery:
    """A delivery and its attempts, oldest first. ``due_at`` is when a pending one is tried next; ``body`` is the start
    of what is sent, of ``size`` bytes in all."""

    id: int
    webhook_id: str
    url: str
    state: str
    created_at: datetime
    due_at: datetime
    size: int
    body: bytes
    attempts: list[RecordedAttempt]


async def deliveries_of(connection: AsyncConnection, task_id: str) -> list[RecordedDelivery]:
    """Every delivery of a task, oldest first: the first, and one for each resend."""
    columns = (
        deliveries.c.id,
        deliveries.c.webhook_id,
        deliveries.c.url,
        deliveries.c.state,
        deliveries.c.created_at,
        deliveries.c.due_at,
        func.octet_length(deliveries.c.body),
        func.substring(deliveries.c.body, 1, MAX_SHOWN_BYTES),
    )
    query = select(*columns).where(deliveries.c.task_id == task_id).order_by(deliveries.c.id)
    rows = (await connection.execute(query)).all()
    attempts: dict[int, list[RecordedAttempt]] = defaultdict(list)
    for attempt in await attempts_of(connection, task_id):  # read last: none lacks the attempt that ended it
        attempts[attempt.delivery_id].append(attempt)
    return [RecordedDelivery(*row[:-1], body=bytes(row[-1]), attempts=attempts[row.id]) for row in rows]


async def body_of(connection: AsyncConnection, task_id: str, number: int) -> bytes | None:
    """The whole body of a task's delivery, counted from 1; None when there is no such delivery."""
    query = select(deliveries.c.body).where(deliveries.c.task_id == task_id).order_by(deliveries.c.id)
    body = (await connection.execute(query.offset(number - 1).limit(1))).scalar_one_or_none()
    return None if body is None else bytes(body)
