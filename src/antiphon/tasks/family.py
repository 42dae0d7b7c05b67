"""Family of a task: the song and everything made of it, with the files of each."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.database.schema import artifacts, tasks
from antiphon.tasks.model import Artifact, Task
from antiphon.tasks.store import ARTIFACT_COLUMNS, COLUMNS, task_of

MAX_MEMBERS = 500  # members that are shown


async def family_of(connection: AsyncConnection, task: Task) -> list[Task]:
    """The upload that a task goes back to and all tasks made of it, over any number of steps; oldest first."""
    up = select(tasks.c.id, tasks.c.source_id).where(tasks.c.id == task.id).cte(recursive=True)
    up = up.union(select(tasks.c.id, tasks.c.source_id).join(up, tasks.c.id == up.c.source_id))
    down = select(up.c.id).where(up.c.source_id.is_(None)).cte(recursive=True)
    down = down.union(select(tasks.c.id).join(down, tasks.c.source_id == down.c.id))
    members = select(*COLUMNS).where(tasks.c.id.in_(select(down.c.id)), tasks.c.api_key_id == task.api_key_id)
    return [task_of(row) for row in await connection.execute(members.order_by(tasks.c.number).limit(MAX_MEMBERS))]


async def stored_bytes(connection: AsyncConnection) -> int:
    """The size of all artifacts of all keys."""
    return int((await connection.execute(select(func.coalesce(func.sum(artifacts.c.size), 0)))).scalar_one())


async def artifacts_of_all(connection: AsyncConnection, of: Sequence[Task]) -> dict[str, list[Artifact]]:
    """The artifacts of several tasks by the task's id, in the order in which they were stored."""
    query = select(artifacts.c.task_id, *ARTIFACT_COLUMNS).where(artifacts.c.task_id.in_([task.id for task in of]))
    found: dict[str, list[Artifact]] = defaultdict(list)
    for task_id, *values in await connection.execute(query.order_by(artifacts.c.id)):
        found[task_id].append(Artifact(*values))
    return found
