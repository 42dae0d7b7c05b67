"""Processes of the demonstration: the server's and a receiver, on loopback, as a context manager."""

import asyncio
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from antiphon.database.embedded import EmbeddedPostgres
from antiphon.errors import AntiphonError
from antiphon.services import open_services
from antiphon.settings import Settings

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
HOST = "127.0.0.1"

ServerProcess = subprocess.Popen[bytes]


@dataclass(frozen=True)
class DemoServer:
    """Where the demonstration plays."""

    base_url: str
    callback_url: str
    api_key: str
    webhook_key: str
    inbox: Path


@contextlib.contextmanager
def running_processes(models: Path) -> Iterator[DemoServer]:
    """API with sender, worker and receiver as processes of their own, over an embedded PostgreSQL and a new data
    folder; all of it is gone after the block."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-demo-")))
        data = folder / "data"
        postgres = EmbeddedPostgres(data)
        stack.callback(postgres.destroy)
        api_port, receiver_port = _free_ports(2)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")},
            "ANTIPHON_DATA": str(data),
            "ANTIPHON_MODELS": str(models.resolve()),
            "ANTIPHON_DATABASE_URL": stack.enter_context(postgres),
            "ANTIPHON_PORT": str(api_port),
            "ANTIPHON_SECRET": secrets.token_hex(32),
            "ANTIPHON_CALLBACK_ALLOW": f"{HOST}/32",
        }
        api_key, webhook_key = _make_keys(environment)
        inbox = folder / "inbox"
        receive = ["receive", "--inbox", str(inbox), "--no-download"]  # the demo itself downloads
        commands = {
            "api": ["serve", "--role", "api", "--role", "sender"],
            "worker": ["serve", "--role", "worker"],
            "receiver": [*receive, "--port", str(receiver_port), "--key", webhook_key],
        }
        processes = {
            name: stack.enter_context(_process(name, arguments, environment, folder / f"{name}.log"))
            for name, arguments in commands.items()
        }
        base_url, receiver_url = f"http://{HOST}:{api_port}", f"http://{HOST}:{receiver_port}"
        _await_answer(f"{base_url}/health", processes["api"], folder / "api.log")
        _await_answer(receiver_url, processes["receiver"], folder / "receiver.log")
        yield DemoServer(base_url, f"{receiver_url}/callback", api_key, webhook_key, inbox)


def _make_keys(environment: dict[str, str]) -> tuple[str, str]:
    """An API key by the command line, as an operator makes one, and the webhook key of the first start."""
    settings = Settings(
        data=Path(environment["ANTIPHON_DATA"]),
        database_url=environment["ANTIPHON_DATABASE_URL"],
        secret=environment["ANTIPHON_SECRET"],
    )

    async def first() -> tuple[str, str]:
        async with open_services(settings) as services:
            assert services.first_keys is not None
            return services.first_keys.api_key, services.first_keys.webhook_key

    return asyncio.run(first())


@contextlib.contextmanager
def _process(name: str, arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[ServerProcess]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "antiphon", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
        if process.poll() is not None:
            raise AntiphonError(f"the {name} process ended by itself:\n{_tail(log)}")
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], timeout: float = STOP_TIMEOUT_S) -> None:
    """Ask a process to end, and end it if it has not after ``timeout`` seconds."""
    process.terminate()
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_answer(url: str, process: ServerProcess, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, trust_env=False, timeout=5)
            return
        time.sleep(0.1)
    raise AntiphonError(f"nothing answers at {url}:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [found.getsockname()[1] for found in sockets]
