"""Sessions of the console: API key and expiry, signed into a cookie, so that every machine knows them. The server
stores those alone that were signed out before their time; the key's revocation ends them, too."""

import base64
import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from antiphon import secret as secrets
from antiphon.database.schema import ended_sessions
from antiphon.errors import Unauthorized

COOKIE = "antiphon_session"
LIFETIME_S = 7 * 24 * 3600
_PURPOSE = "sessions"
_VERSION = 1
_NONCE_BYTES = 16  # bytes: two sessions that begin in the same second differ
_ENDED = "the session has ended; sign in again"


@dataclass(frozen=True)
class Session:
    """``expires`` is Unix seconds; ``csrf`` is what every call that changes something must bring beside the cookie;
    ``digest`` is what the server knows it by when it has ended."""

    key_id: int
    expires: int
    csrf: str
    digest: bytes


def issue(secret: bytes, *, key_id: int, now: float) -> tuple[str, Session]:
    """Begin a session of an API key.

    Args:
        key_id: The key's id.
        now: Unix seconds.

    Returns:
        The cookie's value, and the session that it holds.
    """
    expires = int(now) + LIFETIME_S
    payload = bytes([_VERSION]) + expires.to_bytes(5, "big") + key_id.to_bytes(8, "big")
    token = secrets.sign(secret, _PURPOSE, payload + randomness.token_bytes(_NONCE_BYTES))
    return token, Session(key_id, expires, _csrf(secret, token), _digest(token))


def read(secret: bytes, token: str, now: float) -> Session:
    """Read a cookie's value.

    Raises:
        Unauthorized: The cookie was not made by us, or its time is up.
    """
    payload = secrets.verified(secret, _PURPOSE, token)
    if payload is None or payload[0] != _VERSION:
        raise Unauthorized(_ENDED)
    key_id, expires = int.from_bytes(payload[6:14], "big"), int.from_bytes(payload[1:6], "big")
    session = Session(key_id, expires, _csrf(secret, token), _digest(token))
    if now >= session.expires:
        raise Unauthorized(_ENDED)
    return session


async def check(connection: AsyncConnection, session: Session) -> None:
    """Raise ``Unauthorized`` when somebody has signed this session out."""
    query = select(ended_sessions.c.digest).where(ended_sessions.c.digest == session.digest)
    if (await connection.execute(query)).one_or_none() is not None:
        raise Unauthorized(_ENDED)


async def end(connection: AsyncConnection, session: Session) -> None:
    """Sign a session out, whoever else has its cookie. Those that have ended by themselves meanwhile are forgotten."""
    await connection.execute(delete(ended_sessions).where(ended_sessions.c.expires_at < func.now()))
    row = {"digest": session.digest, "expires_at": func.to_timestamp(session.expires)}
    await connection.execute(insert(ended_sessions).values(row).on_conflict_do_nothing())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _csrf(secret: bytes, token: str) -> str:
    digest = hmac.digest(secrets.derive(secret, "csrf"), token.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:24]).decode()
