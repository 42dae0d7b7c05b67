"""Links to artifacts that need no API key: what they lead to and until when is signed into them."""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from antiphon.errors import Expired, NotFound
from antiphon.secret import derive

_VERSION = 1
_MAC = 16  # bytes of HMAC-SHA256 that are kept; RFC 2104 §5 asks for at least half
_HEAD = _MAC + 6  # then one byte of version and five of expiry
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Link:
    """The artifact's key in the storage, the name to save it under, and the expiry in Unix seconds."""

    key: str
    filename: str
    expires: int


def sign(secret: bytes, *, key: str, expires: int, filename: str) -> str:
    """Make a token of URL-safe characters. ``expires`` is Unix seconds; neither text may contain NUL."""
    if "\0" in key or "\0" in filename:
        raise ValueError("a key or file name contains NUL")
    payload = bytes([_VERSION]) + expires.to_bytes(5, "big") + f"{key}\0{filename}".encode()
    return base64.urlsafe_b64encode(_mac(secret, payload) + payload).rstrip(b"=").decode()


def read(secret: bytes, token: str, now: float) -> Link:
    """Read a token at the time ``now`` (Unix seconds).

    Raises ``NotFound`` when we did not make exactly this token, ``Expired`` with the date when its time is up."""
    raw = _decode(token)
    mac, payload = raw[:_MAC], raw[_MAC:]
    if len(raw) <= _HEAD or not hmac.compare_digest(mac, _mac(secret, payload)) or payload[0] != _VERSION:
        raise NotFound("this link is not valid: it was cut, changed or made by another server")
    key, _, filename = payload[6:].decode().partition("\0")
    link = Link(key, filename, int.from_bytes(payload[1:6], "big"))
    if now >= link.expires:
        date = datetime.fromtimestamp(link.expires, UTC)
        raise Expired(f"this link expired on {date:%Y-%m-%d at %H:%M} UTC; the task's record may have a newer one")
    return link


def _mac(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(derive(secret, "links"), payload, "sha256")[:_MAC]


def _decode(token: str) -> bytes:
    """Undo base64 strictly: the decoder would skip strange characters and ignore the last one's spare bits."""
    if not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
        return b""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == token.encode() else b""
