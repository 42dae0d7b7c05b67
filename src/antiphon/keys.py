"""API keys (only their digests are kept) and webhook keys (sealed with the server's secret)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon.contract.signatures import new_key
from antiphon.database.schema import api_keys, server_state, webhook_keys
from antiphon.errors import Conflict, NotFound, SettingsError
from antiphon.secret import seal, unseal

ROTATION_OVERLAP = timedelta(hours=24)
PREFIX = "ak_"


@dataclass(frozen=True)
class ApiKey:
    id: int
    name: str
    created_at: datetime
    revoked_at: datetime | None
    admin: bool


_columns = (api_keys.c.id, api_keys.c.name, api_keys.c.created_at, api_keys.c.revoked_at, api_keys.c.admin)
_valid = api_keys.c.revoked_at.is_(None)
_signing = webhook_keys.c.expires_at.is_(None) | (webhook_keys.c.expires_at > func.now())


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def create_api_key(connection: AsyncConnection, name: str, *, admin: bool = False) -> tuple[str, ApiKey]:
    """Make an API key.

    Returns:
        The key, which is told this once since only its digest is kept; and its record.
    """
    key = PREFIX + secrets.token_urlsafe(32)
    made = insert(api_keys).values(name=name, digest=digest(key), admin=admin).returning(*_columns)
    return key, ApiKey(*(await connection.execute(made)).one())


async def find_api_key(connection: AsyncConnection, key: str) -> ApiKey | None:
    """The record of a key that came; None for one that is unknown or revoked."""
    return await _one(connection, api_keys.c.digest == digest(key))


async def find_api_key_by_id(connection: AsyncConnection, key_id: int) -> ApiKey | None:
    """The record of a key by its id, which a session knows; None for one that is unknown or revoked."""
    return await _one(connection, api_keys.c.id == key_id)


async def _one(connection: AsyncConnection, condition: ColumnElement[bool]) -> ApiKey | None:
    row = (await connection.execute(select(*_columns).where(condition, _valid))).one_or_none()
    return ApiKey(*row) if row else None


async def list_api_keys(connection: AsyncConnection) -> list[ApiKey]:
    return [ApiKey(*row) for row in await connection.execute(select(*_columns).order_by(api_keys.c.id))]


async def is_valid(connection: AsyncConnection, key_id: int) -> bool:
    """Whether this key has not been revoked."""
    query = select(api_keys.c.id).where(api_keys.c.id == key_id, _valid)
    return (await connection.execute(query)).one_or_none() is not None


async def revoke_api_key(connection: AsyncConnection, key_id: int, *, keep_an_admin: bool = False) -> ApiKey:
    """End a key.

    Args:
        keep_an_admin: Refuse to end the last admin's key.

    Raises:
        NotFound: It is not valid anyway.
        Conflict: Nobody would be left who may make another key.
    """
    if keep_an_admin:
        admins = select(api_keys.c.id).where(api_keys.c.admin, _valid).order_by(api_keys.c.id).with_for_update()
        if list((await connection.execute(admins)).scalars()) == [key_id]:
            raise Conflict(
                f"id: key {key_id} is the last admin; make another admin first, "
                f"or revoke it on the server with 'antiphon keys revoke {key_id}'"
            )
    ended = update(api_keys).where(api_keys.c.id == key_id, _valid).values(revoked_at=func.now()).returning(*_columns)
    row = (await connection.execute(ended)).one_or_none()
    if row is None:
        raise NotFound(f"there is no API key {key_id} that could be revoked; 'antiphon keys list' shows them")
    return ApiKey(*row)


async def allow_call(connection: AsyncConnection, api_key_id: int, *, limit: int, period: float) -> float | None:
    """Count a call of this key in a sliding window.

    Args:
        limit: Calls that a window may have.
        period: Length of the window in seconds.

    Returns:
        None if the call may go on, else the seconds to wait; it is not counted then.
    """
    window = func.now() - timedelta(seconds=period)
    row = (
        await connection.execute(
            select(api_keys.c.recent_calls, func.now().label("now"), window.label("window"))
            .where(api_keys.c.id == api_key_id)
            .with_for_update()
        )
    ).one()
    calls = [moment for moment in row.recent_calls if moment > row.window]
    if len(calls) >= limit:
        return max(0.0, float((calls[-limit] - row.window).total_seconds()))
    await connection.execute(update(api_keys).where(api_keys.c.id == api_key_id).values(recent_calls=[*calls, row.now]))
    return None


async def current_webhook_keys(connection: AsyncConnection, secret: bytes) -> list[str]:
    """The keys that sign now, the newest first; more than one while a key is being rotated."""
    rows = await connection.execute(select(webhook_keys.c.sealed).where(_signing).order_by(webhook_keys.c.id.desc()))
    return [unseal(secret, row.sealed).decode() for row in rows]


@dataclass(frozen=True)
class WebhookKey:
    """A webhook key without its secret. ``expires_at`` is None for the one that signs first."""

    id: int
    created_at: datetime
    expires_at: datetime | None


async def list_webhook_keys(connection: AsyncConnection) -> list[WebhookKey]:
    """The keys that sign now, the newest first."""
    columns = (webhook_keys.c.id, webhook_keys.c.created_at, webhook_keys.c.expires_at)
    query = select(*columns).where(_signing).order_by(webhook_keys.c.id.desc())
    return [WebhookKey(*row) for row in await connection.execute(query)]


async def rotate_webhook_key(connection: AsyncConnection, secret: bytes, key: str | None = None) -> str:
    """Make a new key, or take ``key``; the old one goes on signing beside it for a day."""
    key = key or new_key()
    await connection.execute(
        update(webhook_keys).where(webhook_keys.c.expires_at.is_(None)).values(expires_at=func.now() + ROTATION_OVERLAP)
    )
    await connection.execute(insert(webhook_keys).values(sealed=seal(secret, key.encode())))
    return key


@dataclass(frozen=True)
class FirstKeys:
    """Keys that the first start made, to be shown once."""

    api_key: str
    webhook_key: str

    def __str__(self) -> str:
        return (
            "\nThe first keys, shown this once:\n"
            f"  API key      {self.api_key}\n"
            f"  webhook key  {self.webhook_key}\n"
            "Send the API key as 'Authorization: Bearer …'; verify callbacks with the webhook key.\n"
        )


async def prepare(connection: AsyncConnection, secret: bytes) -> FirstKeys | None:
    """Make the first keys in a new database.

    Raises:
        SettingsError: The database knows another secret.
    """
    check = hmac.digest(secret, b"antiphon.secret-check", "sha256")
    known = (await connection.execute(select(server_state.c.secret_check).with_for_update())).scalar_one()
    if known is not None and not hmac.compare_digest(known, check):
        raise SettingsError(
            "ANTIPHON_SECRET differs from the one this database was set up with; "
            "give all machines the same ANTIPHON_SECRET, or copy the file 'secret' from the first machine's data folder"
        )
    if known is not None:
        return None
    await connection.execute(update(server_state).values(secret_check=check))
    first, _ = await create_api_key(connection, "first", admin=True)
    return FirstKeys(first, await rotate_webhook_key(connection, secret))
