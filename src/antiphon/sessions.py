"""Sessions of the console: API key and expiry, signed into a cookie. The server stores nothing of them, so
that every machine knows them; the key's revocation ends them."""

import base64
import hmac
import secrets as randomness
from dataclasses import dataclass

from antiphon import secret as secrets
from antiphon.errors import Unauthorized

COOKIE = "antiphon_session"
LIFETIME_S = 7 * 24 * 3600
_PURPOSE = "sessions"
_VERSION = 1
_NONCE_BYTES = 16  # bytes: two sessions that begin in the same second differ
_ENDED = "the session has ended; sign in again"


@dataclass(frozen=True)
class Session:
    """``expires`` is Unix seconds; ``csrf`` is what every call that changes something must bring beside the cookie."""

    key_id: int
    expires: int
    csrf: str


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
    return token, Session(key_id, expires, _csrf(secret, token))


def read(secret: bytes, token: str, now: float) -> Session:
    """Read a cookie's value.

    Raises:
        Unauthorized: The cookie was not made by us, or its time is up.
    """
    payload = secrets.verified(secret, _PURPOSE, token)
    if payload is None or payload[0] != _VERSION:
        raise Unauthorized(_ENDED)
    session = Session(int.from_bytes(payload[6:14], "big"), int.from_bytes(payload[1:6], "big"), _csrf(secret, token))
    if now >= session.expires:
        raise Unauthorized(_ENDED)
    return session


def _csrf(secret: bytes, token: str) -> str:
    digest = hmac.digest(secrets.derive(secret, "csrf"), token.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:24]).decode()
