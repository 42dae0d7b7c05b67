"""Attacks on the server's edge, most of them without a key: connections, heads and bodies that never end."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from bench.abuse.place import Place

ATTACKERS = [f"127.0.0.{number}" for number in range(66, 76)]  # addresses of loopback; the honest come from 127.0.0.1
SIGN_IN = b"POST /console/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
HOLD_S = 8.0  # that an attack goes on which holds on to something


def endless_header(place: Place) -> None:
    """One header of 200 MB."""
    with _connected(place) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nx: ")
        with contextlib.suppress(OSError):
            connection.sendall(b"y" * 200_000_000)


def many_headers(place: Place) -> None:
    """Heads of as many small headers as there can be, from 200 connections."""
    _all_at_once(place, 200, b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * 40_000)


def silent_connections(place: Place) -> None:
    """4,000 connections from ten addresses that say nothing."""
    with contextlib.ExitStack() as stack:
        for number in range(4000):
            with contextlib.suppress(OSError):
                stack.enter_context(_connected(place, number))
        time.sleep(HOLD_S)


def half_sent_bodies(place: Place) -> None:
    """500 bodies of which the last bytes never come, to where nobody needs a key."""
    _all_at_once(place, 500, SIGN_IN % 1_000_000 + b"[" * 990_000)


def nested_bodies(place: Place) -> None:
    """100 bodies of a megabyte that are all structure."""
    body = b"[" + b"{}," * 333_000 + b"{}]"
    _all_at_once(place, 100, SIGN_IN % len(body) + body)


def pipelined_requests(place: Place) -> None:
    """100 connections with a quarter of a megabyte of requests behind one another."""
    _all_at_once(place, 100, b"GET /health HTTP/1.1\r\n\r\n" * 11_000)


def endless_trailers(place: Place) -> None:
    """50 bodies that end in trailers without end."""
    head = b"POST /console/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    _all_at_once(place, 50, head + b"trailer: y\r\n" * 400_000)


def many_streams(place: Place) -> None:
    """1,500 event streams of one key."""
    head = f"GET /api/v1/tasks/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {place.attacker}\r\n\r\n"
    _all_at_once(place, 1500, head.encode())


def _connected(place: Place, number: int = 0) -> socket.socket:
    source = (ATTACKERS[number % len(ATTACKERS)], 0)
    return socket.create_connection(("127.0.0.1", place.port), timeout=HOLD_S, source_address=source)


def _all_at_once(place: Place, connections: int, content: bytes) -> None:
    """Send ``content`` on so many connections, by a few threads, and hold them open."""
    numbers = iter(range(connections))
    with contextlib.ExitStack() as stack:
        _by_threads(lambda: _sent(place, numbers, content, stack))
        time.sleep(HOLD_S)


def _sent(place: Place, numbers: Iterator[int], content: bytes, stack: contextlib.ExitStack) -> None:
    for number in numbers:
        with contextlib.suppress(OSError):
            connection = stack.enter_context(_connected(place, number))
            connection.settimeout(1.0)
            connection.sendall(content)


def _by_threads(work: Callable[[], None], threads: int = 4) -> None:
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
