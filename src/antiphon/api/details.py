"""Endpoints of one task: its details, and the song that it belongs to with everything made of it."""

from fastapi import APIRouter

from antiphon.api.auth import Caller
from antiphon.api.dependencies import Shared
from antiphon.api.rendering import task_detail
from antiphon.api.submit import find_owned, require_unexpired
from antiphon.api.tasks import PathTaskId
from antiphon.contract.envelope import Envelope
from antiphon.contract.records import TaskDetail, TaskFamily
from antiphon.tasks.family import artifacts_of_all, family_of

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.get("/{taskId}")
async def detail(shared: Shared, key: Caller, taskId: PathTaskId) -> Envelope[TaskDetail]:
    """A task of any kind: what was asked for, what became of it, and its files with links."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        require_unexpired(task)
        made = await artifacts_of_all(connection, [task])
    return Envelope(data=task_detail(shared, task, made[task.id]))


@router.get("/{taskId}/family")
async def family(shared: Shared, key: Caller, taskId: PathTaskId) -> Envelope[TaskFamily]:
    """The upload that a task goes back to, and everything made of it; oldest first."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        require_unexpired(task)
        tasks = await family_of(connection, task)
        made = await artifacts_of_all(connection, tasks)
    return Envelope(data=TaskFamily(tasks=[task_detail(shared, member, made[member.id]) for member in tasks]))
