"""What was announced, how it went, and once more."""

from fastapi import APIRouter

from antiphon.api.auth import Caller, Shared, Writer
from antiphon.api.rendering import milliseconds
from antiphon.api.submit import IdempotencyKey, find_owned, require_unexpired
from antiphon.api.tasks import PathTaskId
from antiphon.callbacks import outbox
from antiphon.callbacks.history import RecordedDelivery, deliveries_of
from antiphon.contract.envelope import Envelope
from antiphon.contract.kinds import CallbackState
from antiphon.contract.records import Attempt, Deliveries, Delivery, Phases
from antiphon.errors import Conflict
from antiphon.tasks import idempotency, store

router = APIRouter(prefix="/tasks", tags=["callbacks"])


@router.get("/{taskId}/callbacks")
async def attempts(shared: Shared, key: Caller, taskId: PathTaskId) -> Envelope[Deliveries]:
    """Every attempt to deliver the task's callback, oldest first."""
    async with shared.database.begin() as connection:
        task = await find_owned(connection, key, taskId)
        deliveries = await deliveries_of(connection, task.id)
    return Envelope(data=Deliveries(deliveries=[_delivery(delivery) for delivery in deliveries]))


@router.post("/{taskId}/callbacks/resend")
async def resend(
    shared: Shared, key: Writer, taskId: PathTaskId, idempotency_key: IdempotencyKey = None
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
    return Envelope(data=Deliveries(deliveries=[_delivery(delivery) for delivery in deliveries]))


def _delivery(delivery: RecordedDelivery) -> Delivery:
    return Delivery(
        webhookId=delivery.webhook_id,
        url=delivery.url,
        state=CallbackState(delivery.state),
        createTime=milliseconds(delivery.created_at) or 0,
        nextAttemptTime=milliseconds(delivery.due_at) if delivery.state == CallbackState.PENDING else None,
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
