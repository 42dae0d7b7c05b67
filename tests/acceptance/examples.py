"""The examples of receivers as processes, started by the commands that their READMEs give."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.acceptance.cluster import free_port
from tests.paths import EXAMPLE_RECEIVERS
from tests.waiting import wait_for

HOST = "127.0.0.1"
FAILING_FLUSH = """
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
const file = await open('.');
const { sync } = Object.getPrototypeOf(file);
Object.getPrototypeOf(file).sync = async function () {
  if (existsSync(process.env.BROKEN) && (await this.stat()).isDirectory()) throw new Error('EIO: i/o error, fsync');
  return sync.call(this);
};
await file.close();
"""  # loaded before the example: files are flushed, the folder that names them is not


@dataclass(frozen=True)
class Example:
    """``commands`` start it on ``PORT``. After the line ``work`` of its source begins what a user would change: the
    lines ``waiting`` make the work on MIDI wait for the file that ``GATE`` names, the lines ``failing`` make it fail
    as long as that file is not there."""

    name: str
    source: str
    needs: tuple[str, ...]
    commands: tuple[str, ...]
    path: str
    work: str
    waiting: str
    failing: str

    @property
    def folder(self) -> Path:
        return EXAMPLE_RECEIVERS / self.name

    def missing(self) -> str:
        """What this machine lacks, in words; "" when there is nothing."""
        absent = [program for program in self.needs if not shutil.which(program)]
        if absent:
            return f"{', '.join(absent)} not found: 'make test' as root installs it"
        if (self.folder / "package.json").exists() and not (self.folder / "node_modules").exists():
            return f"'npm ci' has not been run in {self.folder}: 'make test' does"
        return ""

    def copy(self, folder: Path, extra: str = "") -> Path:
        """The example in a folder of its own, with ``extra`` lines where its work begins."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("node_modules", "inbox*", "__pycache__"))
        if (self.folder / "node_modules").exists():
            (folder / "node_modules").symlink_to(self.folder / "node_modules")
        source = (folder / self.source).read_text()
        assert source.count(self.work) == 1
        (folder / self.source).write_text(source.replace(self.work, f"{self.work}\n{extra}" if extra else self.work))
        return folder


_PYTHON = """
    import os, time
    while not os.path.exists(os.environ["GATE"]):
        {until}
"""

EXAMPLES = (
    Example(
        "express",
        "receiver.js",
        ("node",),
        ("npm start",),
        "/hook",
        "async function work(taskId, { code, msg, data, instruments = data?.instruments }) {",
        "  const { existsSync } = await import('node:fs');\n"
        "  while (!existsSync(process.env.GATE)) await new Promise((resume) => setTimeout(resume, 20));",
        "  if (!(await import('node:fs')).existsSync(process.env.GATE)) throw new Error('not yet');",
    ),
    Example(
        "php",
        "receiver.php",
        ("php",),
        ("php -c php.ini receiver.php", f"php -c php.ini -S {HOST}:3000 receiver.php"),
        "/",
        "function work(string $taskId, array $callback): void\n{",
        "    while (!file_exists(getenv('GATE'))) usleep(20_000);",
        "    if (!file_exists(getenv('GATE'))) throw new Exception('not yet');",
    ),
    Example(
        "flask",
        "receiver.py",
        (),
        ("flask --app receiver run --port 3000",),
        "/hook",
        "def midi(result: MidiResult, delivery: Delivery) -> None:",
        _PYTHON.format(until="time.sleep(0.02)"),
        _PYTHON.format(until="raise RuntimeError('not yet')"),
    ),
    Example(
        "fastapi",
        "receiver.py",
        (),
        ("uvicorn receiver:app --port 3000",),
        "/hook",
        "async def midi(result: MidiResult, delivery: Delivery) -> None:",
        _PYTHON.format(until="await __import__('asyncio').sleep(0.02)"),
        _PYTHON.format(until="raise RuntimeError('not yet')"),
    ),
)


@dataclass
class Started:
    """A running example. ``log`` is what it has printed, over all its starts."""

    example: Example
    folder: Path
    keys: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}{self.example.path}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def worked(self, task_id: str) -> list[str]:
        """What the work on this task said, each time: of two threads, one may print before the other's line ends."""
        return re.findall(rf"{task_id} ((?:midi|video|stems|failed): .*)", self.log)

    def start(self) -> Self:
        """Run the commands until somebody listens."""
        bin_ = str(Path(sys.executable).parent)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTIPHON_")}
        environment |= {
            "WEBHOOK_KEYS": ",".join(self.keys),
            "PORT": str(self.port),
            "ALLOW_PRIVATE": "1",
            **self.environment,
        }
        environment["PATH"] = f"{bin_}{os.pathsep}{environment['PATH']}"
        for command in self.example.commands:
            words = command.replace("3000", str(self.port)).split()
            with (self.folder / "log").open("ab") as log:
                self.processes.append(
                    subprocess.Popen(
                        words,
                        cwd=self.folder,
                        env=environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        wait_for(self._listens, f"{self.example.name} to listen")
        return self

    def kill(self) -> None:
        """kill -9, to each with what it has started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()
        wait_for(lambda: not self._listens(), f"{self.example.name} to be gone")  # with all that its commands started

    def _listens(self) -> bool:
        assert all(process.poll() is None for process in self.processes), self.log
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            return True
        return False


@contextlib.contextmanager
def prepared(example: Example, folder: Path, *keys: str, extra: str = "", **environment: str) -> Iterator[Started]:
    """A copy of an example, which a test may start and kill; skips the test where something is missing."""
    if missing := example.missing():
        pytest.skip(missing)
    started = Started(example, example.copy(folder, extra), keys, environment)
    try:
        yield started
    finally:
        started.kill()
