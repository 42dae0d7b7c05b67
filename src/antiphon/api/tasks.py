"""Endpoints of all tasks: list, watch, cancel."""

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller, Canceller
from antiphon.api.dependencies import App, Shared
from antiphon.api.rendering import task_item
from antiphon.api.streams import Turn
from antiphon.api.submit import find_owned, require_unexpired
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import CallbackState, Kind, State
from antiphon.contract.records import TaskItem, TaskPage
from antiphon.contract.requests import TaskId
from antiphon.errors import NotFound
from antiphon.keys import ApiKey
from antiphon.tasks import store
from antiphon.tasks.model import Task

router = APIRouter(prefix="/tasks", tags=["tasks"])

QueryTaskId = Annotated[TaskId, Query(description="as the call that made the task answered it")]
PathTaskId = Annotated[TaskId, Path()]
CANCEL_TIMEOUT_S = 3.0  # to wait for a worker to stop


async def find_record(connection: AsyncConnection, key: ApiKey, task_id: str, kind: Kind) -> Task:
    """The task whose record is asked for. Raises 404 (also for another kind) and 410."""
    task = await find_owned(connection, key, task_id)
    if task.kind is not kind:
        raise NotFound(
            f"taskId: task {task.id} is of the kind '{task.kind}', and this is the record of the kind '{kind}'; "
            f"ask the record of '{task.kind}' instead"
        )
    require_unexpired(task)
    return task


def advise_polling(response: Response, task: Task, seconds: int) -> None:
    if not task.state.ended:
        response.headers["Retry-After"] = str(seconds)


@router.get("")
async def page(
    shared: Shared,
    key: Caller,
    kind: Kind | None = None,
    state: State | None = None,
    search: Annotated[str | None, Query(max_length=200, description="looks into titles and ids")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="'nextCursor' of the page before")] = None,
) -> Envelope[TaskPage]:
    """This key's tasks, newest first."""
    async with shared.database.begin() as connection:
        found = await store.page(
            connection,
            key.id,
            limit=limit + 1,
            before=int(cursor) if cursor else None,
            kind=kind,
            state=state,
            search=search.replace("\x00", "") if search else None,
        )
    more = len(found) > limit
    return Envelope(
        data=TaskPage(
            tasks=[task_item(task) for task in found[:limit]],
            nextCursor=str(found[limit - 1].number) if more else None,
        )
    )


@router.post("/{taskId}/cancel")
async def cancel(shared: Shared, key: Canceller, taskId: PathTaskId) -> Envelope[TaskItem]:
    """Cancel a queued or running task. An ended one stays as it is; a cancelled one sends no callback."""
    async with shared.notifications.subscribe(store.CHANNEL) as events:
        async with shared.database.begin() as connection:
            task = await find_owned(connection, key, taskId)
            await store.cancel(connection, task.id, retention=shared.retention)
        deadline = asyncio.get_running_loop().time() + CANCEL_TIMEOUT_S
        while True:
            async with shared.database.begin() as connection:
                task = await find_owned(connection, key, taskId)
            left = deadline - asyncio.get_running_loop().time()
            if task.state.ended or left <= 0 or not await _heard(events, task.id, left):
                return Envelope(data=task_item(task))


async def _heard(events: asyncio.Queue[str], task_id: str, patience: float) -> bool:
    """Wait for news of a task; an empty payload means that some may have been missed."""
    try:
        async with asyncio.timeout(patience):
            while await events.get() not in (task_id, ""):
                pass
    except TimeoutError:
        return False
    return True


@router.get("/{taskId}/events", response_class=StreamingResponse, responses=openapi.EVENTS)
async def watch(app: App, shared: Shared, key: Caller, taskId: PathTaskId) -> StreamingResponse:
    """State, stage and progress as server-sent events named ``task``, until the task has ended and its callback has
    been delivered or given up. The stream ends as well when the server goes down: then connect again."""
    async with shared.database.begin() as connection:
        await find_owned(connection, key, taskId)
    return app.streams.answer(key, TaskProgress(key, taskId), task_id=taskId)


class TaskProgress:
    """The look of a task's stream: its state whenever that is another than the one sent last."""

    def __init__(self, key: ApiKey, task_id: str) -> None:
        self._key = key
        self._task_id = task_id
        self._sent = ""

    async def __call__(self, connection: AsyncConnection, news: set[str]) -> Turn:
        task = await store.find(connection, self._task_id, self._key.id)
        if task is None:  # forgotten since
            return Turn(last=True)
        data = json.dumps(task_item(task).model_dump(mode="json"), ensure_ascii=False)
        events = [f"event: task\ndata: {data}\n\n"] if data != self._sent else []
        self._sent = data
        return Turn(events, last=task.state.ended and task.callback_state is not CallbackState.PENDING)
