"""Bodies before a key is known: how long they may take, and how much is held of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.routing import Router

from antiphon.api.limits import FREE_BODY_BYTES, BodyBounds, BodyLimit
from antiphon.http_server.bodies import TooSlow

BOUNDS = BodyBounds(seconds=0.2, held=200_000, share=100_000, pause=0.2)
PATIENCE_S = 20
UPLOAD = "/api/v1/audio/upload"


class Sender:
    """A client that sends pieces of a body when it is told to, and keeps the answer's status."""

    def __init__(self, address: str = "192.0.2.1", path: str = "/anything") -> None:
        self.pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self.scope = {
            "type": "http",
            "path": path,
            "method": "POST",
            "headers": [(b"authorization", b"known")],
            "client": (address, 1),
        }

    def send(self, piece: bytes, *, more: bool = True) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": piece, "more_body": more})

    async def hear(self, message: Any) -> None:
        self.status = message.get("status", self.status)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Takes all of the body and answers 200, or 408 as the error handler of the API does."""
    status = 200
    try:
        while (await receive())["more_body"]:
            pass
    except TooSlow as error:
        status = error.code
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body"})


async def is_known(scope: Any) -> bool:
    """Who says so is."""
    return (b"authorization", b"known") in scope["headers"]


Serve = Callable[[Sender], "asyncio.Task[None]"]


@asynccontextmanager
async def serving(bounds: BodyBounds) -> AsyncIterator[Serve]:
    limit = BodyLimit(app, Router(), is_known, bounds)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:

        def serve(sender: Sender) -> "asyncio.Task[None]":
            return group.create_task(limit(sender.scope, sender.pieces.get, sender.hear))

        yield serve


async def test_a_body_that_does_not_come_is_given_up_with_408() -> None:
    async with serving(BOUNDS) as serve:
        slow = Sender()
        slow.send(b"{")
        await serve(slow)
        assert slow.status == 408


async def test_an_upload_that_pauses_is_given_up_and_one_that_goes_on_is_not() -> None:
    async with serving(BOUNDS) as serve:
        paused, steady = Sender(path=UPLOAD), Sender(path=UPLOAD)
        waiting = serve(paused)
        taking = serve(steady)
        for _ in range(10):
            steady.send(b"x")
            await asyncio.sleep(0.05)
        steady.send(b"x", more=False)
        await taking
        await waiting
        assert (steady.status, paused.status) == (200, 408)


async def test_one_address_holds_its_share_and_the_others_are_served() -> None:
    async with serving(BodyBounds(seconds=5, held=200_000, share=100_000)) as serve:
        hoarders = [Sender("192.0.2.1") for _ in range(6)]
        at_work = [serve(sender) for sender in hoarders]
        for sender in hoarders:
            sender.send(b"x" * (FREE_BODY_BYTES + 40_000))
        await asyncio.wait(at_work, timeout=0.2)
        assert sorted(sender.status for sender in hoarders) == [0, 0, 503, 503, 503, 503]
        neighbour, small = Sender("192.0.2.2"), Sender("192.0.2.1")
        neighbour.send(b"x" * 90_000, more=False)
        small.send(b"x" * FREE_BODY_BYTES, more=False)
        await asyncio.gather(serve(neighbour), serve(small))
        assert (neighbour.status, small.status) == (200, 200)
        for sender in hoarders:
            sender.send(b"", more=False)


async def test_all_addresses_together_hold_no_more_than_the_budget_and_what_ended_is_free() -> None:
    async with serving(BodyBounds(seconds=5, held=200_000, share=100_000)) as serve:
        for _ in range(3):
            many = [Sender(f"192.0.2.{number}") for number in range(5)]
            at_work = [serve(sender) for sender in many]
            for sender in many:
                sender.send(b"x" * (FREE_BODY_BYTES + 60_000))
            await asyncio.wait(at_work, timeout=0.2)
            assert sorted(sender.status for sender in many) == [0, 0, 0, 503, 503]
            for sender in many:
                sender.send(b"", more=False)
            await asyncio.gather(*at_work)


async def test_of_a_stranger_no_more_than_a_few_kilobytes_are_taken() -> None:
    async with serving(BOUNDS) as serve:
        stranger = Sender()
        stranger.scope["headers"] = []
        stranger.send(b"x" * (FREE_BODY_BYTES + 1))  # and no more comes: the answer does not wait for it
        await serve(stranger)
        assert stranger.status == 404  # there is no route at all here


async def test_json_of_a_million_values_is_refused_before_it_is_read_and_long_texts_are_not() -> None:
    async with serving(BodyBounds()) as serve:
        bomb, text, cut = Sender(), Sender(), Sender()
        bomb.send(b"[" + b"{}," * 300_000 + b"{}]", more=False)
        text.send(b'{"body": "' + b'[1,{\\"a\\":2}],' * 60_000 + b'"}', more=False)
        cut.send(b'"' + b'\\"' * 400_000 + b"\\", more=False)
        await asyncio.gather(*map(serve, (bomb, text, cut)))
        assert [sender.status for sender in (bomb, text, cut)] == [400, 200, 200]
