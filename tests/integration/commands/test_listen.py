"""'antiphon listen': a key's callbacks posted to a local receiver, whatever breaks off in between."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from antiphon.contract import signatures
from tests.integration.recording_receiver import Received, Receiver
from tests.integration.server import Server, running
from tests.integration.streams import Ended
from tests.waiting import wait_for


@pytest.fixture
def fresh() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def end(server: Server, key: str) -> Ended:
    return Ended(server, key)


class Listening:
    """``antiphon listen`` in a process of its own, and what it says."""

    def __init__(self, server_url: str, key: str, forward_to: str, state: Path, *more: str) -> None:
        command = [sys.executable, "-m", "antiphon", "listen", "--server", server_url, "--forward-to", forward_to]
        command += ["--api-key", key, "--state", str(state), *more]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            self.lines.extend(output)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(10)

    def says(self, words: str, count: int = 1, seconds: float = 20) -> str:
        """Wait for as many lines with these words; gives the last of them."""

        def look() -> str | None:
            found = [line for line in list(self.lines) if words in line]
            return found[-1] if len(found) >= count else None

        return wait_for(look, lambda: f"{words!r}, said were:\n{''.join(self.lines)}", seconds=seconds)

    def stop(self, signum: int = signal.SIGINT) -> int:
        self.process.send_signal(signum)
        return self.process.wait(10)


@pytest.fixture
def listen(server: Server, key: str, fresh: Receiver, tmp_path: Path) -> Iterator[Callable[..., Listening]]:
    """Starts the command; it keeps its place in one file."""
    with contextlib.ExitStack() as stack:

        def start(*more: str, url: str = server.url, forward_to: str = fresh.url) -> Listening:
            listening = Listening(url, key, forward_to, tmp_path / "place.json", *more)
            stack.callback(listening.close)
            return listening

        yield start


def test_callbacks_are_posted_to_the_local_receiver_and_told_a_line_each(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    listening = listen()
    listening.says("listening to")
    good, bad = end(), end("failed")
    (request,) = fresh.wait(good, seconds=10)
    fresh.wait(bad, seconds=10)
    _genuine(server, request)
    assert request.headers["user-agent"].startswith("Antiphon/")
    assert "success" in listening.says(good)
    assert "200 in" in listening.says(good)
    assert "code 500" in listening.says(bad)
    assert listening.stop() == 0
    listening.says("the next start goes on from here")


def _genuine(server: Server, request: Received) -> None:
    signatures.verify_standard(request.headers, request.raw, [server.webhook_key], now=time.time())
    signatures.verify_documented(request.headers, request.task_id, [server.webhook_key], now=time.time())


def test_what_ended_while_nobody_listened_comes_at_the_next_start_and_nothing_twice(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    first = listen()
    first.says("listening to")
    before = end()
    fresh.wait(before, seconds=10)
    first.says(before)
    first.stop(signal.SIGKILL)
    meanwhile = [end(), end()]
    listen()
    for task_id in meanwhile:
        fresh.wait(task_id, seconds=10)
    assert [len(fresh.of(task_id)) for task_id in (before, *meanwhile)] == [1, 1, 1]


def test_since_brings_back_what_was_received_before(
    fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    task_id = end()
    listening = listen("--since", "5m")
    fresh.wait(task_id, seconds=10)
    listening.says(task_id)
    listening.stop()
    listen("--since", "5m")
    first, second = fresh.wait(task_id, count=2, seconds=10)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw


def test_a_receiver_that_is_away_gets_its_callbacks_in_order_when_it_is_back(
    server: Server, end: Ended, listen: Callable[..., Listening]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    listening = listen(forward_to=f"http://127.0.0.1:{port}/hook")
    listening.says("listening to")
    task_ids = [end(), end()]
    listening.says("nothing listens on")
    with Receiver(port) as back:
        for task_id in task_ids:
            (request,) = back.wait(task_id, seconds=10)
            _genuine(server, request)
        assert [one.task_id for one in back.received] == task_ids
    assert sum("nothing listens" in line for line in listening.lines) == 1


def test_a_refusal_is_shown_and_the_next_callback_comes_all_the_same(
    fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    listening = listen(forward_to=fresh.refusing_url)
    listening.says("listening to")
    first, second = end(), end()
    assert "answered 503, which is no acknowledgement" in listening.says(first)
    fresh.wait(second, seconds=10)


class Cable:
    """A TCP connection to the server that can be cut and mended."""

    def __init__(self, server: Server) -> None:
        self._target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self._listener: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self._port = 0
        self.mend()
        self.url = f"http://127.0.0.1:{self._port}"

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pairs.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._pairs += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := one.recv(65536):
                other.sendall(block)
            other.shutdown(socket.SHUT_WR)


def test_a_lost_connection_is_told_and_regained_and_nothing_is_lost_with_it(
    server: Server, fresh: Receiver, end: Ended, listen: Callable[..., Listening]
) -> None:
    cable = Cable(server)
    listening = listen(url=cable.url)
    listening.says("listening to")
    before = end()
    fresh.wait(before, seconds=10)
    cable.cut()
    listening.says("no connection to")
    meanwhile = end()
    cable.mend()
    listening.says("regained after")
    fresh.wait(meanwhile, seconds=10)
    assert [len(fresh.of(task_id)) for task_id in (before, meanwhile)] == [1, 1]
    cable.cut()


def test_a_wrong_key_and_a_wrong_address_end_it_with_one_line(server: Server, tmp_path: Path) -> None:
    wrong_key = Listening(server.url, "ak_wrong", "http://127.0.0.1:1/", tmp_path / "place")
    assert "answered 401" in wrong_key.says("error: ")
    assert wrong_key.process.wait(10) == 1
    no_url = Listening("localhost:8080", "ak_wrong", "http://127.0.0.1:1/", tmp_path / "place")
    assert "--server: expected a URL" in no_url.says("error: ")
    assert no_url.process.wait(10) == 1


def test_a_database_that_drops_every_connection_costs_no_callback(
    postgres_url: str, fresh: Receiver, listen: Callable[..., Listening], tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE listening")
    settings = {
        "database_url": postgres_url.replace("/antiphon?", "/listening?"),
        "storage_url": str(tmp_path / "artifacts"),
    }
    with running(tmp_path / "alone", "api", **settings) as alone:
        listening = listen("--api-key", alone.key, url=alone.url)
        listening.says("listening to")
        before = Ended(alone, alone.key)()
        fresh.wait(before, seconds=10)
        alone.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        meanwhile = [Ended(alone, alone.key)() for _ in range(3)]
        for task_id in meanwhile:
            fresh.wait(task_id, seconds=20)
    assert [len(fresh.of(task_id)) for task_id in (before, *meanwhile)] == [1, 1, 1, 1]
