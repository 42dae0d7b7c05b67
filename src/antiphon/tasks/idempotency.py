"""Idempotency keys: the same key and body within a day gives the same task."""

import hashlib
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.requests import CONTROL
from antiphon.database.schema import idempotency_keys
from antiphon.errors import BadParameter, Conflict

RETENTION = timedelta(hours=24)
MAX_KEY_CHARS = 255


async def recall(connection: AsyncConnection, api_key_id: int, key: str | None, body: bytes) -> str | None:
    """The task that the same request made before; None if it is new.

    Raises:
        Conflict: That request had another body.
    """
    if key is None:
        return None
    _check(key)
    columns = (idempotency_keys.c.request_digest, idempotency_keys.c.task_id)
    query = select(*columns).filter_by(api_key_id=api_key_id, key=key)
    recent = idempotency_keys.c.created_at >= func.now() - RETENTION
    known = (await connection.execute(query.where(recent))).one_or_none()
    if known is None:
        return None
    if known.request_digest != _digest(body):
        raise Conflict("Idempotency-Key: it came with another body before; use a new key for a new request")
    return str(known.task_id)


async def take(connection: AsyncConnection, api_key_id: int, key: str | None, body: bytes) -> str | None:
    """The task that the same request made before; None if the key is new, which is taken by this transaction then.

    The same request in another transaction waits for the end of this one.

    Raises:
        BadParameter: The key is empty, too long, or has control characters.
        Conflict: That request had another body.
    """
    if key is None:
        return None
    _check(key)
    row = {"api_key_id": api_key_id, "key": key}
    digest = _digest(body)
    renewed = (
        insert(idempotency_keys)
        .values(**row, request_digest=digest)
        .on_conflict_do_update(
            index_elements=list(row),
            set_={"request_digest": digest, "created_at": func.now(), "task_id": None},
            where=idempotency_keys.c.created_at < func.now() - RETENTION,
        )
        .returning(idempotency_keys.c.key)
    )
    if (await connection.execute(renewed)).one_or_none() is not None:
        return None
    return await recall(connection, api_key_id, key, body)


async def remember(connection: AsyncConnection, api_key_id: int, key: str | None, task_id: str) -> None:
    """Say which task the taken key made."""
    if key is not None:
        mine = update(idempotency_keys).filter_by(api_key_id=api_key_id, key=key)
        await connection.execute(mine.values(task_id=task_id))


async def forget_old_keys(connection: AsyncConnection) -> None:
    await connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < func.now() - RETENTION))


def _check(key: str) -> None:
    if not key or len(key) > MAX_KEY_CHARS or CONTROL.search(key):
        raise BadParameter(f"Idempotency-Key: expected 1 to {MAX_KEY_CHARS} printable characters; send a UUID, say")


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()
