"""One attempt on the wire: POST a body, read the start of the answer, under one deadline over everything.

Connections are kept for a few seconds. A receiver may close a kept one in the very moment in which it is used again;
no sender can tell whether the callback was read before. Then the same bytes are sent again at once over a new
connection, within the same attempt and deadline: no retry is lost to it, the ``webhook-id`` is the same, and the
attempt says "replaced". That is within the contract, which promises at least once.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from antiphon import __version__
from antiphon.callbacks.schedule import acknowledged, parse_retry_after
from antiphon.errors import AntiphonError
from antiphon.outbound.connection import guarded_connector
from antiphon.outbound.failures import Reason, explain, is_ours, reason_of
from antiphon.outbound.guard import Guard, host_of, parse_url
from antiphon.outbound.timeline import Connection, Phases, Timeline, current

ANSWER_KEPT = 2048  # bytes of the answer that are read and kept
HEADERS = {
    "User-Agent": f"Antiphon/{__version__}",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",  # nothing is unpacked, so nothing can unpack to gigabytes
}


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. ``error`` is in words, None when it was acknowledged; ``ours`` says that this
    machine failed, which is not charged to the receiver; ``reason`` is the error's kind, for counting; ``headers`` are
    those that were sent, none when there never was a connection."""

    milliseconds: float
    address: str | None = None
    status: int | None = None
    error: str | None = None
    answer: str | None = None
    retry_after: float | None = None
    ours: bool = False
    phases: Phases = field(default_factory=Phases)
    connection: Connection | None = None
    reason: Reason | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lines:
    """Two ways out: over connections that are kept, and over one that is new and closed afterwards."""

    kept: aiohttp.ClientSession
    new: aiohttp.ClientSession


@asynccontextmanager
async def open_lines(guard: Guard, resolver: AbstractResolver) -> AsyncIterator[Lines]:
    """The ways out for callbacks: guarded, without cookies, proxies, time-outs of their own or decompression."""
    async with _session(guard, resolver, keep=True) as kept, _session(guard, resolver, keep=False) as new:
        yield Lines(kept, new)


def _session(guard: Guard, resolver: AbstractResolver, *, keep: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=guarded_connector(guard, resolver, keep=keep),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        read_bufsize=2 * ANSWER_KEPT,
        headers=HEADERS,
    )


@dataclass
class _Seen:
    response: aiohttp.ClientResponse | None = None
    answer: bytes = b""


async def post(
    lines: Lines,
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
    timeline, seen = Timeline(), _Seen()
    current.set(timeline)
    failure: str | None = None
    reason: Reason | None = None
    ours = False
    try:
        target = _checked(guard, url)
        async with asyncio.timeout(deadline):
            await _exchange(lines, target, body, headers, timeline, seen)
    except TimeoutError:
        failure, reason = _too_slow(timeline, seen, deadline), Reason.TIMEOUT
    except AntiphonError as error:
        failure, reason = error.message, Reason.BLOCKED
    except Exception as error:  # whatever a stranger's server makes the client raise is its failed attempt
        failure, reason, ours = explain(error, host_of(url)), reason_of(error), is_ours(error)
    finally:
        if seen.response is not None:
            seen.response.close()
    return _outcome(timeline, seen, failure, reason, ours)


def _outcome(timeline: Timeline, seen: _Seen, failure: str | None, reason: Reason | None, ours: bool) -> Outcome:
    status = answer = retry_after = None
    if seen.response is not None:  # what it says counts, even if its body broke off
        late = failure if reason is Reason.TIMEOUT else None
        status, failure, ours = seen.response.status, _judge(seen.response, late), False
        answer = printable(seen.answer)
        retry_after = parse_retry_after(seen.response.headers.get("Retry-After"), datetime.now(UTC))
        reason = None if failure is None else Reason.TIMEOUT if failure == late else Reason.STATUS
    return Outcome(
        milliseconds=timeline.milliseconds,
        address=timeline.addresses[-1] if timeline.addresses else None,
        status=status,
        error=failure,
        answer=answer,
        retry_after=retry_after,
        ours=ours,
        phases=timeline.phases,
        connection=timeline.connection,
        reason=reason,
        headers=dict(timeline.headers),
    )


@lru_cache(maxsize=1024)
def _checked(guard: Guard, url: str) -> URL:
    guard.check_url(url)
    return parse_url(url, field="callBackUrl")


async def _exchange(
    lines: Lines, target: URL, body: bytes, headers: Mapping[str, str], timeline: Timeline, seen: _Seen
) -> None:
    try:
        seen.response = await lines.kept.post(target, data=body, headers=headers, allow_redirects=False)
    except aiohttp.ClientConnectionError:
        if not timeline.over_kept:
            raise
        timeline.restart()
        seen.response = await lines.new.post(target, data=body, headers=headers, allow_redirects=False)
    timeline.answered()
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


def _too_slow(timeline: Timeline, seen: _Seen, deadline: float) -> str:
    if seen.response is not None:
        return (
            f"the answer did not end within {deadline:g} s: status {seen.response.status} came, "
            "but the body went on too slowly"
        )
    if timeline.is_connected:
        return f"no answer within {deadline:g} s: the connection was made, but no complete answer came"
    if timeline.is_greeted:
        return f"no TLS with {timeline.addresses[-1]} within {deadline:g} s: is it an https server?"
    if timeline.addresses:
        return f"no connection to {timeline.addresses[-1]} within {deadline:g} s"
    return f"the name could not be looked up within {deadline:g} s"


def printable(raw: bytes) -> str:
    """Bytes as text that a database and a terminal can hold: what is not UTF-8 or is a control gets escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )
