"""A key's callbacks as a stream, for developers whose receiver has no public address."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import keys
from antiphon.api import openapi
from antiphon.api.auth import Caller, Shared
from antiphon.api.errors import Draining
from antiphon.api.streams import KEEP_ALIVE, SILENCE, heard, stream
from antiphon.callbacks.ended_tasks import Announced, Cursor, ended_after, horizon, parse_cursor
from antiphon.callbacks.exchange import HEADERS
from antiphon.contract import signatures
from antiphon.contract.events import CALLBACK, READY, CallbackEvent
from antiphon.contract.moments import parse_moment
from antiphon.keys import ApiKey
from antiphon.services import Services
from antiphon.tasks import store
from antiphon.tasks.run import callback_body

log = structlog.get_logger()
router = APIRouter(prefix="/callbacks", tags=["callbacks"])
BATCH = 20
HELD = 0.1  # seconds until a task that ended just now is looked at again


@router.get("/events", response_class=StreamingResponse, responses=openapi.CALLBACK_EVENTS)
async def events(
    request: Request,
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
    return stream(request, key, _stream(shared, key, start, request.app.state.draining))


async def _stream(services: Services, key: ApiKey, cursor: Cursor, draining: Draining) -> AsyncIterator[str]:
    yield f"event: {READY}\nid: {cursor}\ndata: {{}}\n\n"
    try:
        async with services.notifications.subscribe(store.CHANNEL) as news:
            while not draining.on:
                callbacks, pause = await _look(services, key, cursor)
                for cursor, callback in callbacks:
                    data = json.dumps(callback.model_dump(), separators=(",", ":"))  # ASCII: no line ends within
                    yield f"event: {CALLBACK}\nid: {cursor}\ndata: {data}\n\n"
                if pause is None:
                    return
                if not await _waited(news, pause, draining):
                    yield SILENCE
    except SQLAlchemyError as error:  # the listener comes back and resumes
        log.warning("a stream of callbacks broke off", key=key.id, error=str(error).partition("\n")[0])


async def _look(
    services: Services, key: ApiKey, cursor: Cursor
) -> tuple[list[tuple[Cursor, CallbackEvent]], float | None]:
    """What has come, and the seconds to wait for more; None when the key has been revoked."""
    async with services.database.begin() as connection:
        if not await keys.is_valid(connection, key.id):
            return [], None
        limit = await horizon(connection)
        ended = await ended_after(connection, key.id, cursor, BATCH)
        seen = [one for one in ended if one.cursor.completed_at < limit]
        sign = await _signer(connection, services)
        callbacks = [(one.cursor, sign(one, await _body(connection, services, one))) for one in seen]
    if len(seen) < len(ended):
        return callbacks, HELD
    return callbacks, 0.0 if len(ended) == BATCH else KEEP_ALIVE


async def _signer(connection: AsyncConnection, services: Services) -> Callable[[Announced, bytes], CallbackEvent]:
    webhook_keys = await keys.current_webhook_keys(connection, services.secret)
    timestamp = int((await connection.execute(select(func.now()))).scalar_one().timestamp())

    def sign(ended: Announced, body: bytes) -> CallbackEvent:
        webhook_id = ended.webhook_id or f"msg_{ended.task_id}"
        signed = signatures.headers(
            webhook_keys, task_id=ended.task_id, webhook_id=webhook_id, body=body, timestamp=timestamp
        )
        return CallbackEvent(taskId=ended.task_id, headers={**HEADERS, **signed}, body=body.decode())

    return sign


async def _body(connection: AsyncConnection, services: Services, ended: Announced) -> bytes:
    """What the callback says: frozen for a task that had a callBackUrl, else made now."""
    if ended.body is not None:
        return ended.body
    task = await store.find(connection, ended.task_id)
    assert task is not None
    said = await callback_body(connection, services, task)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


async def _waited(news: asyncio.Queue[str], seconds: float, draining: Draining) -> bool:
    """Wait until something may have happened; false when nothing did within a whole keep-alive."""
    if seconds < KEEP_ALIVE:
        await asyncio.sleep(seconds)
        return True
    return bool(await heard(news, draining)) or draining.on
