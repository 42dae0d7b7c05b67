"""Connections that give nothing, too much, or never read: each is cut off, and others are served meanwhile."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest
import uvicorn

from antiphon.http_server.connections import MAX_HEADERS, MAX_PIPELINED, Bounds, Server, bounded
from tests.integration.receiver.conftest import answered
from tests.waiting import wait_for

GET = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD_BYTES = 4000
DRAINED_BYTES = 1_000_000


@dataclass
class Place:
    """A server of a few small answers, within bounds."""

    server: Server = field(init=False)
    port: int = 0
    started: threading.Event = field(default_factory=threading.Event)
    seen: list[list[tuple[bytes, bytes]]] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        if scope["path"] == "/body":
            while (await receive()).get("more_body"):
                pass
        self.seen.append(list(scope["headers"]))
        if scope["path"] == "/never":
            await asyncio.Event().wait()
        content = b"x" * (30_000_000 if scope["path"] == "/large" else 5)
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": content})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def has_seen(self, requests: int) -> bool:
        return len(self.seen) >= requests

    def asked(self, *pieces: bytes) -> bytes:
        """All that is said to these pieces, until the other side closes."""
        with self.connect() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                return b""
            return answered(connection)


Start = Callable[[Bounds], Place]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def start(bounds: Bounds) -> Place:
            place = Place()
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            place.port = listener.getsockname()[1]
            config = uvicorn.Config(
                place.app,
                interface="asgi3",
                http=bounded(bounds),
                lifespan="off",
                log_config=None,
                log_level="critical",
                ws="none",
            )
            server = place.server = Server(config, place.started.set)
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()

            def stop() -> None:
                server.should_exit = server.force_exit = True
                thread.join()

            stack.callback(stop)
            assert place.started.wait(20)
            return place

        yield start


@pytest.fixture
def place(start: Start) -> Place:
    return start(Bounds(0.5, HEAD_BYTES, 50, drained=DRAINED_BYTES, stall=0.5))


def test_a_header_without_end_is_cut_off_after_a_few_kilobytes(place: Place) -> None:
    said = place.asked(b"GET /small HTTP/1.1\r\nx: ", b"y" * 10_000_000)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    assert place.seen == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET /small HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET /small HTTP/1.1\r\nx: " + b"y" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /" + b"y" * HEAD_BYTES + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["many headers", "a long header", "a long address"],
)
def test_a_head_that_is_whole_and_too_large_gets_400(place: Place, head: bytes) -> None:
    assert place.asked(head).startswith(b"HTTP/1.1 400 ")
    assert place.seen == []


@pytest.mark.parametrize(
    "endless",
    [b"0\r\n" + b"trailer: y\r\n" * 100_000, b"0\r\nx: " + b"y" * 1_000_000, b"5;" + b"z" * 1_000_000],
    ids=["trailers", "a trailer", "an extension of a chunk"],
)
def test_what_stands_between_and_behind_the_pieces_of_a_body_has_an_end(place: Place, endless: bytes) -> None:
    said = place.asked(CHUNKED + b"1\r\nx\r\n", endless)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")


def test_a_trailer_is_no_header(place: Place) -> None:
    place.asked(CHUNKED + b"1\r\nx\r\n0\r\nauthorization: Bearer later\r\n\r\n")
    assert [name for name, _ in place.seen[0]] == [b"host", b"transfer-encoding"]


def test_requests_behind_one_another_are_answered_up_to_a_bound(place: Place) -> None:
    last = b"GET /small HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert place.asked(GET * MAX_PIPELINED + last).count(b"HTTP/1.1 200 ") == MAX_PIPELINED + 1
    place.seen.clear()
    assert b"HTTP/1.1 400 " in place.asked(b"GET /never HTTP/1.1\r\n\r\n" + GET * 1000)
    assert len(place.seen) <= 2


def test_the_rest_of_a_body_that_was_answered_early_is_taken_within_a_bound(place: Place) -> None:
    head = b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    with place.connect() as connection:
        connection.sendall(head % (DRAINED_BYTES // 2) + b"x" * (DRAINED_BYTES // 2) + GET)
        said = b""
        while said.count(b"HTTP/1.1 200 ") < 2:
            said += connection.recv(65_536)
    assert place.asked(head % 10**12, *[b"x" * 100_000] * 1000).count(b"HTTP/1.1 200 ") <= 1


def test_who_reads_nothing_is_cut_off(place: Place) -> None:
    with place.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: place.seen)
        wait_for(lambda: place.server.server_state.connections == set(), "the end of the connection")


def test_of_too_many_connections_of_one_address_the_one_that_waits_longest_goes(start: Start) -> None:
    place = start(Bounds(30, HEAD_BYTES, 50, per_address=3))
    with ExitStack() as stack:
        silent = [stack.enter_context(place.connect()) for _ in range(3)]
        assert place.asked(GET.replace(b"Host", b"Connection: close\r\nHost")).startswith(b"HTTP/1.1 200 ")
        assert answered(silent[0]).startswith(b"HTTP/1.1 503 ")
        silent[1].sendall(GET)
        assert silent[1].recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_where_all_connections_of_an_address_are_at_work_one_more_is_refused(start: Start) -> None:
    place = start(Bounds(30, HEAD_BYTES, 50, per_address=2))
    with ExitStack() as stack:
        for at_work in (1, 2):
            stack.enter_context(place.connect()).sendall(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_for(partial(place.has_seen, at_work))
        assert place.asked(GET).startswith(b"HTTP/1.1 503 ")


def test_a_proxy_may_have_any_number_of_connections(start: Start) -> None:
    place = start(Bounds(30, HEAD_BYTES, 50, per_address=3, proxies=(ip_network("127.0.0.0/8"),)))
    with ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(place.connect())
            connection.sendall(GET)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_connections_that_are_gone_are_not_counted(start: Start) -> None:
    bounds = Bounds(30, HEAD_BYTES, 50, per_address=3)
    place = start(bounds)
    for _ in range(20):
        assert place.asked(GET.replace(b"Host", b"Connection: close\r\nHost")).startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: not bounds.peers and not bounds.waiting)
