"""The receiving end of a probe: knows it among the callbacks, notes how it came, and has nothing of it kept."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.contract import signatures
from antiphon.receiver.intake import Answer

MARK = "antiphon-probe"


@dataclass(frozen=True)
class Arrived:
    """A probe as it came in. Header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes


class Ear:
    """Listens for probes: ``receiver.intercept = ear.hear``. They carry ``nonce``, which nobody else knows, and are
    signed by ``key``, which is for nothing else; the answer holds ``proof``, so that nobody else's passes for it."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(16)
        self.proof = secrets.token_hex(16)
        self.key = signatures.new_key()
        self._arrived: dict[str, Arrived] = {}

    def webhook_id(self, number: int) -> str:
        return f"msg_probe_{self.nonce}_{number}"

    def arrived(self, number: int) -> Arrived | None:
        """The probe of this number as it came, if it did."""
        return self._arrived.get(self.webhook_id(number))

    def hear(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """The answer if this is a probe of ours, else None. Header names are lower-case."""
        found = headers.get(MARK) or headers.get("webhook-id", "")  # two places, in case that one is lost on the way
        if not found.startswith(f"msg_probe_{self.nonce}_"):
            return None
        self._arrived[found] = Arrived(headers, body)
        answer = json.dumps({MARK: self.proof}).encode()
        return Answer(200, {"content-type": "application/json", "content-length": str(len(answer))}, answer)
