"""The server under attack, in a process with a memory limit of its own, and what is watched of it meanwhile."""

import contextlib
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from antiphon.database.embedded import EmbeddedPostgres
from antiphon.demo.processes import stop
from antiphon.music.audio import Writer

MAX_SERVER_BYTES = 6_000_000_000  # of address space, for the server and each of its children: this machine has others
START_TIMEOUT_S = 60.0
HEALTH_PAUSE_S, MEMORY_PAUSE_S = 0.05, 0.02
PATIENCE_S = 120.0  # of an honest client
HONEST_SONG_S = 3.0
MEGABYTE = 1_000_000


@dataclass
class Place:
    """A running server. ``admin`` is its first key, ``attacker`` and ``honest`` are keys of tenants; a webhook key is
    what a tenant's receiver verifies with."""

    url: str
    pid: int
    folder: Path
    admin: str
    webhook_keys: dict[str, str]
    attacker: str = ""
    honest: str = ""
    song: Path = field(init=False)

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 80

    def call(self, method: str, path: str, key: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.request(
            method, f"{self.url}/api/v1{path}", headers=headers, trust_env=False, timeout=PATIENCE_S, **how
        )

    def upload(self, path: Path, key: str, **how: Any) -> httpx.Response:
        with path.open("rb") as file:
            return self.call(
                "POST", "/audio/upload", key, files={"file": (path.name, file), **how.pop("files", {})}, **how
            )

    def new_tenant(self, name: str) -> str:
        """An API key; its webhook key is the one that came with it, else the server's only one."""
        made = self.call("POST", "/keys", self.admin, json={"name": name}).json()["data"]
        with_it = [value for value in made.values() if isinstance(value, str) and value.startswith("whsec_")]
        key: str = made["key"]
        self.webhook_keys[key] = with_it[0] if with_it else self.webhook_keys[self.admin]
        return key


@contextlib.contextmanager
def attacked() -> Iterator[Place]:
    """A server of its own, to which clients come without a proxy; all of it is gone after the block."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-abuse-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        stack.callback(postgres.destroy)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")} | {
            "ANTIPHON_DATA": str(folder / "data"),
            "ANTIPHON_DATABASE_URL": stack.enter_context(postgres),
            "ANTIPHON_SECRET": secrets.token_hex(32),
            "ANTIPHON_PORT": "0",
            "ANTIPHON_LOG_FORMAT": "json",
            "ANTIPHON_TRUSTED_PROXIES": "",
            "ANTIPHON_RATE_LIMIT": "100000",
        }
        place = stack.enter_context(_serving(folder, environment))
        place.attacker, place.honest = place.new_tenant("attacker"), place.new_tenant("honest")
        place.song = folder / "song.flac"
        _write_song(place.song)
        yield place


@contextlib.contextmanager
def _serving(folder: Path, environment: dict[str, str]) -> Iterator[Place]:
    said, log = folder / "said", folder / "log"
    command = [sys.executable, "-m", "antiphon", "serve", "--role", "api", "--role", "sender"]
    with said.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr, preexec_fn=_limit)
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (url := _value(log.read_text(), '"url": "', '"')) or "API key" not in said.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        words = said.read_text().split()
        key = next(word for word in words if word.startswith("ak_"))
        webhook_key = next(word for word in words if word.startswith("whsec_"))
        yield Place(url, process.pid, folder, key, {key: webhook_key})
    finally:
        stop(process)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_SERVER_BYTES, MAX_SERVER_BYTES))


def _value(text: str, before: str, behind: str) -> str:
    return text.partition(before)[2].partition(behind)[0]


def _write_song(path: Path) -> None:
    import numpy as np

    time_axis = np.arange(int(44_100 * HONEST_SONG_S)) / 44_100
    tone = (0.2 * np.sin(2 * np.pi * 440 * time_axis)).astype(np.float32)
    with Writer(path, 44_100, 2, "flac") as writer:
        writer.write(np.stack([tone, tone], axis=1))


class Watch:
    """What others notice, from when it begins until it ends: two threads that ask, and one that looks at memory."""

    def __init__(self, place: Place) -> None:
        self.health_ms: list[float] = []
        self.waits_s: list[float] = []
        self.api_bytes = 0
        self.inspect_bytes = 0
        self._place = place
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._until_the_end, args=(look,))
            for look in (self._ask_health, self._upload_honestly, self._look_at_memory)
        ]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def figures(self) -> dict[str, float]:
        return {
            "api_rss_mb": round(self.api_bytes / MEGABYTE, 1),
            "health_worst_ms": round(max(self.health_ms), 1),
            "other_key_wait_s": round(max(self.waits_s), 2),
            "inspect_rss_mb": round(self.inspect_bytes / MEGABYTE, 1),
        }

    def _until_the_end(self, look: Any) -> None:
        """At least one look, also at an attack that is over at once."""
        while True:
            look()
            if self._over.is_set():
                return

    def _ask_health(self) -> None:
        began = time.monotonic()
        with contextlib.suppress(httpx.HTTPError):  # counted by the time that it took
            httpx.get(f"{self._place.url}/health", trust_env=False, timeout=PATIENCE_S).raise_for_status()
            self.health_ms.append(1000 * (time.monotonic() - began))
            self._over.wait(HEALTH_PAUSE_S)
            return
        self.health_ms.append(max(1000 * (time.monotonic() - began), 1000 * PATIENCE_S))

    def _upload_honestly(self) -> None:
        began = time.monotonic()
        try:
            served = self._place.upload(self._place.song, self._place.honest).status_code == 200
        except httpx.HTTPError:
            served = False
        self.waits_s.append(time.monotonic() - began if served else PATIENCE_S)
        self._over.wait(1.0)

    def _look_at_memory(self) -> None:
        self.api_bytes = max(self.api_bytes, _resident(self._place.pid))
        self.inspect_bytes = max([self.inspect_bytes, *map(_resident, engines(self._place.pid))])
        self._over.wait(MEMORY_PAUSE_S)


def engines(pid: int) -> list[int]:
    """The process ids of the engines among the children of a server."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                if b"antiphon.music" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
    return found


def _resident(pid: int) -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
