"""Whether a callback was sent by who holds the webhook key."""

from collections.abc import Mapping, Sequence
from typing import Literal

from antiphon.contract import signatures

Scheme = Literal["standard", "documented"]


def verify(headers: Mapping[str, str], body: bytes, task_id: str, keys: Sequence[str], *, now: float) -> Scheme:
    """Check a callback's signature and say by which scheme; ``now`` is Unix seconds.

    With any header of Standard Webhooks that scheme must hold, which covers the body; else the documented headers
    must, which cover the task id only. Any of ``keys`` will do, so that a key can be rotated. Raises nothing but
    ``InvalidSignature``.
    """
    if signatures.has_standard(headers):
        signatures.verify_standard(headers, body, keys, now=now)
        return "standard"
    signatures.verify_documented(headers, task_id, keys, now=now)
    return "documented"
