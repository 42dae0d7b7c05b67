"""A receiver that is killed twice under load: every task is processed exactly once, and none is lost."""

import asyncio
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bench import poster

from antiphon.contract.signatures import new_key
from antiphon.receiver import Inbox
from tests.waiting import wait_for

CALLBACKS, DUPLICATES, PARALLEL = 10_000, 0.2, 64
KILLED_AFTER = (3_000, 6_500)  # acknowledgements

# What a user writes who must not do a thing twice: only an attempt that is not the first has to look.
RECEIVER = """
import os, sys
from pathlib import Path
from antiphon.receiver import Delivery, MidiResult, Receiver
from antiphon.receiver.server import serve

inbox, key, port = sys.argv[1:]
ledger = Path(inbox) / "ledger"
receiver = Receiver(inbox, [key], steps=[], workers=16)

@receiver.on_midi
def enter(result: MidiResult, delivery: Delivery) -> None:
    if delivery.attempt > 1 and ledger.exists() and result.task_id in ledger.read_text().split():
        return
    with ledger.open("a") as file:
        file.write(f"{result.task_id}\\n")

serve(receiver, port=int(port))
"""


class Process:
    """The receiver, which is started again each time it is killed."""

    def __init__(self, folder: Path, key: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [sys.executable, "-c", RECEIVER, str(folder), key, str(self.port)]
        self._running = subprocess.Popen(self._command)

    def await_port(self) -> None:
        wait_for(self._listens, "the receiver to listen")

    def _listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def kill(self) -> None:
        self._running.kill()
        self._running.wait()

    def kill_and_restart(self) -> None:
        self.kill()
        self._running = subprocess.Popen(self._command)


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def process(tmp_path: Path, key: str) -> Iterator[Process]:
    process = Process(tmp_path / "inbox", key)
    process.await_port()
    yield process
    process.kill()


def test_ten_thousand_callbacks_through_two_kills_are_processed_exactly_once_each(
    tmp_path: Path, process: Process, key: str
) -> None:
    callbacks = poster.midi_callbacks(CALLBACKS, duplicates=DUPLICATES)
    tasks = {callback.task_id for callback in callbacks}
    kills = list(KILLED_AFTER)

    def kill_when_due(acknowledged: int) -> None:
        if kills and acknowledged >= kills[0]:
            kills.pop(0)
            process.kill_and_restart()

    url = f"http://127.0.0.1:{process.port}/hook"
    tally = asyncio.run(poster.post(url, callbacks, key, parallel=PARALLEL, patience=120, acknowledged=kill_when_due))
    assert not kills
    assert tally.unanswered > 0  # the kills struck while callbacks were on their way
    assert set(tally.statuses) == {200}

    with Inbox(tmp_path / "inbox") as inbox:
        states = await_end(inbox)
        events = list(inbox.events())
    assert states == {"done": len(tasks)}
    assert len(tasks) == CALLBACKS * (1 - DUPLICATES)
    assert Counter(event.task_id for event in events) == Counter(dict.fromkeys(tasks, 1))
    assert sum(event.repeats + 1 for event in events) >= CALLBACKS
    ledger = (tmp_path / "inbox" / "ledger").read_text().split()
    assert Counter(ledger) == Counter(dict.fromkeys(tasks, 1))


def await_end(inbox: Inbox) -> Counter[str]:
    """The states of all follow-ups, once none is left to be done."""

    def states() -> Counter[str]:
        return Counter(inbox.work(event.id).state for event in inbox.events())

    def ended() -> bool:
        return not inbox.pending(1) and not states().keys() & {"pending", "running"}

    wait_for(ended, lambda: f"the end of {states()}", seconds=120)
    return states()
