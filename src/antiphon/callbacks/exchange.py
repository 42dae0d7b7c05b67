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
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from antiphon import __version__
from antiphon.callbacks.retry_schedule import acknowledged
from antiphon.errors import AntiphonError
from antiphon.http_dates import parse_retry_after
from antiphon.outbound.connection import guarded_connector
from antiphon.outbound.failures import Reason, explain, is_ours, reason_of
from antiphon.outbound.guard import Guard, host_of, parse_url
from antiphon.outbound.timeline import ConnectionUse, PhaseTimes, Timeline, current

MAX_ANSWER_BYTES = 2048  # of the answer that are read and kept
MIN_COMMON_LIMIT_BYTES = 100_000
"""The default limit of Express, the smallest that is common."""

TOO_LARGE_REMEDY = (
    "Raise the receiver's limit to 32 MB: Express express.json({limit: '32mb'}), Flask MAX_CONTENT_LENGTH, FastAPI and "
    "others the proxy before them, PHP post_max_size, nginx client_max_body_size 32m"
)
HEADERS = {
    "User-Agent": f"Antiphon/{__version__}",
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",  # nothing is unpacked, so nothing can unpack to gigabytes
}


@dataclass(frozen=True)
class PostOutcome:
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
    phases: PhaseTimes = field(default_factory=PhaseTimes)
    connection: ConnectionUse | None = None
    reason: Reason | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PostSessions:
    """Two ways out: over connections that are kept, and over one that is new and closed afterwards."""

    kept: aiohttp.ClientSession
    new: aiohttp.ClientSession


@asynccontextmanager
async def open_post_sessions(guard: Guard, resolver: AbstractResolver) -> AsyncIterator[PostSessions]:
    """The ways out for callbacks: guarded, without cookies, proxies, time-outs of their own or decompression."""
    async with _session(guard, resolver, keep=True) as kept, _session(guard, resolver, keep=False) as new:
        yield PostSessions(kept, new)


def _session(guard: Guard, resolver: AbstractResolver, *, keep: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=guarded_connector(guard, resolver, keep=keep),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        read_bufsize=2 * MAX_ANSWER_BYTES,
        headers=HEADERS,
    )


@dataclass
class _Seen:
    response: aiohttp.ClientResponse | None = None
    answer: bytes = b""


async def post(
    sessions: PostSessions,
    guard: Guard,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    started: datetime,
    deadline: float,
) -> PostOutcome:
    """Send ``body`` once and say what came of it. Follows no redirect; raises nothing but ``asyncio.CancelledError``.

    Args:
        started: The time, by the clock that a date in Retry-After is compared with: the database's.
        deadline: Seconds from DNS to the last byte read.
    """
    timeline, seen = Timeline(), _Seen()
    current.set(timeline)
    failure: str | None = None
    reason: Reason | None = None
    ours = False
    try:
        target = _checked(guard, url)
        async with asyncio.timeout(deadline):
            await _exchange(sessions, target, body, headers, timeline, seen)
    except TimeoutError:
        failure, reason = _too_slow(timeline, seen, deadline), Reason.TIMEOUT
    except AntiphonError as error:
        failure, reason = error.message, Reason.BLOCKED
    except Exception as error:  # whatever a stranger's server makes the client raise is its failed attempt
        failure, reason, ours = explain(error, host_of(url)), reason_of(error), is_ours(error)
        if reason is Reason.BROKEN_OFF and len(body) > MIN_COMMON_LIMIT_BYTES and not ours:
            failure = (
                f"{failure}, while {_size(body)} were being sent: it may take no body of this size. {TOO_LARGE_REMEDY}"
            )
    finally:
        if seen.response is not None:
            seen.response.close()
    return _outcome(timeline, seen, body, failure, reason, ours, started)


def _outcome(
    timeline: Timeline,
    seen: _Seen,
    body: bytes,
    failure: str | None,
    reason: Reason | None,
    ours: bool,
    started: datetime,
) -> PostOutcome:
    status = answer = retry_after = None
    if seen.response is not None:  # what it says counts, even if its body broke off
        late = failure if reason is Reason.TIMEOUT else None
        status, failure, ours = seen.response.status, _explain(seen.response, body, late), False
        answer = printable(seen.answer)
        now = started + timedelta(milliseconds=timeline.milliseconds)
        retry_after = parse_retry_after(seen.response.headers.get("Retry-After"), now)
        reason = None if failure is None else Reason.TIMEOUT if failure == late else Reason.STATUS
    return PostOutcome(
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
    sessions: PostSessions, target: URL, body: bytes, headers: Mapping[str, str], timeline: Timeline, seen: _Seen
) -> None:
    try:
        seen.response = await sessions.kept.post(target, data=body, headers=headers, allow_redirects=False)
    except aiohttp.ClientConnectionError:
        if not timeline.over_kept:
            raise
        timeline.restart()
        seen.response = await sessions.new.post(target, data=body, headers=headers, allow_redirects=False)
    timeline.answered()
    while len(seen.answer) < MAX_ANSWER_BYTES:
        block = await seen.response.content.read(MAX_ANSWER_BYTES - len(seen.answer))
        if not block:
            return
        seen.answer += block


def _explain(response: aiohttp.ClientResponse, body: bytes, late: str | None) -> str | None:
    """The error of an answer whose headers have come, in words; None when it acknowledges.

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
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return f"answered 413: it takes no body of {_size(body)}. {TOO_LARGE_REMEDY}"
    reason = printable((response.reason or "").encode("utf-8", "replace"))[:100]
    return f"answered {status} {reason}".strip()


def _size(body: bytes) -> str:
    return f"{len(body) / 1000:,.0f} KB"


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
