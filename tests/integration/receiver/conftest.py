"""Receivers as processes, and plain sockets to them."""

import http.client
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.paths import ROOT
from tests.unit.receiver.sending import midi, signature


@dataclass
class Served:
    """A running receiver. ``handled`` are the lines of its function: word, task id, attempt, process id."""

    process: "subprocess.Popen[str]"
    port: int
    log: Path

    @property
    def handled(self) -> list[tuple[str, str, int, int]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [(word, task, int(attempt), int(pid)) for word, task, attempt, pid in map(str.split, lines)]

    def ended(self, task_id: str) -> list[int]:
        """The attempts in which the function came to its end for this task."""
        return [attempt for word, task, attempt, _ in self.handled if (word, task) == ("end", task_id)]

    def post(self, body: bytes, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/hook", body, {**signature(body), **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def post_midi(self, task_id: str) -> int:
        return self.post(midi(task_id))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def answered(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a receiver on ``tmp_path / "inbox"``; each start is another process on the same inbox."""
    with ExitStack() as stack:

        def start(*options: str) -> Served:
            log = tmp_path / "handled"
            command = [sys.executable, "-m", "tests.integration.receiver.served", str(tmp_path / "inbox"), str(log)]
            process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, cwd=ROOT)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            port = urlsplit(process.stdout.readline()).port
            assert port is not None
            return Served(process, port, log)

        yield start
