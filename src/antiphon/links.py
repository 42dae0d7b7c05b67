"""Signed links to artifacts, which need no API key: target and expiry are in the link."""

from dataclasses import dataclass
from datetime import UTC, datetime

from antiphon import secret as secrets
from antiphon.errors import Expired, NotFound

_PURPOSE = "links"
_VERSION = 1
_HEAD_BYTES = 6  # one byte of version and five of expiry


@dataclass(frozen=True)
class Link:
    """The artifact's key in the storage, the name to save it under, and the expiry in Unix seconds."""

    key: str
    filename: str
    expires: int


def sign(secret: bytes, *, key: str, expires: int, filename: str) -> str:
    """Token of URL-safe characters that leads to an artifact.

    Args:
        key: The artifact's key in the storage.
        expires: Unix seconds.
        filename: The name to save it under.

    Raises:
        ValueError: A text contains NUL.
    """
    if "\0" in key or "\0" in filename:
        raise ValueError("a key or file name contains NUL")
    payload = bytes([_VERSION]) + expires.to_bytes(5, "big") + f"{key}\0{filename}".encode()
    return secrets.sign(secret, _PURPOSE, payload)


def read(secret: bytes, token: str, now: float) -> Link:
    """What a token leads to.

    Args:
        now: Unix seconds.

    Raises:
        NotFound: We did not make exactly this token.
        Expired: Its time is up; the message has the date.
    """
    payload = secrets.verified(secret, _PURPOSE, token)
    if payload is None or payload[0] != _VERSION:
        raise NotFound("this link is not valid: it was cut, changed or made by another server")
    key, _, filename = payload[_HEAD_BYTES:].decode().partition("\0")
    link = Link(key, filename, int.from_bytes(payload[1:_HEAD_BYTES], "big"))
    if now >= link.expires:
        date = datetime.fromtimestamp(link.expires, UTC)
        raise Expired(f"this link expired on {date:%Y-%m-%d at %H:%M} UTC; the task's record may have a newer one")
    return link
