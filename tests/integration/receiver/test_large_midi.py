"""MIDI of a whole song, hundreds of KB, at receivers with the limit of the documented sample."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.integration.server import Server
from tests.paths import EXAMPLE_RECEIVERS

EXPRESS = EXAMPLE_RECEIVERS / "express"
SCRIPT = """
const express = require('express');
const app = express();
app.use(express.json(%s));
app.post('/callback', (request, response) => response.json({ status: 'received' }));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""
Start = Callable[[str], str]

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (EXPRESS / "node_modules").is_dir(),
    reason="Node.js or Express is missing: 'make test' installs them",
)


@pytest.fixture
def express() -> Iterator[Start]:
    """Starts a receiver like the documented sample; gives its address."""
    with ExitStack() as stack:

        def start(limit: str) -> str:
            command = ["node", "-e", SCRIPT % limit]
            process = subprocess.Popen(
                command, cwd=EXPRESS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            port = int(process.stdout.readline())
            return f"http://127.0.0.1:{port}/callback"

        yield start


def large_trial(server: Server, url: str) -> Any:
    trials = server.post("/callbacks/test", {"callBackUrl": url, "kinds": ["midi"]})["trials"]
    assert [trial["acknowledged"] for trial in trials if trial["bytes"] < 10_000] == [True, True]
    return next(trial for trial in trials if trial["bytes"] > 300_000)


def test_the_default_limit_of_express_is_told_with_the_remedy(server: Server, express: Start) -> None:
    trial = large_trial(server, express(""))
    assert not trial["acknowledged"]
    assert "no body of" in trial["error"] and "express.json({limit: '32mb'})" in trial["error"]


def test_with_its_limit_raised_express_takes_it(server: Server, express: Start) -> None:
    assert large_trial(server, express("{ limit: '32mb' }"))["acknowledged"]


def test_a_reset_while_the_body_is_sent_is_told_as_what_it_is(server: Server) -> None:
    """A receiver that reads the headers and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            for _ in range(6):  # three samples; what was sent over a kept connection is sent once more
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(1000)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        trials = server.post("/callbacks/test", {"callBackUrl": url, "kinds": ["midi"]})["trials"]
    large = next(trial for trial in trials if trial["bytes"] > 300_000)
    assert "it may take no body of this size" in large["error"]
    assert all("body of this size" not in trial["error"] for trial in trials if trial["bytes"] < 10_000)
