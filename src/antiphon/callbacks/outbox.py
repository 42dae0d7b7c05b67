"""The outbox: every query on deliveries and attempts. Times are the database's clock.

A delivery is claimed by moving ``due_at`` to the end of its lease: a sender that dies leaves a row that becomes due
again by itself, and one that lives records its attempt only while the lease is still its own.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.callbacks.retry_schedule import NextStep
from antiphon.errors import NotFound
from antiphon.outbound.guard import host_of

CHANNEL = "antiphon_callback"
TASK_CHANNEL = "antiphon_task"


@dataclass(frozen=True)
class ClaimedDelivery:
    """A claimed delivery. ``attempts`` counts those before this one; ``lease_until`` identifies the claim, and
    ``expired`` says that an earlier one had run out. Times are the database's clock, which all machines share."""

    id: int
    webhook_id: str
    task_id: str
    url: str
    host: str
    body: bytes
    attempts: int
    lease_until: datetime
    created_at: datetime
    claimed_at: datetime
    expired: bool


@dataclass(frozen=True)
class MadeAttempt:
    """What happened in one attempt. ``error`` is in words, None when it was acknowledged; ``answer`` is the start
    of the receiver's answer, as text. ``milliseconds`` is the whole; the phases and ``connection`` are as in
    ``timeline``. ``request_headers`` is a JSON object of what was sent, None when nothing was."""

    started_at: datetime
    milliseconds: float
    address: str | None = None
    status: int | None = None
    error: str | None = None
    answer: str | None = None
    resolve_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    connection: str | None = None
    request_headers: str | None = None


@dataclass(frozen=True)
class RecordedAttempt(MadeAttempt):
    """An attempt as it is shown: its number from 1 within its delivery."""

    delivery_id: int = 0
    number: int = 0


async def enqueue(connection: AsyncConnection, *, task_id: str, url: str, body: bytes) -> int:
    """Put a callback into the outbox, within the caller's transaction: it is sent if and only if that commits.

    ``body`` is sent as it is, byte for byte, on every attempt and resend.

    Returns:
        The delivery's id.
    """
    row = {"webhook_id": f"msg_{secrets.token_hex(16)}", "task_id": task_id, "url": url, "host": host_of(url)}
    return await _insert(connection, row | {"body": body})


async def resend(connection: AsyncConnection, task_id: str) -> int:
    """Send a task's callback again with the same identity and body.

    A callback that is still waiting for its next attempt is sent now instead, and one that is being sent is left
    alone, so that the receiver does not get two at once.

    Returns:
        The delivery's id.

    Raises:
        NotFound: The task never had a callback.
    """
    query = text(
        "SELECT id, webhook_id, task_id, url, host, body, state FROM deliveries"
        " WHERE task_id = :task_id ORDER BY id DESC LIMIT 1 FOR UPDATE"
    )
    last = (await connection.execute(query, {"task_id": task_id})).mappings().one_or_none()
    if last is None:
        raise NotFound(f"task {task_id} has no callback to send again: it was made without callBackUrl")
    if last["state"] != "pending":
        names = ("webhook_id", "task_id", "url", "host", "body")
        return await _insert(connection, {name: last[name] for name in names})
    hurry = text("UPDATE deliveries SET due_at = now() WHERE id = :id AND lease_until IS NULL")
    await connection.execute(hurry, {"id": last["id"]})
    await _notify(connection, CHANNEL, str(last["id"]))
    return int(last["id"])


async def _insert(connection: AsyncConnection, row: Mapping[str, Any]) -> int:
    query = text(
        "INSERT INTO deliveries (webhook_id, task_id, url, host, body)"
        " VALUES (:webhook_id, :task_id, :url, :host, :body) RETURNING id"
    )
    identity = int((await connection.execute(query, row)).scalar_one())
    await _notify(connection, CHANNEL, str(identity))
    return identity


# Each host that has something pending is found by one step through the index, however many rows it has.
_HOSTS = """
    hosts (host) AS (
        (SELECT host FROM deliveries WHERE state = 'pending' ORDER BY host LIMIT 1)
        UNION ALL
        SELECT (SELECT deliveries.host FROM deliveries WHERE state = 'pending' AND deliveries.host > hosts.host
                ORDER BY deliveries.host LIMIT 1)
        FROM hosts WHERE hosts.host IS NOT NULL
    )
"""
# A host's oldest rows first, each host no more than its free slots: a thousand rows of one dead host never hide
# another host's row. Rows that another sender is claiming are skipped.
_CLAIM = text(
    f"""
    WITH RECURSIVE {_HOSTS}, free AS (
        SELECT hosts.host, :per_host - coalesce(busy.number, 0) AS slots FROM hosts
        LEFT JOIN unnest(CAST(:busy_hosts AS text[]), CAST(:busy_numbers AS integer[])) AS busy (host, number)
        ON busy.host = hosts.host WHERE hosts.host IS NOT NULL
    ), due AS (
        SELECT found.* FROM free CROSS JOIN LATERAL (
            SELECT id, due_at, octet_length(body) AS size, lease_until IS NOT NULL AS expired FROM deliveries
            WHERE deliveries.host = free.host AND state = 'pending' AND due_at <= now()
            ORDER BY due_at, id LIMIT greatest(free.slots, 0) FOR UPDATE SKIP LOCKED
        ) AS found ORDER BY found.due_at, found.id LIMIT :limit
    ), chosen AS (
        SELECT id, expired, sum(size) OVER (ORDER BY due_at, id) - size AS before FROM due
    )
    UPDATE deliveries SET lease_until = now() + make_interval(secs => :lease),
                          due_at = now() + make_interval(secs => :lease)
    FROM chosen WHERE deliveries.id = chosen.id AND chosen.before < :size
    RETURNING deliveries.id, webhook_id, task_id, url, host, body, attempts, lease_until,
              created_at, clock_timestamp() AS claimed_at, chosen.expired
    """  # noqa: S608 (our own text)
)


async def claim(
    connection: AsyncConnection,
    *,
    limit: int,
    lease: float,
    per_host: int,
    busy: Mapping[str, int],
    size: int = 1 << 30,
) -> list[ClaimedDelivery]:
    """Claim due deliveries, the oldest first.

    Args:
        connection: The caller's transaction; the claim holds when it is committed.
        limit: The most deliveries.
        lease: Seconds for which they are claimed.
        per_host: The most deliveries of one host at a time.
        busy: How many of these are taken already, by host.
        size: Bytes of bodies after which no more are claimed.
    """
    bound: dict[str, Any] = {"limit": limit, "lease": lease, "per_host": per_host, "size": size}
    bound |= {"busy_hosts": list(busy), "busy_numbers": list(busy.values())}
    rows = (await connection.execute(_CLAIM, bound)).mappings().all()
    claimed = [ClaimedDelivery(**{**row, "body": bytes(row["body"])}) for row in rows]
    return sorted(claimed, key=lambda delivery: delivery.id)


_NEXT_DUE = text(
    f"""
    WITH RECURSIVE {_HOSTS}
    SELECT extract(epoch FROM min(first.due_at) - clock_timestamp()) FROM hosts CROSS JOIN LATERAL (
        SELECT due_at FROM deliveries WHERE deliveries.host = hosts.host AND state = 'pending' ORDER BY due_at LIMIT 1
    ) AS first WHERE hosts.host <> ALL(CAST(:full AS text[]))
    """  # noqa: S608 (our own text)
)


async def next_due(connection: AsyncConnection, full: Collection[str] = ()) -> float | None:
    """Seconds until the next delivery is due (0 when one is), leaving out hosts that are ``full``; None if none."""
    seconds = (await connection.execute(_NEXT_DUE, {"full": list(full)})).scalar_one()
    return None if seconds is None else max(0.0, float(seconds))


_ATTEMPT = {
    "delivery_id": "bigint",
    "number": "integer",
    "started_at": "timestamptz",
    "address": "text",
    "status": "integer",
    "milliseconds": "double precision",
    "resolve_ms": "double precision",
    "connect_ms": "double precision",
    "tls_ms": "double precision",
    "first_byte_ms": "double precision",
    "connection": "text",
    "error": "text",
    "answer": "text",
    "request_headers": "text",
}
_MADE = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _ATTEMPT.items())
# The join: its task may have been deleted meanwhile.
_WRITE_ATTEMPTS = text(
    f"INSERT INTO attempts ({', '.join(_ATTEMPT)})"  # noqa: S608 (our own names)
    f" SELECT made.* FROM unnest({_MADE}) AS made ({', '.join(_ATTEMPT)})"
    " JOIN deliveries ON deliveries.id = made.delivery_id"
)
_TAKE_STEPS = text(
    """
    UPDATE deliveries SET state = step.state, attempts = step.number, lease_until = NULL,
        due_at = now() + make_interval(secs => step.delay),
        finished_at = CASE WHEN step.state = 'pending' THEN NULL ELSE now() END
    FROM unnest(
        CAST(:id AS bigint[]), CAST(:number AS integer[]), CAST(:lease_until AS timestamptz[]),
        CAST(:state AS text[]), CAST(:delay AS double precision[])
    ) AS step (id, number, lease_until, state, delay)
    WHERE deliveries.id = step.id AND deliveries.state = 'pending'
        AND (deliveries.lease_until = step.lease_until OR step.state = 'delivered')
    RETURNING deliveries.id
    """
)
_STEP = ("id", "number", "lease_until", "state", "delay")


async def record(
    connection: AsyncConnection, results: Sequence[tuple[ClaimedDelivery, MadeAttempt, NextStep]]
) -> set[int]:
    """Store attempts and the next steps of their deliveries, in the caller's transaction.

    Returns:
        The ids of the deliveries that changed. The others' leases were lost in the meantime: such an attempt is kept
        for the owner to see, and only an acknowledgement still changes its delivery.
    """
    rows = [
        vars(attempt) | vars(step) | vars(delivery) | {"delivery_id": delivery.id, "number": delivery.attempts + 1}
        for delivery, attempt, step in results
    ]
    await connection.execute(_WRITE_ATTEMPTS, _columns(rows, _ATTEMPT))
    changed = await connection.execute(_TAKE_STEPS, _columns(rows, _STEP))
    ended = [delivery.task_id for delivery, _, step in results if step.state != "pending"]
    await connection.execute(
        text("SELECT pg_notify(:channel, task_id) FROM unnest(CAST(:ended AS text[])) AS ended (task_id)"),
        {"channel": TASK_CHANNEL, "ended": ended},
    )
    return {row.id for row in changed}


def _columns(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


_RELEASE = text(
    """
    UPDATE deliveries SET lease_until = NULL, due_at = now() + make_interval(secs => :delay)
    FROM unnest(CAST(:id AS bigint[]), CAST(:lease_until AS timestamptz[])) AS held (id, lease_until)
    WHERE deliveries.id = held.id AND state = 'pending' AND deliveries.lease_until = held.lease_until
    """
)


async def release(connection: AsyncConnection, claimed: Sequence[ClaimedDelivery], delay: float = 0.0) -> None:
    """Give claims back without counting an attempt; they are due again in ``delay`` seconds."""
    if not claimed:
        return
    bound = _columns([vars(delivery) for delivery in claimed], ("id", "lease_until"))
    await connection.execute(_RELEASE, {**bound, "delay": delay})
    await _notify(connection, CHANNEL, "")


async def attempts_of(connection: AsyncConnection, task_id: str) -> list[RecordedAttempt]:
    """Every attempt at a task's callback, over all its deliveries, oldest first."""
    query = text(
        """
        SELECT delivery_id, number, started_at, milliseconds, address, status, error, answer,
            resolve_ms, connect_ms, tls_ms, first_byte_ms, connection, request_headers
        FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE task_id = :task_id)
        ORDER BY started_at, attempts.id
        """
    )
    rows = (await connection.execute(query, {"task_id": task_id})).mappings()
    return [RecordedAttempt(**row) for row in rows]


async def states_of(connection: AsyncConnection, task_ids: Sequence[str]) -> dict[str, str]:
    """The state of each task's latest delivery: pending, delivered or stopped. Tasks without one are left out."""
    query = text(
        "SELECT DISTINCT ON (task_id) task_id, state FROM deliveries"
        " WHERE task_id = ANY(CAST(:ids AS text[])) ORDER BY task_id, id DESC"
    )
    return {row.task_id: row.state for row in await connection.execute(query, {"ids": list(task_ids)})}


async def _notify(connection: AsyncConnection, channel: str, payload: str) -> None:
    await connection.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})
