"""Bounds of bodies. JSON is small, and very small where nobody is known to send it; uploads have a limit of their own,
kept while they stream in from a key that is known."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.api.errors import envelope, nothing_at
from antiphon.api.lookups import caller_of
from antiphon.errors import AntiphonError, BadParameter, TooLarge, Unauthorized
from antiphon.http_server.bodies import HeldBytes, TooSlow

MAX_BODY_BYTES = 1_000_000
FREE_BODY_BYTES = 16_384  # of a body that do not count: what most calls have comes in however busy it is
MAX_VALUES = 10_000  # in the JSON of a body
KEYLESS_PATHS = "/console/"
MAX_DRAINED_BYTES = 64_000_000
DRAIN_TIMEOUT_S = 10.0
STREAMED_PATHS = frozenset({"/api/v1/audio/upload", "/api/file-stream-upload", "/api/file-base64-upload"})

_STRING = re.compile(rb'"(?:[^"\\]|\\.?)*(?:"|\Z)', re.DOTALL)
IsKnown = Callable[[Scope], Awaitable[bool]]
"""Whether a request comes with the key or the session of somebody."""


@dataclass(frozen=True)
class BodyBounds:
    """What bodies may cost.

    Attributes:
        seconds: For a body to come in that is no upload.
        held: Bytes of the bodies that are coming in, in all.
        share: Bytes of them that one address may have.
        pause: Seconds between two pieces of an upload.
    """

    seconds: float = 30.0
    held: int = 64_000_000
    share: int = 16_000_000
    pause: float = 60.0


class BodyLimit:
    """Takes a body in before the app sees its request. Refuses one over ``MAX_BODY_BYTES``: with 404 where there is
    nothing, with 413 elsewhere; one that is too slow; and one for which there is no room beside the others.

    What is refused is read off before the answer, within bounds: a client that still writes does not read one (Node's
    fetch reports a broken connection instead).
    """

    def __init__(self, app: ASGIApp, router: Router, is_known: IsKnown, bounds: BodyBounds = BodyBounds()) -> None:
        self._app = app
        self._router = router
        self._is_known = is_known
        self._bounds = bounds
        self._held = HeldBytes(bounds.held, bounds.share)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in STREAMED_PATHS:
            await self._app(scope, _without_long_pauses(receive, self._bounds.pause), send)
        else:
            body = _IncomingBody(self._held, caller_of(scope))
            try:
                if await self._take(body, scope, receive, send):
                    await self._app(scope, _replay(body, receive), send)
            finally:
                body.forget()

    async def _take(self, body: "_IncomingBody", scope: Scope, receive: Receive, send: Send) -> bool:
        """Take all of the body; whether there is one to be looked at. If not, it has been answered."""
        try:
            async with asyncio.timeout(self._bounds.seconds):
                stranger = True
                while body.more:
                    if not body.add(await receive()):
                        return False
                    if stranger and body.size > FREE_BODY_BYTES:
                        if not await self._is_known(scope):
                            raise self._too_much_of_a_stranger(scope)
                        stranger = False
            body.check_values()
        except TooLarge as error:
            if body.size > MAX_BODY_BYTES:
                await self._refuse(scope, receive, send, body)
            else:
                await envelope(error, scope["path"])(scope, receive, send)
        except TimeoutError:
            slow = TooSlow(f"body: did not come within {self._bounds.seconds:g} s; send it faster")
            await envelope(slow, scope["path"])(scope, receive, send)
        except AntiphonError as error:
            await envelope(error, scope["path"])(scope, receive, send)
        else:
            return True
        return False

    def _too_much_of_a_stranger(self, scope: Scope) -> AntiphonError:
        """The rest of the body is read off by the connection, within its own bounds."""
        if not self._leads_somewhere(scope):
            return nothing_at(scope["path"])
        if scope["path"].startswith(KEYLESS_PATHS):
            return TooLarge(f"body: larger than {FREE_BODY_BYTES} bytes, which no call without an API key needs")
        return Unauthorized()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, body: "_IncomingBody") -> None:
        drained, more = body.size, body.more
        body.forget()
        whole = await _drain(receive, drained, more)
        error: AntiphonError = nothing_at(scope["path"])
        if self._leads_somewhere(scope):
            error = TooLarge(f"body: larger than {MAX_BODY_BYTES} bytes, which no request of this API needs")
        answer = envelope(error, scope["path"])
        if not whole:
            answer.headers["Connection"] = "close"
        await answer(scope, receive, send)

    def _leads_somewhere(self, scope: Scope) -> bool:
        routes: list[BaseRoute] = self._router.routes
        return any(route.matches(scope)[0] is not Match.NONE for route in routes)


class _IncomingBody:
    """A body that is coming in; what it holds beyond ``FREE_BODY_BYTES`` counts until it is forgotten."""

    def __init__(self, held: HeldBytes, caller: str) -> None:
        self._held, self._caller = held, caller
        self._content = bytearray()
        self._counted = 0
        self.size = 0
        self.more = True

    def add(self, message: Message) -> bool:
        """One piece more; False when the client is gone.

        Raises:
            TooLarge: All of it is over ``MAX_BODY_BYTES``.
            Busy: There is no room beside what the others hold.
        """
        if message["type"] == "http.disconnect":
            return False
        piece = message.get("body", b"")
        self.more = message.get("more_body", False)
        self.size += len(piece)
        if self.size > MAX_BODY_BYTES:
            raise TooLarge
        counts = max(0, self.size - FREE_BODY_BYTES) - self._counted
        self._counted += counts
        self._held.take(self._caller, counts)
        self._content += piece
        return True

    def check_values(self) -> None:
        """Refuse JSON that would become far more in memory than it is as text.

        Raises:
            BadParameter: It has more than ``MAX_VALUES`` values.
        """
        if len(self._content) > FREE_BODY_BYTES:
            structure = _STRING.sub(b"", self._content)
            if structure.count(b",") + structure.count(b"[") + structure.count(b"{") > MAX_VALUES:
                raise BadParameter(
                    f"body: more than {MAX_VALUES} values, which no request needs; send the documented fields alone"
                )

    def take(self) -> bytes:
        """All that came. What is done with it still counts against the others."""
        whole = bytes(self._content)
        self._content.clear()
        return whole

    def forget(self) -> None:
        self._content.clear()
        self._held.give(self._caller, self._counted)
        self._counted = 0


async def _drain(receive: Receive, read: int, more: bool) -> bool:
    """Read a body off; whether all of it came within the bounds."""
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            while more and read <= MAX_DRAINED_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return False
                read += len(message.get("body", b""))
                more = message.get("more_body", False)
    except TimeoutError:
        return False
    return not more


def _replay(body: _IncomingBody, receive: Receive) -> Receive:
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body.take(), "more_body": False}

    return replay


def _without_long_pauses(receive: Receive, seconds: float) -> Receive:
    """Raises ``TooSlow`` when an upload pauses for too long, for as long as there is more of it to come."""
    more = True

    async def timed() -> Message:
        nonlocal more
        try:
            async with asyncio.timeout(seconds if more else None):
                message = await receive()
        except TimeoutError:
            raise TooSlow(f"body: paused for more than {seconds:g} s; send it faster") from None
        more = message.get("more_body", False)
        return message

    return timed
