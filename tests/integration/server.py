"""``antiphon serve`` as a child process, and what a test asks of it from outside: HTTP, the database, the disk."""

import contextlib
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.waiting import wait_for

RECORDS = {"separation": "/vocal-removal", "midi": "/midi", "video": "/mp4"}
START, STOP = 60.0, 20.0  # seconds
Found = TypeVar("Found")


@dataclass
class Server:
    """A running server. ``key`` and ``webhook_key`` are what its first start showed (empty on a second server)."""

    url: str
    data: Path
    storage: Path
    database_url: str
    pid: int
    key: str = ""
    webhook_key: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=60))
    clients: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)  # others, closed at its end

    def call(self, method: str, path: str, *, key: str | None = None, **how: Any) -> httpx.Response:
        """Call ``/api/v1`` + ``path`` with the given key, else with this server's own."""
        headers = {"Authorization": f"Bearer {key or self.key}", **how.pop("headers", {})}
        return self.http.request(method, f"{self.url}/api/v1{path}", headers=headers, **how)

    def get(self, path: str, **how: Any) -> Any:
        """``data`` of a GET that must succeed."""
        return succeeded(self.call("GET", path, **how))

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        """``data`` of a POST that must succeed."""
        return succeeded(self.call("POST", path, json=body, **how))

    def upload(self, path: Path, *, key: str | None = None, **fields: str) -> Any:
        with path.open("rb") as file:
            files = {"file": (path.name, file)}
            return succeeded(self.call("POST", "/audio/upload", key=key, files=files, data=fields))

    def record(self, kind: str, task_id: str, *, key: str | None = None) -> Any:
        return self.get(f"{RECORDS[kind]}/record-info", params={"taskId": task_id}, key=key)

    def ended(self, kind: str, task_id: str, seconds: float = 120) -> Any:
        """The record of a task, as soon as it has ended."""

        def look() -> Any:
            record = self.record(kind, task_id)
            return record if record["taskState"] not in ("queued", "running") else None

        return wait_for(look, seconds=seconds)

    def healthy(self) -> bool:
        return self.http.get(f"{self.url}/health").status_code == 200

    @cached_property
    def database(self) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row)

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.database.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def new_key(self, name: str = "test") -> str:
        key = f"ak_{secrets.token_urlsafe(32)}"
        self.sql("INSERT INTO api_keys (name, digest) VALUES (%s, %s)", name, hashlib.sha256(key.encode()).digest())
        return key

    def plant(self, kind: str, state: str, *, key: str | None = None, tracks: tuple[str, ...] = (), **more: Any) -> str:
        """A task that is in the database as if it had come to this state; gives its id. No worker runs it.

        ``tracks`` are artifacts whose bytes are not in the storage; their audio ids are the task's own.
        """
        task_id, digest = uuid4().hex, hashlib.sha256((key or self.key).encode()).digest()
        row = {"id": task_id, "kind": kind, "state": state, "audio_id": str(uuid4()), **more}
        row["parameters"] = Jsonb({"title": "Planted", "type": "split_stem", **more.get("parameters", {})})
        if "result" in more:
            row["result"] = Jsonb(more["result"])
        names = ", ".join(row)
        ended = state not in ("queued", "running")
        self.sql(
            f"INSERT INTO tasks ({names}, api_key_id, completed_at, expires_at) VALUES ({', '.join(['%s'] * len(row))},"
            f" (SELECT id FROM api_keys WHERE digest = %s), {'now()' if ended else 'NULL'},"
            f" {'now() + make_interval(days => 14)' if ended else 'NULL'})",
            *row.values(),
            digest,
        )
        if not ended:  # with a job, or it would be taken for lost and given one; in a queue that no worker knows
            self.sql(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('planted', 'planted', %s)",
                Jsonb({"task_id": task_id}),
            )
        for name in tracks:
            self.sql(
                "INSERT INTO artifacts (task_id, name, audio_id, key, filename, content_type, size, duration)"
                " VALUES (%s, %s, %s, %s, %s, 'audio/flac', 1, 6)",
                *(task_id, name, row["audio_id"], f"{task_id}/0/{name}.flac", f"Planted - {name}.flac"),
            )
        return task_id

    def audio_id(self, task_id: str) -> str:
        return str(self.sql("SELECT audio_id FROM tasks WHERE id = %s", task_id)[0]["audio_id"])

    def engines(self) -> list[int]:
        """The process ids of the engines that run now."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [int(child) for child in children if b"antiphon.music" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def belongings(self) -> dict[str, Any]:
        """All that a refused request must leave as it was."""
        tables = ("tasks", "artifacts", "deliveries", "idempotency_keys", "procrastinate_jobs")
        rows = {table: self.sql(f"SELECT count(*) AS number FROM {table}")[0]["number"] for table in tables}
        return rows | {
            "stored": sorted(str(path) for path in self.storage.rglob("*") if path.is_file()),
            "scratch": sorted(path.name for path in (self.data / "scratch").iterdir()),
        }


def succeeded(answer: httpx.Response) -> Any:
    envelope = answer.json()
    assert (answer.status_code, envelope["code"], envelope["msg"]) == (200, 200, "success"), envelope
    return envelope["data"]


@contextlib.contextmanager
def running(data: Path, *roles: str, **settings: str) -> Iterator[Server]:
    """Run ``antiphon serve`` with these settings until the end of the block."""
    data.mkdir(parents=True)
    said, log = data / "stdout", data / "log"
    chosen = {"data": str(data), "port": "0", "log_format": "json", **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
    environment |= {f"ANTIPHON_{name.upper()}": value for name, value in chosen.items()}
    command = [sys.executable, "-m", "antiphon", "serve", *(part for role in roles for part in ("--role", role))]
    with said.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
    try:
        url = wait_for(lambda: _url(process, log), seconds=START)
        keys = dict(re.findall(r"(API|webhook) key +(ak_\S+|whsec_\S+)", said.read_text()))
        server = Server(str(url), data, Path(settings["storage_url"]), settings["database_url"], process.pid)
        server.key, server.webhook_key = keys.get("API", ""), keys.get("webhook", "")
        with server.http, server.database, server.clients:
            yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str | None:
    """The address that the server says it serves."""
    assert process.poll() is None, log.read_text()
    for line in log.read_text().splitlines():
        if line.startswith("{") and json.loads(line).get("event") == "serving":
            return str(json.loads(line)["url"])
    return None
