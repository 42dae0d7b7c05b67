"""One attempt on the wire: POST a body, read the start of the answer, under one deadline over everything."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver

from antiphon import __version__
from antiphon.callbacks.connection import dialled, guarded_connector
from antiphon.callbacks.failures import explain, is_ours
from antiphon.callbacks.guard import Guard, parse_url
from antiphon.callbacks.outbox import host_of
from antiphon.callbacks.schedule import acknowledged, parse_retry_after
from antiphon.errors import AntiphonError

ANSWER_KEPT = 2048  # bytes of the answer that are read and kept
HEADERS = {
    "User-Agent": f"Antiphon/{__version__}",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",  # nothing is unpacked, so nothing can unpack to gigabytes
}


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. ``error`` is in words, None when it was acknowledged; ``ours`` says that this
    machine failed, which is not charged to the receiver."""

    milliseconds: float
    address: str | None = None
    status: int | None = None
    error: str | None = None
    answer: str | None = None
    retry_after: float | None = None
    ours: bool = False


def open_session(guard: Guard, resolver: AbstractResolver) -> aiohttp.ClientSession:
    """A session for callbacks: guarded, without cookies, proxies, time-outs of its own or decompression."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_connected)
    return aiohttp.ClientSession(
        connector=guarded_connector(guard, resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        read_bufsize=2 * ANSWER_KEPT,
        headers=HEADERS,
        trace_configs=[trace],
    )


async def post(
    session: aiohttp.ClientSession,
    guard: Guard,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    deadline: float,
) -> Outcome:
    """Send ``body`` once and say what came of it; ``deadline`` seconds cover DNS to the last byte read.

    Follows no redirect. Raises nothing but ``asyncio.CancelledError``.
    """
    began = time.monotonic()
    seen = SimpleNamespace(connected=False, response=None, answer=b"")
    addresses: list[str] = []
    dialled.set(addresses)
    failure: str | None = None
    ours = late = False
    try:
        guard.check_url(url)
        async with asyncio.timeout(deadline):
            await _exchange(session, url, body, headers, seen)
    except TimeoutError:
        failure, late = _too_slow(seen, addresses, deadline), True
    except AntiphonError as error:
        failure = error.message
    except Exception as error:  # whatever a stranger's server makes the client raise is its failed attempt
        failure, ours = explain(error, host_of(url)), is_ours(error)
    finally:
        if seen.response is not None:
            seen.response.close()
    milliseconds = (time.monotonic() - began) * 1000
    address = addresses[-1] if addresses else None
    if seen.response is None:
        return Outcome(milliseconds, address, error=failure, ours=ours)
    answered = _judge(seen.response, failure if late else None)
    retry_after = parse_retry_after(seen.response.headers.get("Retry-After"), datetime.now(UTC))
    return Outcome(milliseconds, address, seen.response.status, answered, printable(seen.answer), retry_after)


async def _exchange(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str], seen: SimpleNamespace
) -> None:
    seen.response = await session.post(
        parse_url(url, field="callBackUrl"),
        data=body,
        headers=headers,
        allow_redirects=False,
        trace_request_ctx=seen,
    )
    while len(seen.answer) < ANSWER_KEPT:
        block = await seen.response.content.read(ANSWER_KEPT - len(seen.answer))
        if not block:
            return
        seen.answer += block


def _judge(response: aiohttp.ClientResponse, late: str | None) -> str | None:
    """What is wrong with an answer whose headers have come; None when it acknowledges.

    2xx acknowledges even if the body is longer than what is read or breaks off: the receiver has said what it thinks.
    """
    status = response.status
    if acknowledged(status):
        return late
    if 300 <= status < 400:
        location = response.headers.get("Location", "").partition("?")[0]  # what follows may be secret, and is logged
        target = printable(location.encode("utf-8", "replace"))[:200]
        return (
            f"answered {status}, a redirect{f' to {target}' if target else ''}: redirects are not followed; "
            "give the final address as callBackUrl"
        )
    reason = printable((response.reason or "").encode("utf-8", "replace"))[:100]
    return f"answered {status} {reason}".strip()


def _too_slow(seen: SimpleNamespace, addresses: list[str], deadline: float) -> str:
    if seen.response is not None:
        return (
            f"the answer did not end within {deadline:g} s: status {seen.response.status} came, "
            "but the body went on too slowly"
        )
    if seen.connected:
        return f"no answer within {deadline:g} s: the connection was made, but no complete answer came"
    if addresses:
        return f"no connection to {addresses[-1]} within {deadline:g} s"
    return f"the name could not be looked up within {deadline:g} s"


def printable(raw: bytes) -> str:
    """Bytes as text that a database and a terminal can hold: what is not UTF-8 or is a control gets escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )


async def _connected(
    session: aiohttp.ClientSession, context: SimpleNamespace, parameters: aiohttp.TraceConnectionCreateEndParams
) -> None:
    context.trace_request_ctx.connected = True
