"""How fast callbacks are delivered, and by what else they could be.

Four contenders send the same callbacks to the same receiver, in turn: ours (``antiphon serve --role sender`` on an
embedded PostgreSQL with fsync), a Celery task on Redis (append-only file) with requests and autoretry, a Procrastinate
job per callback on the same PostgreSQL, and an aiohttp loop that keeps nothing. Callbacks are queued first; the worker
is started then, and the rate is taken from the first receipt to the last. Medians of the rounds. Then, with our sender
idle: latency from just before COMMIT to the receipt, one callback at a time; CPU; and the largest resident set of a
sender that has begun on 100,000 pending ones.

The receiver (in this process), the sender and the database share the cores.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import psycopg
import uvloop
from sqlalchemy import text

from antiphon.callbacks import outbox
from antiphon.database import Database
from antiphon.database.connection import migrate
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.demo.processes import stop
from bench import results
from bench.contenders import procrastinate_tasks
from bench.counting import Tally, receiving

ROOT = Path(__file__).parents[1]
CELERY = ROOT / ".venv" / "bench" / "bin"
PARALLEL = 64  # of ours, Procrastinate and the raw loop
CELERY_PROCESSES = 8
SMALL, LARGE = 1_000, 300_000  # bytes
PATIENCE = 60.0  # seconds for one run
NEW_TASK = text("INSERT INTO tasks (id, api_key_id, kind, state) VALUES (:id, 1000, 'midi', 'succeeded')")


Command = tuple[list[str], dict[str, str]]  # and its environment


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, asked to end after the block. What it says comes up if the block fails."""
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, stdout=words, stderr=words, cwd=ROOT, env=os.environ | environment)
        try:
            yield process
        except BaseException:
            words.seek(0)
            sys.stderr.buffer.write(words.read()[-4000:])
            raise
        finally:
            stop(process)


class Contender(Protocol):
    name: str

    async def queue(self, url: str, number: int, size: int) -> None:
        """Put callbacks where they survive, with no worker running."""

    def worker(self, url: str, number: int, size: int) -> Command:
        """What sends them."""


class Ours:
    name = "antiphon"

    def __init__(self, database_url: str, data: Path) -> None:
        self.database_url = database_url
        self._environment = {
            "ANTIPHON_DATABASE_URL": database_url,
            "ANTIPHON_DATA": str(data),
            "ANTIPHON_CALLBACK_ALLOW": "127.0.0.0/8",
            "ANTIPHON_CALLBACK_PER_HOST": str(PARALLEL),
            "ANTIPHON_LOG_FORMAT": "json",
        }
        migrate(database_url)
        with psycopg.connect(database_url) as connection:
            connection.execute("INSERT INTO api_keys (id, name, digest) VALUES (1000, 'bench', '\\x00')")

    async def queue(self, url: str, number: int, size: int) -> None:
        """What ``outbox.enqueue`` writes, for many at once."""
        await asyncio.to_thread(self._insert, url, number, size)

    def _insert(self, url: str, number: int, size: int) -> None:
        host = url.removeprefix("http://").partition("/")[0]
        with psycopg.connect(self.database_url) as connection:
            connection.execute("TRUNCATE tasks CASCADE")
            connection.execute(
                "INSERT INTO tasks (id, api_key_id, kind, state)"
                " SELECT md5(random()::text), 1000, 'midi', 'succeeded' FROM generate_series(1, %s)",
                [number],
            )
            connection.execute(
                "INSERT INTO deliveries (webhook_id, task_id, url, host, body)"
                " SELECT 'msg_' || id, id, %s, %s, %s FROM tasks",
                [url, host, b"x" * size],
            )
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute("ANALYZE deliveries")

    def worker(self, url: str, number: int, size: int) -> Command:
        return [sys.executable, "-m", "antiphon", "serve", "--role", "sender"], self._environment

    def delivered(self) -> int:
        """How many are on record as delivered by exactly one attempt."""
        query = "SELECT count(*) FROM deliveries WHERE state = 'delivered' AND attempts = 1"
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


class Procrastinate:
    name = "Procrastinate"

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    async def queue(self, url: str, number: int, size: int) -> None:
        await procrastinate_tasks.queue(self._url, url, number, size)

    def worker(self, url: str, number: int, size: int) -> Command:
        return [sys.executable, "-m", "bench.contenders.procrastinate_tasks", self._url, str(PARALLEL)], {}


class Celery:
    name = "Celery + Redis"

    def __init__(self, broker: str) -> None:
        self._environment = {"BROKER": broker, "PYTHONPATH": str(ROOT / "bench" / "contenders"), "C_FORCE_ROOT": "1"}

    async def queue(self, url: str, number: int, size: int) -> None:
        script = ROOT / "bench" / "contenders" / "celery_tasks.py"
        with running([str(CELERY / "python"), str(script), url, str(number), str(size)], self._environment) as child:
            if await asyncio.to_thread(child.wait):
                raise RuntimeError("the Celery tasks could not be queued")

    def worker(self, url: str, number: int, size: int) -> Command:
        options = ["worker", f"--concurrency={CELERY_PROCESSES}", "--loglevel=WARNING"]
        return [str(CELERY / "celery"), "-A", "celery_tasks", *options], self._environment


class Raw:
    name = "aiohttp, not durable"

    async def queue(self, url: str, number: int, size: int) -> None:
        """There is no queue."""

    def worker(self, url: str, number: int, size: int) -> Command:
        return [sys.executable, "-m", "bench.contenders.raw", url, str(number), str(size), str(PARALLEL)], {}


async def rate(contender: Contender, tally: Tally, number: int, size: int) -> float:
    """Callbacks a second, from the first receipt to the last."""
    await contender.queue(tally.url, number, size)
    tally.reset()
    with running(*contender.worker(tally.url, number, size)):
        await tally.wait(number, PATIENCE)
        if isinstance(contender, Ours):
            await recorded(contender, number)
    return tally.per_second


async def recorded(ours: Ours, number: int) -> None:
    """Wait until each is on record as delivered, by one attempt."""
    async with asyncio.timeout(30):
        while await asyncio.to_thread(ours.delivered) < number:  # noqa: ASYNC110 (another process does it)
            await asyncio.sleep(0.05)


async def idle(ours: Ours, tally: Tally, number: int, rest: float) -> dict[str, float]:
    """Milliseconds from just before COMMIT to the receipt, one callback at a time; and CPU with nothing to do."""
    await ours.queue(tally.url, 1, SMALL)
    tally.reset()
    took = []
    with running(*ours.worker(tally.url, 1, SMALL)) as sender:
        await tally.wait(1, PATIENCE)
        await asyncio.sleep(2)
        used = cpu_seconds(sender.pid)
        await asyncio.sleep(rest)
        busy = (cpu_seconds(sender.pid) - used) / rest
        database = Database(ours.database_url)
        for _ in range(number):
            await asyncio.sleep(random.uniform(0.01, 0.03))
            tally.reset()
            async with database.begin() as connection:
                task_id = uuid4().hex
                await connection.execute(NEW_TASK, {"id": task_id})
                await outbox.enqueue(connection, task_id=task_id, url=tally.url, body=b"x" * SMALL)
                committing = time.perf_counter()
            await tally.wait(1, PATIENCE)
            took.append((tally.times[0] - committing) * 1000)
        await database.close()
    cuts = statistics.quantiles(took, n=100)
    return {"idle_p50_ms": cuts[49], "idle_p99_ms": cuts[98], "idle_cpu_pct": busy * 100}


async def memory(ours: Ours, tally: Tally, pending: int, seconds: float) -> float:
    """The largest resident set, in MB (10^6 bytes), of a sender that has sent for a while from many pending."""
    await ours.queue(tally.url, pending, SMALL)
    tally.reset()
    with running(*ours.worker(tally.url, pending, SMALL)) as sender:
        await tally.wait(1, PATIENCE)
        await asyncio.sleep(seconds)
        return peak_rss(sender.pid) / 1e6


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss(pid: int) -> float:
    """Bytes."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The URL of a Redis of its own that writes its append-only file every second, as installed."""
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--appendonly", "yes", "--save", ""]
    with running(["redis-server", *options], {}):
        end = time.monotonic() + 10
        while not socket.exists():
            if time.monotonic() > end:
                raise RuntimeError("redis-server does not start")
            time.sleep(0.02)
        yield f"redis+socket://{socket}"


async def measure(arguments: argparse.Namespace, folder: Path, cluster_url: str, broker: str) -> dict[str, float]:
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        for name in ("ours", "jobs"):
            connection.execute(f"CREATE DATABASE {name}")
    databases = {name: cluster_url.replace("/antiphon?", f"/{name}?") for name in ("ours", "jobs")}
    await procrastinate_tasks.prepare(databases["jobs"])
    ours = Ours(databases["ours"], folder / "data")
    contenders: list[Contender] = [ours, Celery(broker), Procrastinate(databases["jobs"]), Raw()]
    rates: dict[tuple[str, int], list[float]] = {}
    async with receiving() as tally:
        for _ in range(arguments.rounds):
            for contender in contenders:
                for number, size in ((arguments.small, SMALL), (arguments.large, LARGE)):
                    found = await rate(contender, tally, number, size)
                    rates.setdefault((contender.name, size), []).append(found)
        figures = await idle(ours, tally, arguments.idle, arguments.rest)
        figures["rss_mb"] = await memory(ours, tally, arguments.pending, 5)
    medians = {key: statistics.median(found) for key, found in rates.items()}
    small, large = ([medians[contender.name, size] for contender in contenders] for size in (SMALL, LARGE))
    results.table(
        [
            {"contender": contender.name, "1 KB, per s": quick, "300 KB, per s": slow, "of ours": quick / small[0]}
            for contender, quick, slow in zip(contenders, small, large, strict=True)
        ]
    )
    names = ("durable_per_s", "celery_per_s", "procrastinate_per_s", "raw_per_s")
    return dict(zip(names, small, strict=True)) | {"large_per_s": large[0]} | figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Deliver callbacks by several means and compare.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=5000, metavar="N", help="callbacks of 1 KB (default 5000)")
    parser.add_argument("--large", type=int, default=500, metavar="N", help="callbacks of 300 KB (default 500)")
    parser.add_argument("--idle", type=int, default=300, metavar="N", help="callbacks for the latency (default 300)")
    parser.add_argument("--rest", type=float, default=15, metavar="S", help="seconds of idling (default 15)")
    parser.add_argument("--pending", type=int, default=100_000, metavar="N", help="for the memory (default 100,000)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres")
        stack.callback(server.destroy)
        cluster_url = server.start()
        broker = stack.enter_context(redis(folder))
        figures = uvloop.run(measure(arguments, folder, cluster_url, broker))
    rounded = {name: round(value, 2 if value < 100 else 0) for name, value in figures.items()}
    results.table([rounded])
    results.write("bench-callbacks", rounded, "make bench-callbacks")


if __name__ == "__main__":
    main()
