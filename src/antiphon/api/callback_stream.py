"""SSE stream of a key's callbacks, for developers whose receiver has no public address."""

import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import keys
from antiphon.api import openapi
from antiphon.api.auth import Caller
from antiphon.api.dependencies import App, Shared
from antiphon.api.streams import Turn
from antiphon.callbacks.ended_tasks import Cursor, EndedTask, ended_after, horizon, parse_cursor
from antiphon.callbacks.exchange import HEADERS
from antiphon.contract import signatures
from antiphon.contract.events import CALLBACK, READY, CallbackEvent
from antiphon.contract.moments import parse_moment
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.run import callback_body

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
MAX_BATCH = 20
UNSETTLED_PAUSE_S = 0.1  # until a task that ended just now, before which others may still come, is looked at again


@router.get("/events", response_class=StreamingResponse, responses=openapi.CALLBACK_EVENTS)
async def events(
    app: App,
    shared: Shared,
    key: Caller,
    since: Annotated[
        str | None,
        Query(max_length=40, description="from when on: 90s, 30m, 2h, 3d (ago) or 2026-01-31T18:00Z; else from now on"),
    ] = None,
    resume: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=40, description="the id of the last event that came"),
    ] = None,
) -> StreamingResponse:
    """The callbacks of all tasks of this key that end, with or without callBackUrl, each ready to be posted to a local
    receiver: ``antiphon listen`` does that. Every event is named ``callback`` and has an id to resume after; the first
    is named ``ready`` and has only an id."""
    async with shared.database.begin() as connection:
        start = Cursor(await horizon(connection))
    if resume:
        start = parse_cursor(resume, field="Last-Event-ID")
    elif since:
        start = Cursor(parse_moment(since, await shared.database.now(), field="since"))
    return app.streams.answer(key, EndedTasks(shared, key, start))


class EndedTasks:
    """The look of the stream: callbacks of the tasks that ended behind ``cursor``."""

    def __init__(self, services: Services, key: ApiKey, cursor: Cursor) -> None:
        self._services = services
        self._key = key
        self._cursor = cursor
        self._is_first = True

    async def __call__(self, connection: AsyncConnection, news: set[str]) -> Turn:
        limit = await horizon(connection)
        ended = await ended_after(connection, self._key.id, self._cursor, MAX_BATCH)
        settled = [task for task in ended if task.cursor.completed_at < limit]
        events = [f"event: {READY}\nid: {self._cursor}\ndata: {{}}\n\n"] if self._is_first else []
        self._is_first = False
        sign = await _signer(connection, self._services)
        for task in settled:
            callback = sign(task, await _body(connection, self._services, task))
            data = json.dumps(callback.model_dump(), separators=(",", ":"))  # ASCII: no line ends within
            events.append(f"event: {CALLBACK}\nid: {task.cursor}\ndata: {data}\n\n")
            self._cursor = task.cursor
        if len(settled) < len(ended):
            return Turn(events, pause=UNSETTLED_PAUSE_S)
        return Turn(events, pause=0 if len(ended) == MAX_BATCH else None)


async def _signer(connection: AsyncConnection, services: Services) -> Callable[[EndedTask, bytes], CallbackEvent]:
    webhook_keys = await keys.current_webhook_keys(connection, services.secret)
    timestamp = int((await connection.execute(select(func.now()))).scalar_one().timestamp())

    def sign(ended: EndedTask, body: bytes) -> CallbackEvent:
        webhook_id = ended.webhook_id or f"msg_{ended.task_id}"
        signed = signatures.headers(
            webhook_keys, task_id=ended.task_id, webhook_id=webhook_id, body=body, timestamp=timestamp
        )
        return CallbackEvent(taskId=ended.task_id, headers={**HEADERS, **signed}, body=body.decode())

    return sign


async def _body(connection: AsyncConnection, services: Services, ended: EndedTask) -> bytes:
    """Body of a task's callback: as it was stored for a task that had a callBackUrl, else made now."""
    if ended.body is not None:
        return ended.body
    task = await store.find(connection, ended.task_id)
    assert task is not None
    said = await callback_body(connection, services, task)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
