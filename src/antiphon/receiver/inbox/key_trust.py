"""Trust in webhook keys, kept in the inbox: a key that has signed a whole body never signs only a task id again.

An Antiphon server signs by both schemes. Whoever has seen one callback could else take the headers of Standard Webhooks
away and put another body under the documented signature, which covers the task id alone.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from antiphon.errors import InvalidSignature

_ROUNDS = 50_000  # a key that somebody chose may be short, and must not be guessed from what the inbox keeps
_MAX_REMEMBERED = 64  # fingerprints in memory


class Downgraded(InvalidSignature):
    """Only the documented signature came, by a key that has signed by Standard Webhooks before."""


@dataclass(frozen=True)
class Refusals:
    """How many callbacks were refused as ``Downgraded``, and when the last one came (Unix seconds)."""

    count: int
    last_at: float | None


@lru_cache(_MAX_REMEMBERED)
def fingerprint(key: str) -> bytes:
    """What the inbox knows a webhook key by."""
    return hashlib.pbkdf2_hmac("sha256", key.encode(), b"antiphon inbox key", _ROUNDS)


def note_standard(connection: sqlite3.Connection, fingerprints: Sequence[bytes], now: float) -> None:
    """Note that these keys have signed a whole body."""
    for each in fingerprints:
        connection.execute("INSERT OR IGNORE INTO standard_keys (fingerprint, since) VALUES (?, ?)", (each, now))


def refuse_downgrade(connection: sqlite3.Connection, fingerprints: Sequence[bytes]) -> None:
    """Raise ``Downgraded`` where one of these keys has signed a whole body before."""
    known = "SELECT 1 FROM standard_keys WHERE fingerprint = ?"
    if any(connection.execute(known, (each,)).fetchone() for each in fingerprints):
        raise Downgraded(
            "the signature covers the task id alone (X-Webhook-Signature), but this key has signed whole bodies here "
            "before (Standard Webhooks), so somebody on the way may have put another body under it; if the sender has "
            "only this signature now, start the receiver with --allow-documented (allow_documented=True)"
        )


def count_refusal(connection: sqlite3.Connection, fingerprints: Sequence[bytes], now: float) -> None:
    change = "UPDATE standard_keys SET refused = refused + 1, refused_at = ? WHERE fingerprint = ?"
    connection.executemany(change, [(now, each) for each in fingerprints])


def refusals(connection: sqlite3.Connection) -> Refusals:
    row = connection.execute("SELECT coalesce(sum(refused), 0), max(refused_at) FROM standard_keys").fetchone()
    return Refusals(*row)
