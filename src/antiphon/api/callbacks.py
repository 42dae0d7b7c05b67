"""Endpoints of a task's callbacks: deliveries with their attempts, bodies, resend."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Response

from antiphon.api import openapi
from antiphon.api.auth import Caller, WriterKey
from antiphon.api.dependencies import Shared
from antiphon.api.files import disposition
from antiphon.api.submit import IdempotencyKey, find_owned, require_unexpired
from antiphon.api.tasks import PathTaskId
from antiphon.callbacks import outbox
from antiphon.callbacks.history import RecordedDelivery, body_of, deliveries_of
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import CallbackState
from antiphon.contract.moments import milliseconds
from antiphon.contract.records import Attempt, Deliveries, DeliveryItem, Phases
from antiphon.errors import Conflict, NotFound
from antiphon.tasks import idempotency, store

router = APIRouter(prefix="/tasks", tags=["callbacks"])


@router.get("/{taskId}/callbacks")
async def attempts(shared: Shared, key: Caller, taskId: PathTaskId) -> Envelope[Deliveries]:
    """Every attempt to deliver the task's callback, oldest first."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        deliveries = await deliveries_of(connection, task.id)
    return Envelope(data=Deliveries(deliveries=_shown(deliveries)))


@router.get("/{taskId}/callbacks/{number}/body", response_class=Response, responses=openapi.CALLBACK_BODY)
async def body(
    shared: Shared,
    key: Caller,
    taskId: PathTaskId,
    number: Annotated[int, Path(ge=1, le=100_000, description="of the delivery, from 1")],
) -> Response:
    """The whole body of a delivery, byte for byte as it is sent."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        content = await body_of(connection, task.id, number)
    if content is None:
        raise NotFound(f"number: task {task.id} has no delivery {number}; GET …/callbacks lists them")
    name = disposition("attachment", f"callback-{task.id}-{number}.json")
    return Response(content, media_type="application/json", headers={"Content-Disposition": name})


@router.post("/{taskId}/callbacks/resend")
async def resend(
    shared: Shared, key: WriterKey, taskId: PathTaskId, idempotency_key: IdempotencyKey = None
) -> Envelope[Deliveries]:
    """Deliver the callback again: same ``webhook-id``, same body, a new signature."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        require_unexpired(task)
        if not await deliveries_of(connection, task.id):
            reason = "it has no callBackUrl" if not task.callback_url else f"it is {task.state}"
            raise Conflict(f"taskId: task {task.id} has no callback to send again: {reason}; poll its record")
        repeated = await idempotency.take(connection, key.id, idempotency_key, f"resend {task.id}".encode())
        if not repeated:
            await outbox.resend(connection, task.id)
            await store.notify(connection, task.id)
            await idempotency.remember(connection, key.id, idempotency_key, task.id)
        deliveries = await deliveries_of(connection, task.id)
    return Envelope(data=Deliveries(deliveries=_shown(deliveries)))


def _shown(deliveries: list[RecordedDelivery]) -> list[DeliveryItem]:
    return [_delivery(number, delivery) for number, delivery in enumerate(deliveries, start=1)]


def _delivery(number: int, delivery: RecordedDelivery) -> DeliveryItem:
    complete = delivery.size == len(delivery.body)
    return DeliveryItem(
        number=number,
        webhookId=delivery.webhook_id,
        url=delivery.url,
        state=CallbackState(delivery.state),
        createTime=milliseconds(delivery.created_at) or 0,
        nextAttemptTime=milliseconds(delivery.due_at) if delivery.state == CallbackState.PENDING else None,
        body=delivery.body.decode("utf-8", "replace" if complete else "ignore"),  # it may be cut within a character
        bodySize=delivery.size,
        bodyComplete=complete,
        attempts=[
            Attempt(
                number=attempt.number,
                time=milliseconds(attempt.started_at) or 0,
                address=attempt.address,
                status=attempt.status,
                milliseconds=round(attempt.milliseconds, 1),
                phases=phases(
                    attempt.milliseconds,
                    resolve=attempt.resolve_ms,
                    connect=attempt.connect_ms,
                    tls=attempt.tls_ms,
                    first_byte=attempt.first_byte_ms,
                ),
                connection=attempt.connection,
                error=attempt.error,
                answer=attempt.answer,
                requestHeaders=json.loads(attempt.request_headers) if attempt.request_headers else None,
            )
            for attempt in delivery.attempts
        ],
    )


def phases(
    total: float, *, resolve: float | None, connect: float | None, tls: float | None, first_byte: float | None
) -> Phases:
    """The steps of an attempt, in milliseconds with one decimal."""
    return Phases(
        resolve=_rounded(resolve),
        connect=_rounded(connect),
        tls=_rounded(tls),
        firstByte=_rounded(first_byte),
        total=round(total, 1),
    )


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
