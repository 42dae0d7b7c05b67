"""Changes among the tasks of an API key, for its event stream."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.kinds import CallbackState
from antiphon.database.schema import deliveries, tasks
from antiphon.tasks.model import Task
from antiphon.tasks.store import ACTIVE, COLUMNS, task_of

MAX_TASKS = 500  # tasks in which a change is looked for, beside the unfinished ones
MAX_COMMIT_DELAY = timedelta(seconds=5)  # a change may be committed so long after the time that is written into it


async def changed_since(connection: AsyncConnection, api_key_id: int, moment: datetime) -> list[Task]:
    """The unfinished tasks of a key, and its newest ``MAX_TASKS`` as far as they have changed since ``moment``; oldest
    first.

    Some may not have changed: a change may be committed up to ``MAX_COMMIT_DELAY`` after its time.
    """
    since = moment - MAX_COMMIT_DELAY
    newest = select(tasks.c.id).where(tasks.c.api_key_id == api_key_id).order_by(tasks.c.number.desc()).limit(MAX_TASKS)
    announced = select(deliveries.c.task_id).where(
        deliveries.c.task_id.in_(newest),
        or_(
            deliveries.c.state == CallbackState.PENDING,
            deliveries.c.created_at >= since,
            deliveries.c.finished_at >= since,
        ),
    )
    moved = or_(tasks.c.created_at >= since, tasks.c.completed_at >= since, tasks.c.id.in_(announced))
    changed = or_(tasks.c.state.in_(ACTIVE), tasks.c.id.in_(newest) & moved)
    query = select(*COLUMNS).where(tasks.c.api_key_id == api_key_id, changed).order_by(tasks.c.number)
    return [task_of(row) for row in await connection.execute(query)]


async def tasks_of(connection: AsyncConnection, api_key_id: int, task_ids: Collection[str]) -> list[Task]:
    """Those of these tasks that are the key's; oldest first."""
    query = select(*COLUMNS).where(tasks.c.id.in_(task_ids), tasks.c.api_key_id == api_key_id)
    return [task_of(row) for row in await connection.execute(query.order_by(tasks.c.number))]
