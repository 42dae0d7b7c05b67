"""Translation of calls to httpx and back. httpx is imported only when a client is made, since that is slow."""

import os
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon import __version__
from antiphon.client.answers import ApiAnswer, Unreachable
from antiphon.client.calls import Call
from antiphon.errors import BadParameter

if TYPE_CHECKING:
    import httpx

BASE_PATH = "/api/v1"
CONNECT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 256 << 20  # bytes; half a million notes are 40 MB
MAX_ANSWER_S = 600.0  # seconds from the answer's first byte to its last
_KEY = re.compile("[!-~]+")


def base_url(given: str) -> str:
    """The address of the API, with or without ``/api/v1`` at its end. Raises ``BadParameter``."""
    try:
        parts = urlsplit(given.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise BadParameter(
            f"base_url: expected the API's address such as https://music.example.com (got {given[:80]!r}); correct it"
        )
    path = parts.path.rstrip("/")
    path = path if path.endswith(BASE_PATH) else path + BASE_PATH
    return f"{parts.scheme}://{parts.netloc}{path}"


def key_of(given: str | None) -> str:
    """The key that was given, or the one in ``ANTIPHON_API_KEY``. Raises ``BadParameter`` when there is none."""
    if given is not None:
        return given
    key = os.environ.get("ANTIPHON_API_KEY", "")
    if not key.strip():
        raise BadParameter("api_key: required, but missing; give it, or set ANTIPHON_API_KEY")
    return key


def settings(api_key: str) -> dict[str, Any]:
    """Those of a client of httpx. Raises ``BadParameter`` for what cannot be a key; its value is not repeated."""
    import httpx

    key = api_key.strip()
    if not _KEY.fullmatch(key):
        raise BadParameter("api_key: expected printable ASCII without spaces; copy the key again")
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "Connection": "close",
        "User-Agent": f"Antiphon-client/{__version__}",
    }
    # A server may close a kept connection in the moment in which it is used again, and then nobody knows whether the
    # request came through. Calls are seconds apart, so that a new connection for each costs little.
    return {"headers": headers, "limits": httpx.Limits(max_keepalive_connections=0), "trust_env": False}


def request(call: Call[Any], url: str, timeout: float, files: ExitStack) -> dict[str, Any]:
    """A call as httpx takes it; its files stay open as long as ``files``. Raises ``BadParameter`` for one that cannot
    be read."""
    import httpx

    wanted: dict[str, Any] = {"method": call.method, "url": url + call.path}
    limit = timeout if call.timeout is None else call.timeout
    wanted["timeout"] = httpx.Timeout(limit, connect=min(limit, CONNECT_TIMEOUT_S))
    if call.query:
        wanted["params"] = dict(call.query)
    if call.idempotency_key:
        wanted["headers"] = {"Idempotency-Key": call.idempotency_key}
    if call.body is not None:
        wanted["json"] = dict(call.body)
    if call.files:
        wanted["data"] = dict(call.fields)
        wanted["files"] = {}
        for name, path in call.files.items():
            try:
                wanted["files"][name] = (path.name, files.enter_context(path.open("rb")))
            except OSError as error:
                raise BadParameter(f"{name}: {path} cannot be read: {error.strerror}; give another file") from None
    return wanted


class AnswerBody:
    """Takes an answer's body in, within bounds. Raises ``Unreachable`` beyond them."""

    def __init__(self, response: "httpx.Response") -> None:
        self._response = response
        self._body = bytearray()
        self._end = time.monotonic() + MAX_ANSWER_S

    def take(self, block: bytes) -> None:
        self._body += block
        if len(self._body) > MAX_ANSWER_BYTES:
            raise Unreachable(f"the API's answer is larger than {MAX_ANSWER_BYTES >> 20} MB", sent=True)
        if time.monotonic() > self._end:
            raise Unreachable(f"the API's answer takes longer than {MAX_ANSWER_S:g} s", sent=True)

    def answer(self) -> ApiAnswer:
        found = {name.lower(): value for name, value in self._response.headers.items()}
        return ApiAnswer(self._response.status_code, found, bytes(self._body), time.time())


def explain(error: "httpx.HTTPError", url: str) -> Unreachable:
    """Cause of a call that got no answer, and whether the request may have been received."""
    import httpx

    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.PoolTimeout):
        return Unreachable(f"no connection to {url}: {reason}; is the address right, and the server up?", sent=False)
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{url} did not answer in time", sent=True)
    return Unreachable(f"the connection to {url} broke off: {reason}", sent=True)
