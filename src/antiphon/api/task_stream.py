"""SSE stream of all tasks of a key."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.api import openapi
from antiphon.api.auth import Caller
from antiphon.api.dependencies import App
from antiphon.api.rendering import task_item
from antiphon.api.streams import Turn
from antiphon.callbacks.ended_tasks import Cursor, horizon, parse_cursor
from antiphon.contract.events import READY
from antiphon.keys import ApiKey
from antiphon.tasks import changes

router = APIRouter(prefix="/tasks", tags=["tasks"])
TASK = "task"
GATHER_S = 0.1  # in which changes come together, so that a busy server is asked ten times a second at most
MAX_REMEMBERED = 1000  # tasks of which a stream knows what it sent last


@router.get("/events", response_class=StreamingResponse, responses=openapi.EVENTS)
async def all_events(
    app: App,
    key: Caller,
    resume: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=40, description="the id of the last event that came"),
    ] = None,
) -> StreamingResponse:
    """Every change of any task of this key, as events named ``task``. The first event is named ``ready``; then come
    the unfinished tasks, and after a break what has changed meanwhile. Some may come twice."""
    since = parse_cursor(resume, field="Last-Event-ID").completed_at if resume else None
    return app.streams.answer(key, Changes(key, since), gather=GATHER_S)


class Changes:
    """The look of the stream: tasks that have changed since ``since``, or since the first look."""

    def __init__(self, key: ApiKey, since: datetime | None) -> None:
        self._key = key
        self._since = since
        self._sent: dict[str, str] = {}

    async def __call__(self, connection: AsyncConnection, news: set[str]) -> Turn:
        until = await horizon(connection)
        events = [] if self._since else [f"retry: 1000\nevent: {READY}\nid: {Cursor(until)}\ndata: {{}}\n\n"]
        if news and "" not in news:
            changed = await changes.tasks_of(connection, self._key.id, news)
        else:
            changed = await changes.changed_since(connection, self._key.id, self._since or until)
        self._since = until
        for task in changed:
            data = json.dumps(task_item(task).model_dump(mode="json"))  # ASCII: no line ends within
            if self._sent.get(task.id) != data:
                events.append(f"event: {TASK}\nid: {Cursor(until)}\ndata: {data}\n\n")
            self._sent[task.id] = data
        if len(self._sent) > MAX_REMEMBERED:
            self._sent.clear()
        return Turn(events)
