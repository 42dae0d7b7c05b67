"""All tasks of a key as a stream, so that a list of them stays true by itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import keys
from antiphon.api import openapi
from antiphon.api.auth import Caller, Shared
from antiphon.api.errors import Draining
from antiphon.api.rendering import task_item
from antiphon.api.streams import SILENCE, heard, stream
from antiphon.callbacks.ended_tasks import Cursor, horizon, parse_cursor
from antiphon.contract.events import READY
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import changes, store
from antiphon.tasks.model import Task

log = structlog.get_logger()
router = APIRouter(prefix="/tasks", tags=["tasks"])
TASK = "task"
TOGETHER = 0.1  # seconds in which changes come together, so that a busy server is asked ten times a second at most
REMEMBERED = 1000  # tasks of which a stream knows what it told last


@router.get("/events", response_class=StreamingResponse, responses=openapi.EVENTS)
async def all_events(
    request: Request,
    shared: Shared,
    key: Caller,
    resume: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=40, description="the id of the last event that came"),
    ] = None,
) -> StreamingResponse:
    """Every change of any task of this key, as events named ``task``. The first event is named ``ready``; then come
    the unfinished tasks, and after a break what has changed meanwhile. Some may come twice."""
    since = parse_cursor(resume, field="Last-Event-ID").completed_at if resume else None
    return stream(request, key, _events(shared, key, since, request.app.state.draining))


async def _events(services: Services, key: ApiKey, since: datetime | None, draining: Draining) -> AsyncIterator[str]:
    told: dict[str, str] = {}
    news = {""}
    try:
        async with services.notifications.subscribe(store.CHANNEL) as queue:
            while not draining.on:
                async with services.database.begin() as connection:
                    if not await keys.is_valid(connection, key.id):
                        return
                    until = await horizon(connection)
                    changed = await _look(connection, key, news, since or until)
                if since is None:
                    yield f"retry: 1000\nevent: {READY}\nid: {Cursor(until)}\ndata: {{}}\n\n"
                since = until
                for task in changed:
                    said = json.dumps(task_item(task).model_dump(mode="json"))  # ASCII: no line ends within
                    if told.get(task.id) != said:
                        yield f"event: {TASK}\nid: {Cursor(until)}\ndata: {said}\n\n"
                    told[task.id] = said
                if len(told) > REMEMBERED:
                    told.clear()
                news = await heard(queue, draining)
                if not news and not draining.on:
                    yield SILENCE
                await asyncio.sleep(TOGETHER)
                while not queue.empty():
                    news.add(queue.get_nowait())
    except SQLAlchemyError as error:  # the browser comes back and resumes
        log.warning("a stream of tasks broke off", key=key.id, error=str(error).partition("\n")[0])


async def _look(connection: AsyncConnection, key: ApiKey, news: set[str], since: datetime) -> list[Task]:
    if "" in news:
        return await changes.changed_since(connection, key.id, since)
    return await changes.tasks_of(connection, key.id, news) if news else []
