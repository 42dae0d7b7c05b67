"""Connections that really break, at a real socket."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from antiphon.client import NO_RETRIES, ApiError, Client, Retries, Unreachable

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
SWIFT = Retries(first=0.001)
Act = Callable[[socket.socket], None]


def say(data: bytes) -> Act:
    return lambda connection: connection.sendall(data)


def answer(data: object, code: int = 200) -> Act:
    body = json.dumps({"code": code, "msg": "words", "data": data}).encode()
    head = f"HTTP/1.1 {code} Words\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return say(head.encode() + body)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


RECORD = answer({"taskId": TASK, "successFlag": 1})
MADE = answer({"taskId": "made"})
BREAKS: dict[str, Act] = {
    "a reset": reset,
    "silence": lambda connection: None,
    "half a head": say(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": say(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"code":200'),
    "another protocol": say(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "false compression": say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk"),
}


@contextmanager
def serving(*acts: Act) -> Iterator[tuple[str, list[bytes]]]:
    """Takes one connection for each act, reads the head of a request from it, acts, and closes it."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for act in acts:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(10)
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(65536)
                    heads.append(head)
                    act(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heads
        thread.join(10)
        assert not thread.is_alive(), f"only {len(heads)} of {len(acts)} requests came"


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_a_record_is_asked_for_again_when_its_answer_breaks(broken: Act) -> None:
    with serving(broken, broken, RECORD) as (url, heads), Client(url, "ak", retries=SWIFT) as client:
        assert client.record("midi", TASK)["successFlag"] == 1
        assert len(heads) == 3


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_work_is_not_asked_for_again_when_the_answer_breaks_and_the_server_is_not_ours(broken: Act) -> None:
    with serving(broken, answer(None, 404)) as (url, heads), Client(url, "ak", retries=SWIFT) as client:
        with pytest.raises(Unreachable) as failed:
            client.midi(TASK)
        assert failed.value.sent
        assert url in failed.value.message
        assert [head.split()[:2] for head in heads] == [
            [b"POST", b"/api/v1/midi/generate"],
            [b"GET", b"/api/v1/tasks?limit=1"],
        ]


def test_a_connection_that_the_server_closes_after_its_answer_costs_nothing() -> None:
    with serving(*[MADE] * 50) as (url, heads), Client(url, "ak", retries=NO_RETRIES) as client:
        assert {client.midi(TASK) for _ in range(50)} == {"made"}
        assert len(heads) == 50


def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    given_up = threading.Event()

    def hang(connection: socket.socket) -> None:
        given_up.wait(10)

    with serving(hang, RECORD) as (url, _), Client(url, "ak", retries=SWIFT) as client:
        with pytest.raises(Unreachable, match="did not answer in time"):
            client.look(TASK, "midi", timeout=0.2)
        given_up.set()
        assert client.record("midi", TASK)["successFlag"] == 1


def test_a_refusal_in_the_middle_of_an_upload_is_heard(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.write_bytes(bytes(20_000_000))
    too_large = b'{"code":413,"msg":"file: larger than 5 MB","data":null}'
    head = f"HTTP/1.1 413 Large\r\nContent-Length: {len(too_large)}\r\nConnection: close\r\n\r\n".encode()

    def refuse(connection: socket.socket) -> None:
        connection.sendall(head + too_large)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 20):
            pass

    with serving(refuse) as (url, _), Client(url, "ak") as client, pytest.raises(ApiError, match="larger than 5 MB"):
        client.upload(song)


def test_nothing_that_listens_is_said_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        Client(url, "ak", retries=SWIFT) as client,
        pytest.raises(Unreachable, match=f"no connection to {url}") as failed,
    ):
        client.midi(TASK)
    assert not failed.value.sent
