"""Secret of the server: made once, never shown. A key for each purpose is derived from it."""

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from antiphon.durable_files import write_durably
from antiphon.errors import SettingsError

FILE = "secret"
MIN_SECRET_CHARS = 16  # of ANTIPHON_SECRET
_SEALED = b"\x01"  # format: this byte, 12 bytes of nonce, AES-256-GCM ciphertext with its tag
_NONCE_BYTES = 12
_MAC_BYTES = 16  # of HMAC-SHA256 that are kept; RFC 2104 §5 asks for at least half
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


def load_secret(data: Path, setting: str | None) -> bytes:
    """The 32 bytes that sign links and seal stored keys.

    With ``setting`` they are stretched from it by scrypt (RFC 7914), so that every machine of a cluster has the same.
    Without it they come from ``<data>/secret``, which the first caller makes with mode 0600; processes that start at
    once all get the one that was made first.

    Args:
        data: The data folder.
        setting: ``ANTIPHON_SECRET``; None where it is not set.

    Raises:
        SettingsError: The setting is too short, or the file can be neither read nor made, or is damaged.
    """
    if setting is not None:
        if len(setting) < MIN_SECRET_CHARS:
            raise SettingsError(
                f"ANTIPHON_SECRET has {len(setting)} characters; give at least {MIN_SECRET_CHARS} random ones, "
                "for example from 'openssl rand -hex 32'"
            )
        return hashlib.scrypt(setting.encode(), salt=b"antiphon.secret.1", n=2**14, r=8, p=1, dklen=32)
    path = data / FILE
    try:
        return _parse(path) if path.exists() else _make(path)
    except OSError as error:
        raise SettingsError(
            f"the secret {path} cannot be read or made ({error.strerror}): "
            "make the data folder ANTIPHON_DATA readable and writable for this user, or set ANTIPHON_SECRET"
        ) from error


def derive(secret: bytes, purpose: str) -> bytes:
    """Derive the 32-byte key for one purpose: HMAC-SHA256 of its name, so that no key serves two ends."""
    return hmac.digest(secret, b"antiphon." + purpose.encode(), "sha256")


def seal(secret: bytes, plaintext: bytes) -> bytes:
    """Encrypt (AES-256-GCM, NIST SP 800-38D) what is kept in the database, such as webhook keys."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _SEALED + nonce + AESGCM(derive(secret, "seal")).encrypt(nonce, plaintext, _SEALED)


def unseal(secret: bytes, sealed: bytes) -> bytes:
    """Undo ``seal``.

    Raises:
        SettingsError: The value was sealed with another secret or has been changed.
    """
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        if sealed[:1] != _SEALED or len(nonce) != _NONCE_BYTES:
            raise InvalidTag
        return AESGCM(derive(secret, "seal")).decrypt(nonce, ciphertext, _SEALED)
    except InvalidTag:
        raise SettingsError(
            "a stored key cannot be opened: it was sealed with another secret. Bring back the file "
            "<ANTIPHON_DATA>/secret or the ANTIPHON_SECRET that this database was used with, or make new keys"
        ) from None


def sign(secret: bytes, purpose: str, payload: bytes) -> str:
    """Signed token of URL-safe characters that holds ``payload``, which is readable by all."""
    return base64.urlsafe_b64encode(_mac(secret, purpose, payload) + payload).rstrip(b"=").decode()


def verified(secret: bytes, purpose: str, token: str) -> bytes | None:
    """The payload of a token; None when we did not make exactly this one for this purpose."""
    raw = _decode(token)
    mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    return payload if payload and hmac.compare_digest(mac, _mac(secret, purpose, payload)) else None


def _mac(secret: bytes, purpose: str, payload: bytes) -> bytes:
    return hmac.digest(derive(secret, purpose), payload, "sha256")[:_MAC_BYTES]


def _decode(token: str) -> bytes:
    """Undo base64 strictly: the decoder would skip strange characters and ignore the last one's spare bits."""
    if not _TOKEN.fullmatch(token) or len(token) % 4 == 1:
        return b""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == token.encode() else b""


def _parse(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise SettingsError(
            f"{path} is damaged: expected 64 hex digits. Bring it back from a backup; or delete it, "
            "which ends all signed links and makes stored webhook keys unreadable"
        )
    return secret


def _make(path: Path) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists():
            write_durably(path, f"{secrets.token_hex(32)}\n".encode())
    finally:
        os.close(folder)
    return _parse(path)
