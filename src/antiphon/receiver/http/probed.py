"""The receiving end of a probe: knows it among the callbacks, judges how it came, and has nothing of it kept."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.contract import signatures
from antiphon.errors import InvalidSignature
from antiphon.receiver.http.intake import Answer

MARK = "antiphon-probe"
SMALL, LARGE = 1, 2  # the numbers of the two probes


@dataclass(frozen=True)
class Arrived:
    """How a probe came in. ``fault`` says why its signatures do not hold, "" when they do; ``digest`` is the SHA-256
    of its body."""

    fault: str
    digest: bytes


class Ear:
    """Listens for the two probes of one check: ``receiver.intercept = ear.hear``, until the check is over. They carry
    ``nonce``, which nobody else knows, and are signed by ``key``, which is for nothing else; the answer holds
    ``proof``, so that nobody else's passes for it. Whatever comes, no more is kept than an ``Arrived`` of each."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(16)
        self.proof = secrets.token_hex(16)
        self.key = signatures.new_key()
        self._arrived: dict[str, Arrived] = {}

    @property
    def task_id(self) -> str:
        return f"probe_{self.nonce}"

    def webhook_id(self, number: int) -> str:
        return f"msg_probe_{self.nonce}_{number}"

    def arrived(self, number: int) -> Arrived | None:
        """How the probe of this number came, if it did."""
        return self._arrived.get(self.webhook_id(number))

    def hear(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """The answer if this is one of our probes and comes for the first time, else None. Header names: lower-case."""
        found = headers.get(MARK) or headers.get("webhook-id", "")  # two places, in case that one is lost on the way
        if found not in (self.webhook_id(SMALL), self.webhook_id(LARGE)) or found in self._arrived:
            return None
        self._arrived[found] = Arrived(self._fault(headers, body), hashlib.sha256(body).digest())
        answer = json.dumps({MARK: self.proof}).encode()
        return Answer(200, {"content-type": "application/json", "content-length": str(len(answer))}, answer)

    def _fault(self, headers: Mapping[str, str], body: bytes) -> str:
        try:
            signatures.verify_standard(headers, body, [self.key], now=time.time())
            signatures.verify_documented(headers, self.task_id, [self.key], now=time.time())
        except InvalidSignature as error:
            return error.message
        return ""
