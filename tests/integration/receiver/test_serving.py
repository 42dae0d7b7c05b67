"""The receiver's own server against clients that are slow, large, many or broken."""

import time
from contextlib import ExitStack

import pytest

from tests.integration.receiver.conftest import Served, Start, answered
from tests.integration.receiver.served import CONNECTIONS
from tests.unit.receiver.sending import MIDI, signature
from tests.waiting import wait_for


@pytest.fixture(params=["full", "light"])
def served(start: Start, request: pytest.FixtureRequest) -> Served:
    return start(request.param)


def head(length: int, body: bytes = MIDI) -> bytes:
    fields = {"Host": "x", "Content-Length": str(length), **signature(body)}
    return b"POST /hook HTTP/1.1\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items())


def trickle(served: Served, beginning: bytes, endless: bytes, seconds: float = 8.0) -> bytes:
    """Send a byte now and then, until the other side has had enough; gives what it said."""
    with served.connect() as connection:
        connection.sendall(beginning)
        connection.settimeout(0.02)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                return connection.recv(65_536)
            except TimeoutError:
                connection.sendall(endless)
    raise AssertionError("it was never cut off")


def test_headers_that_come_too_slowly_are_cut_off_with_408(served: Served) -> None:
    assert trickle(served, b"POST /hook HTTP/1.1\r\nHost: x\r\n", b"a").startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_is_closed(served: Served) -> None:
    with served.connect() as connection:
        assert answered(connection) == b""


def test_a_body_that_comes_too_slowly_is_cut_off_with_408(served: Served) -> None:
    assert trickle(served, head(1000) + b"\r\n", b"x").startswith(b"HTTP/1.1 408 ")


def test_a_second_request_on_a_connection_has_the_same_time(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(head(len(MIDI)) + b"\r\n" + MIDI)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"POST /ho")
        assert b"HTTP/1.1 408 " in answered(connection)


def test_headers_without_end_are_cut_off(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(b"POST /hook HTTP/1.1\r\nHost: x\r\n")
        try:
            for _ in range(200):
                connection.sendall(b"x-more: " + b"y" * 1000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return
        said = answered(connection)
        assert said == b"" or said.startswith(b"HTTP/1.1 400 ")


def test_headers_that_are_too_large_get_400(served: Served) -> None:
    assert served.post(MIDI, **{"X-More": "y" * 40_000}) == 400


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x02\x00\x01\x00\x01", b"HELO there\r\n\r\n", b"\r\n" * 10 + b"\x00"])
def test_what_is_no_http_gets_400_or_nothing(served: Served, junk: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(junk)
        said = answered(connection)
        assert said == b"" or said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))


def test_a_body_that_is_too_large_gets_413_even_though_it_is_still_being_sent(served: Served) -> None:
    assert served.post(b"x" * 3_000_000) == 413


def test_a_body_whose_signature_cannot_hold_is_answered_401_while_it_is_still_being_sent(served: Served) -> None:
    stale = signature(b"", now=time.time() - 1000)
    assert served.post(b"x" * 1_900_000, **stale) == 401
    assert trickle(served, b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"x").startswith(
        b"HTTP/1.1 401 "
    )


def test_many_that_send_halves_of_bodies_without_a_key_keep_no_callback_out(served: Served) -> None:
    half = head(2_000_000) + b"\r\n" + b"x" * 1_000_000  # a signature that is well-formed, and of another body
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(served.connect()).sendall(half)
        assert served.post_midi("a") == 200


def test_a_body_without_a_length_is_taken_too(served: Served) -> None:
    with served.connect() as connection:
        fields = (
            head(0)
            .replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
            .replace(b"Host", b"Connection: close\r\nHost")
        )
        connection.sendall(fields + b"\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(MIDI), MIDI))
        assert answered(connection).startswith(b"HTTP/1.1 200 ")


def test_hundreds_that_hold_connections_open_do_not_keep_a_callback_out(served: Served) -> None:
    with ExitStack() as stack:
        for number in range(5 * CONNECTIONS):
            stack.enter_context(served.connect()).sendall(b"POST /hook HTTP/1.1\r\nx: y")
            if number % 20 == 0:
                assert served.post_midi(f"task-{number}") == 200
    wait_for(lambda: len(served.handled) == 2 * len(range(0, 5 * CONNECTIONS, 20)))


def test_other_methods_and_junk_get_their_status(served: Served) -> None:
    assert served.post(b"no json") == 400
    assert served.post(MIDI, **{"webhook-signature": "v1,nothing"}) == 401
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        said = answered(connection)
        assert said.startswith(b"HTTP/1.1 405 ") and b"allow: POST" in said
