"""The server's processes as an operator runs them, to be stopped and killed, and a receiver that keeps what it gets."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

from antiphon.client import NO_RETRIES, Client
from antiphon.contract.kinds import Kind
from antiphon.contract.signatures import verify_standard
from antiphon.settings import load_settings
from tests.waiting import wait_for

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds: of a machine that is busy with other things, too
Found = TypeVar("Found")


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Process:
    """``python -m antiphon …`` with its log."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "antiphon", *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def await_log(self, text: str) -> str:
        """Wait until the log has the text; fails at once when the process ends without it."""

        def look() -> str | None:
            log = self.log
            if text not in log:
                assert self.exit_code is None, f"ended with {self.exit_code}:\n{self.log[-4000:]}"
                return None
            return log

        return wait_for(look, f"'{text}' in the log")

    def engines(self) -> list[int]:
        """The ids of the engine processes that it runs now."""
        with suppress(FileNotFoundError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            return [int(child) for child in children if "antiphon.music" in command_line(int(child))]
        return []

    def await_engine(self) -> int:
        return wait_for(self.engines, "an engine")[0]

    def freeze_engine(self) -> int:
        """Hold the engine where it is, so that nothing depends on how fast it is; gives its id."""
        engine = self.await_engine()
        os.kill(engine, signal.SIGSTOP)
        return engine

    def kill(self) -> None:
        """As the kernel does when memory runs out: kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self, patience: float = 30.0) -> int:
        """SIGTERM; gives the exit code."""
        self.ask_to_stop()
        return self._process.wait(patience)

    def ask_to_stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.ask_to_stop()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def command_line(pid: int) -> str:
    """Of a process that lives; empty for one that is gone or a zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


@dataclass(frozen=True)
class Received:
    """A callback as it came, ``at`` Unix seconds; the headers' names are in lower case."""

    at: float
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers 200 and keeps every callback."""

    def __init__(self) -> None:
        self._received: list[Received] = []
        received = self._received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(Received(time.time(), {name.lower(): v for name, v in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_address[1]}/callback"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def received_for(self, task_id: str) -> list[Received]:
        """What came for a task, in order."""
        return [received for received in list(self._received) if task_id.encode() in received.body]

    def callbacks_of(self, task_id: str, key: str | None = None) -> list[dict[str, Any]]:
        """The messages that came for a task, in order, each verified when a webhook key is given."""
        found = []
        for received in self.received_for(task_id):
            message = json.loads(received.body)
            if task_id in (message["data"].get("task_id"), message["data"].get("taskId")):
                if key:
                    verify_standard(received.headers, received.body, [key], now=received.at)
                found.append(message)
        return found

    def await_callback(self, task_id: str, key: str | None = None) -> dict[str, Any]:
        return wait_for(lambda: self.callbacks_of(task_id, key), f"the callback of {task_id}")[0]


class Cluster:
    """Processes of one server over one database, each with a data folder like a machine of its own unless told
    otherwise."""

    def __init__(self, folder: Path, database_url: str | None, **settings: object) -> None:
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        self.storage = folder / "storage"
        self.processes: list[Process] = []
        self.api_key = self.webhook_key = ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")},
            "ANTIPHON_MODELS": str(load_settings().models_folder),
            **({"ANTIPHON_DATABASE_URL": database_url} if database_url else {}),
            "ANTIPHON_STORAGE_URL": str(self.storage),
            "ANTIPHON_SECRET": secrets.token_hex(32),
            "ANTIPHON_PUBLIC_URL": self.base_url,
            "ANTIPHON_PORT": str(self.port),
            "ANTIPHON_CALLBACK_ALLOW": f"{HOST}/32",
            "ANTIPHON_RATE_LIMIT": "10000",
            "ANTIPHON_HEARTBEAT": "1",
            "ANTIPHON_STALLED_AFTER": "4",
            **{f"ANTIPHON_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.processes:
            process.ask_to_stop()
        for process in self.processes:
            process.close()

    def launch(self, *roles: str, machine: str = "one", **settings: object) -> Process:
        """Start a process without waiting for it."""
        data = self.folder / machine
        environment = {**self.environment, "ANTIPHON_DATA": str(data)}
        environment |= {f"ANTIPHON_{name.upper()}": str(value) for name, value in settings.items()}
        log = self.folder / f"{len(self.processes)}-{'-'.join(roles)}-{machine}.log"
        arguments = ["serve", *(part for role in roles for part in ("--role", role))]
        process = Process(arguments, environment, log)
        self.processes.append(process)
        return process

    def start(self, *roles: str, machine: str = "one", **settings: object) -> Process:
        """Start a process and wait until it serves."""
        process = self.launch(*roles, machine=machine, **settings)
        log = process.await_log("serving")
        if not self.api_key:
            found = re.search(r"API key +(\S+)\n +webhook key +(\S+)", log)
            assert found, log
            self.api_key, self.webhook_key = found.groups()
        if "api" in roles or not roles:
            wait_for(self._answers, "the API")
        return process

    def client(self) -> Client:
        return Client(self.base_url, self.api_key, retries=NO_RETRIES)

    def command(self, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line to its end."""
        environment = {**self.environment, "ANTIPHON_DATA": str(self.folder / "one")}
        environment |= {f"ANTIPHON_{name.upper()}": str(value) for name, value in settings.items()}
        return subprocess.run(
            [sys.executable, "-m", "antiphon", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def succeed(self, *arguments: str, **settings: object) -> str:
        """What a command prints that must not fail."""
        done = self.command(*arguments, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stored(self) -> set[str]:
        """The files in the storage folder, as paths."""
        return {str(path.relative_to(self.storage)) for path in self.storage.rglob("*") if path.is_file()}

    def scratch(self, machine: str = "one") -> list[Path]:
        return [path for path in (self.folder / machine / "scratch").glob("*") if path.is_dir()]

    def _answers(self) -> bool:
        with suppress(OSError):
            socket.create_connection((HOST, self.port), timeout=5).close()
            return True
        return False


def await_end(client: Client, kind: Kind, task_id: str, *, patience: float = 120.0) -> dict[str, Any]:
    """The record of a task when it has ended."""

    def look() -> dict[str, Any] | None:
        record = client.record(kind, task_id)
        return record if record["taskState"] in ("succeeded", "failed", "cancelled") else None

    return wait_for(look, f"the end of {kind} {task_id}", seconds=patience)


def await_progress(client: Client, kind: Kind, task_id: str) -> dict[str, Any]:
    """The record of a task that runs and has done a part."""

    def look() -> dict[str, Any] | None:
        record = client.record(kind, task_id)
        assert record["taskState"] in ("queued", "running"), record
        return record if record["taskState"] == "running" and record["progress"] > 0 else None

    return wait_for(look, f"progress of {kind} {task_id}")
