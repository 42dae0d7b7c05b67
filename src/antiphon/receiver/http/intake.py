"""Intake of requests, shared by ASGI, WSGI and ``handle``: limits, refusals and their answers."""

import asyncio
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from antiphon.addresses import neighbourhood
from antiphon.contract import signatures
from antiphon.errors import AntiphonError, BadParameter, MethodNotAllowed, TooLarge
from antiphon.http_server.bodies import Busy, TooSlow
from antiphon.receiver.http.verify import Proof, Require, verify
from antiphon.receiver.inbox.key_trust import Downgraded

log = logging.getLogger("antiphon.receiver")

MAX_BODY_BYTES = 32_000_000  # bytes
MAX_HEADERS_BYTES = 32_768  # bytes, names and values together
MAX_BODY_S = 30.0  # seconds for a body to come in
MAX_HELD_BYTES = 256_000_000  # bytes of bodies that are coming in at one time, together
RETRY_AFTER_S = 10  # seconds, when the trouble is ours
_SIGNATURE = frozenset(signatures.STANDARD_HEADERS + signatures.DOCUMENTED_HEADERS)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, for any framework."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Limits:
    """What a request may cost: ``body`` and ``headers`` in bytes, ``seconds`` for the whole body to come in, and
    ``held`` bytes for all the bodies that are coming in at the same time. Of these an address may hold as many as it
    leaves free: half if it is alone, a third each if there are two, so that there is room for one more."""

    body: int = MAX_BODY_BYTES
    headers: int = MAX_HEADERS_BYTES
    seconds: float = MAX_BODY_S
    held: int = MAX_HELD_BYTES


class Body:
    """A body while it comes in. Use as a context manager: what it holds counts against the others until it closes."""

    def __init__(self, intake: "Intake", declared: str, address: str) -> None:
        self._intake = intake
        self._holder = neighbourhood(address)
        self._content = bytearray()
        self._size = 0
        self._until = time.monotonic() + intake.limits.seconds
        # More digits than any size has are not even converted.
        if declared.isascii() and declared.isdecimal() and (len(declared) > 15 or int(declared) > intake.limits.body):
            raise self._too_large()

    def __enter__(self) -> "Body":
        self._intake.count(1)
        return self

    def __exit__(self, *exc: object) -> None:
        self._intake.count(-1)
        self._intake.hold(-self._size, self._holder)
        self._content.clear()

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def add(self, chunk: bytes) -> None:
        """Raises ``TooLarge``, ``TooSlow``, or ``Busy`` when this address or all together hold too much."""
        if self.seconds_left < 0:
            raise TooSlow(f"the body did not come within {self._intake.limits.seconds:.0f} s")
        if self._size + len(chunk) > self._intake.limits.body:
            raise self._too_large()
        self._intake.hold(len(chunk), self._holder)
        self._size += len(chunk)
        self._content += chunk

    def take(self) -> bytes:
        """All that came; nothing is left here. What is done with it still counts against the others."""
        whole = bytes(self._content)
        self._content.clear()
        return whole

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is larger than {self._intake.limits.body} bytes")


class Intake:
    """Checks requests against ``keys``; with none, every callback is taken. ``limits`` bound what one may cost."""

    def __init__(
        self, keys: Sequence[str], limits: Limits, clock: Callable[[], float], require: Require = "any"
    ) -> None:
        self.limits = limits
        self.coming = 0
        """How many requests are being taken right now."""
        self._keys = tuple(keys)
        self._clock = clock
        self._require = require
        self._held: Counter[str] = Counter()  # bytes by address
        self._lock = threading.Lock()

    def head(self, method: str, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The headers by lower-case name. Raises ``MethodNotAllowed``, or ``BadParameter`` for headers that are too
        large, or one that is repeated and part of a signature."""
        if method != "POST":
            raise MethodNotAllowed("callbacks come by POST; there is nothing else here")
        found: dict[str, str] = {}
        size = 0
        for name, value in headers:
            name = name.lower()
            size += len(name) + len(value)
            if name in found and name in _SIGNATURE:
                raise BadParameter(f"the header {name} is repeated")
            found[name] = value
        if size > self.limits.headers:
            raise BadParameter(f"the headers are larger than {self.limits.headers} bytes")
        return found

    def body(self, headers: Mapping[str, str], address: str = "") -> Body:
        """The body to come from ``address``. Raises ``TooLarge`` for one whose length says so."""
        return Body(self, headers.get("content-length", ""), address)

    def check_signature_headers(self, headers: Mapping[str, str]) -> None:
        """Raise ``InvalidSignature`` where no body can make the signature hold: it need not be read then."""
        if self._keys:
            signatures.check_headers(headers, now=self._clock(), standard_only=self._require == "standard")

    def proof(self, headers: Mapping[str, str], body: bytes) -> Proof | None:
        """What the signature proves, None when none is asked for. Raises ``InvalidSignature``."""
        if not self._keys:
            return None
        return verify(headers, body, self._keys, now=self._clock(), require=self._require)

    def count(self, more: int) -> None:
        with self._lock:
            self.coming += more

    def hold(self, size: int, holder: str) -> None:
        with self._lock:
            free = self.limits.held - self._held.total() - size
            if size > 0 and self._held[holder] + size > free:
                raise Busy
            self._held[holder] += size
            if not self._held[holder]:
                del self._held[holder]

    def forget(self) -> None:
        """In a forked child: nothing is coming in."""
        self._lock = threading.Lock()
        self._held = Counter()
        self.coming = 0


class CallbackReceiver(Protocol):
    """What an ASGI or WSGI app needs of a receiver: its checks, its answers, its start and stop."""

    @property
    def intake(self) -> Intake: ...

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None: ...

    def admit(self, method: str, headers: Iterable[tuple[str, str]], address: str) -> tuple[dict[str, str], Body]: ...

    def start(self) -> None: ...

    def stop(self) -> bool: ...

    async def answer(self, headers: Mapping[str, str], body: bytes) -> Answer: ...

    def handle(self, method: str, headers: Mapping[str, str], body: bytes) -> Answer: ...


def accepted() -> Answer:
    return _answer(200, "success")


def refusal(error: Exception) -> Answer:
    """The answer to a request that raised ``error``: never a 500, but 503 where the fault is ours."""
    if not isinstance(error, AntiphonError):
        log.error("a callback could not be taken", exc_info=error)
        return _answer(503, "the callback could not be kept; send it again later")
    level = logging.ERROR if isinstance(error, Downgraded) else logging.WARNING
    log.log(level, "callback refused: %s", error.message)
    return _answer(503 if error.code == 500 else error.code, error.message)


def _answer(status: int, message: str) -> Answer:
    body = json.dumps({"code": status, "msg": message, "data": None}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    if status == 405:
        headers["allow"] = "POST"
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status in (405, 408, 413, 503):
        headers["connection"] = "close"  # the rest of the body is not wanted
    return Answer(status, headers, body)
