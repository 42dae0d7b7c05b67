"""Fifty songs at once."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from antiphon.client import Client
from antiphon.contract.kinds import Kind, SeparationType
from tests.acceptance.cluster import Cluster, Receiver, await_end
from tests.acceptance.conftest import cut

SONGS = 50
PROMPT = 500.0
"""ms within which nearly all polls are answered: one that had to wait for an engine would take seconds."""
VOCALS = SeparationType.SEPARATE_VOCAL


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of music."""
    return cut(tmp_path_factory.mktemp("clip") / "second.mp3", start=8.0, duration=1.0)


@contextmanager
def polling(cluster: Cluster, task: str) -> Iterator[list[float]]:
    """Ask for a separation's record ten times a second; the list has the times in ms after the block."""
    times: list[float] = []
    url = f"{cluster.base_url}/api/v1/vocal-removal/record-info?taskId={task}"
    command = [sys.executable, os.fspath(Path(__file__).with_name("poller.py")), url, cluster.api_key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as poller:
        yield times
        answer, _ = poller.communicate()
    assert poller.returncode == 0
    times += json.loads(answer)


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[math.ceil(share * len(times)) - 1]


def test_fifty_uploads_and_tasks_at_once_all_end_and_polls_are_answered_meanwhile(
    cluster: Cluster, receiver: Receiver, second: Path
) -> None:
    cluster.start()

    with cluster.client() as client, ThreadPoolExecutor(SONGS) as pool:
        first = client.upload(second)
        stems = client.separate(first["taskId"], first["audioId"], VOCALS)
        await_end(client, Kind.SEPARATION, stems)

        def order(number: int) -> tuple[Kind, str]:
            with cluster.client() as own:
                track = own.upload(second, title=f"Song {number}")
                return ask(own, number, track["taskId"], track["audioId"])

        def ask(own: Client, number: int, task_id: str, audio_id: str) -> tuple[Kind, str]:
            if number % 10 == 0:
                return Kind.VIDEO, own.video(task_id, audio_id, receiver.url)
            if number % 5 == 0:
                return Kind.MIDI, own.midi(stems, receiver.url)
            return Kind.SEPARATION, own.separate(task_id, audio_id, VOCALS, receiver.url)

        with polling(cluster, stems) as times:
            started = time.monotonic()
            tasks = list(pool.map(order, range(SONGS)))
            queued = time.monotonic() - started
            records = [await_end(client, kind, task, patience=400) for kind, task in tasks]
            ended = time.monotonic() - started
    assert [record["taskState"] for record in records] == ["succeeded"] * SONGS
    for _, task in tasks:
        assert receiver.await_callback(task, cluster.webhook_key)["code"] == 200
    assert [len(receiver.callbacks_of(task)) for _, task in tasks] == [1] * SONGS
    p50, p95, worst = percentile(times, 0.5), percentile(times, 0.95), max(times)
    print(
        f"\n{SONGS} uploads in {queued:.1f} s, {SONGS} tasks in {ended:.1f} s on {os.cpu_count()} cores; "
        f"{len(times)} polls meanwhile: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {worst:.1f} ms"
    )
    assert p95 < PROMPT
