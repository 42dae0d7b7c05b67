"""A receiver of callbacks on loopback that keeps what it gets."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.waiting import wait_for

REFUSING = "/refuse"


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    raw: bytes
    at: float = field(default_factory=time.time)

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def task_id(self) -> str:
        task_id: str = self.body["data"].get("task_id") or self.body["data"]["taskId"]
        return task_id


class Receiver:
    """Acknowledges everything but what comes to ``/refuse``."""

    def __init__(self, port: int = 0) -> None:
        self._received: list[Received] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}/hook?from=antiphon"
        self.refusing_url = f"http://127.0.0.1:{self._http.server_port}{REFUSING}"

    @property
    def received(self) -> list[Received]:
        """All that has come, in order."""
        with self._lock:
            return list(self._received)

    def of(self, task_id: str) -> list[Received]:
        with self._lock:
            return [one for one in self._received if one.task_id == task_id]

    def wait(self, task_id: str, *, count: int = 1, seconds: float = 60) -> list[Received]:
        """The callbacks of a task, as soon as there are ``count``."""

        def look() -> list[Received] | None:
            found = self.of(task_id)
            return found if len(found) >= count else None

        return wait_for(look, lambda: f"{count} callbacks of {task_id}: {len(self.of(task_id))} came", seconds=seconds)

    def _keep(self, received: Received) -> None:
        with self._lock:
            self._received.append(received)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._keep(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, raw))
                self.send_response(503 if self.path == REFUSING else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
