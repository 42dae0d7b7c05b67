"""A sender that cares for speed alone: signed callbacks over kept connections, each posted until acknowledged."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from antiphon.contract import signatures
from antiphon.contract.callbacks import midi_callback, video_callback

PAUSE = 0.05  # seconds before what was not acknowledged is posted again


@dataclass(frozen=True, slots=True)
class Callback:
    task_id: str
    body: bytes


def midi_callbacks(number: int, *, duplicates: float = 0.0, seed: int = 1, notes: int = 14) -> list[Callback]:
    """``number`` callbacks of about 1 KB in random order, a share of which (0–1) repeats an earlier task's."""
    chance = random.Random(seed)
    distinct = [_midi(chance, notes) for _ in range(round(number * (1 - duplicates)))]
    callbacks = distinct + chance.choices(distinct, k=number - len(distinct))
    chance.shuffle(callbacks)
    return callbacks


def _midi(chance: random.Random, number: int) -> Callback:
    task_id = UUID(int=chance.getrandbits(128)).hex
    starts = [round(0.25 * place + chance.random() / 50, 4) for place in range(number)]
    notes: list[dict[str, Any]] = [
        {"pitch": chance.randint(40, 70), "start": start, "end": start + 0.2, "velocity": 0.8} for start in starts
    ]
    body = midi_callback(task_id, [{"name": "Electric Bass (finger)", "notes": notes}], None)
    return Callback(task_id, json.dumps(body).encode())


def video_of(task_id: str, url: str) -> Callback:
    return Callback(task_id, json.dumps(video_callback(task_id, url, None)).encode())


@dataclass
class Tally:
    """``latencies`` are seconds from the first byte sent to the last received, of each acknowledgement;
    ``seconds`` is what all took together."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    unanswered: int = 0
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


async def post(
    url: str,
    callbacks: Sequence[Callback],
    key: str,
    *,
    parallel: int = 64,
    patience: float = 60.0,
    acknowledged: Callable[[int], None] = lambda number: None,
) -> Tally:
    """Post all, ``parallel`` at a time; what is refused or breaks off is posted again. ``acknowledged`` is told how
    many have been. Raises ``TimeoutError`` when not all are within ``patience`` seconds."""
    target = urlsplit(url)
    requests = iter([_request(target.path or "/", target.netloc, callback, key) for callback in callbacks])
    tally = Tally()

    async def one_connection() -> None:
        connection = _Connection(target.hostname or "127.0.0.1", target.port or 80)
        for request in requests:
            await _until_acknowledged(connection, request, tally)
            acknowledged(len(tally.latencies))
        connection.close()

    start = time.perf_counter()
    async with asyncio.timeout(patience), asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(one_connection())
    tally.seconds = time.perf_counter() - start
    return tally


async def _until_acknowledged(connection: "_Connection", request: bytes, tally: Tally) -> None:
    while True:
        start = time.perf_counter()
        try:
            status = await connection.exchange(request)
        except (OSError, asyncio.IncompleteReadError):
            tally.unanswered += 1
            connection.close()
        else:
            tally.statuses[status] = tally.statuses.get(status, 0) + 1
            if status == 200:
                tally.latencies.append(time.perf_counter() - start)
                return
        await asyncio.sleep(PAUSE)


def _request(path: str, host: str, callback: Callback, key: str) -> bytes:
    signed = signatures.headers(
        [key],
        task_id=callback.task_id,
        webhook_id=f"msg_{callback.task_id}",
        body=callback.body,
        timestamp=int(time.time()),
    )
    fields = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(callback.body)), **signed}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + callback.body


class _Connection:
    """Opened when it is needed, and again after it broke."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> int:
        """Send one request; gives the status of its answer, which is read whole."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
