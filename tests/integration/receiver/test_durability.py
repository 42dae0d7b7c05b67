"""The inbox and what happens to machines: processes that are killed, disks that are full."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.errors import StorageError
from antiphon.receiver.inbox.inbox import Inbox
from tests.waiting import wait_for

WRITER = """
import sys
from antiphon.receiver.inbox.inbox import Inbox
inbox = Inbox(sys.argv[1])
number = 0
while True:
    bodies = [b'{"taskId": "%s-%d", "more": "%s"}' % (sys.argv[2].encode(), number + k, b"x" * 3000) for k in range(20)]
    for future in [inbox.submit(body) for body in bodies]:
        print(future.result()[0].task_id)
    sys.stdout.flush()
    number += 20
"""


def callback(number: int, size: int = 0) -> bytes:
    return json.dumps({"taskId": str(number), "more": "x" * size}).encode()


def written_until_killed(folder: Path, turn: str) -> list[str]:
    """What two processes said they had kept."""
    heard: list[list[str]] = [[], []]
    commands = [[sys.executable, "-c", WRITER, str(folder), turn + name] for name in "ab"]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    readers = [
        threading.Thread(target=lambda writer=writer, lines=lines: lines.extend(writer.stdout or ()))
        for writer, lines in zip(writers, heard, strict=True)
    ]
    for reader in readers:
        reader.start()
    wait_for(lambda: all(len(lines) > 200 for lines in heard))
    for writer, reader in zip(writers, readers, strict=True):
        writer.kill()
        reader.join()
        with writer:  # closes its pipe
            pass
    return [line.strip() for lines in heard for line in lines if line.endswith("\n")]


def test_what_was_acknowledged_is_there_after_two_writers_were_killed(tmp_path: Path) -> None:
    acknowledged = [line for turn in range(3) for line in written_until_killed(tmp_path / "inbox", str(turn))]
    assert len(acknowledged) > 1000
    with Inbox(tmp_path / "inbox") as inbox:
        kept = [event.task_id for event in inbox.events()]
        pending = inbox.pending(1_000_000)
    assert len(kept) == len(set(kept)) == len(pending)
    assert set(acknowledged) <= set(kept)


def test_a_commit_is_synced_to_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    if subprocess.run(["strace", "-V"], capture_output=True, check=False).returncode:
        pytest.skip("strace is missing")
    script = (
        "import sys; from antiphon.receiver.inbox.inbox import Inbox\n"
        "inbox = Inbox(sys.argv[1]); inbox.add(b'{}')\n"
        "for n in range(5): inbox.add(b'{\"taskId\": %d}' % n); sys.stderr.write('acknowledged\\n')\n"
    )
    log = tmp_path / "log"
    trace = ["strace", "-f", "-y", "-o", str(log), "-e", "trace=fdatasync,fsync,write"]
    subprocess.run([*trace, sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=True)
    synced, acknowledged = 0, 0
    for line in log.read_text().splitlines():
        synced += "sync(" in line and "inbox.sqlite3-wal>" in line
        if "acknowledged" in line:
            acknowledged += 1
            assert synced > acknowledged  # the first one was the empty one's
    assert acknowledged == 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3000000", "none", str(folder)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_refuses_what_it_cannot_keep_and_takes_it_when_there_is_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with Inbox(small_disk / "inbox") as inbox:
        first, _ = inbox.add(callback(0))
        ballast.write_bytes(b"x" * 2_000_000)
        futures = [inbox.submit(callback(number, 50_000)) for number in range(1, 60)]
        failures = [future.exception(10) for future in futures]
        refused = [number for number, failure in enumerate(failures, 1) if failure]
        assert refused
        assert all(
            isinstance(failure, StorageError) and "free some space" in str(failure) for failure in failures if failure
        )
        kept = {event.task_id for event in inbox.events()}
        assert kept == {str(number) for number in range(60)} - {str(number) for number in refused}
        assert {work.event_id for work in inbox.pending(100)} == {event.id for event in inbox.events()}

        ballast.unlink()
        again = [inbox.add(callback(number)) for number in refused[:10]]
        assert all(new for _, new in again)
        assert inbox.event(first.id) == first
        inbox.finish(first.id)
    with Inbox(small_disk / "inbox") as inbox:
        assert len(list(inbox.events())) == 60 - len(refused) + 10


def test_one_that_is_too_large_for_the_disk_does_not_take_the_others_with_it(small_disk: Path) -> None:
    with Inbox(small_disk / "inbox") as inbox:
        small = [inbox.submit(callback(number)) for number in range(20)]
        large = inbox.submit(callback(99, 2_900_000))
        small += [inbox.submit(callback(number)) for number in range(20, 40)]
        assert isinstance(large.exception(10), StorageError)
        assert all(future.result(10)[1] for future in small)


def test_nothing_is_acknowledged_that_went_into_a_file_that_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    with Inbox(folder) as inbox:
        inbox.add(callback(1))
        shutil.rmtree(folder)
        for number in range(2):
            with pytest.raises(StorageError, match="moved or deleted"):
                inbox.add(callback(number))
    with Inbox(folder) as inbox:
        assert inbox.add(callback(1))[1]


def test_the_log_does_not_grow_for_ever_under_a_load_that_never_rests(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        for turn in range(15):
            body = hashlib.sha256(b"%d" % turn).hexdigest() * 15_000
            bodies = [json.dumps({"taskId": f"{turn}-{k}", "more": body}).encode() for k in range(10)]
            for future in [inbox.submit(body) for body in bodies]:
                future.result(10)
        assert (tmp_path / "inbox.sqlite3-wal").stat().st_size < 100_000_000


def test_a_reader_sees_what_was_there_when_it_asked_while_another_process_writes(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "w"], stdout=subprocess.DEVNULL)
    try:
        with Inbox(tmp_path) as inbox:
            wait_for(lambda: len(inbox.pending(1000)) > 100)
            stamp = inbox.stamp()
            wait_for(lambda: inbox.stamp() != stamp)
            for event in inbox.events():
                assert len(event.body) > 3000
                if event.id > 500:
                    break
            waits = []
            for number in range(20):
                started = time.perf_counter()
                inbox.add(callback(number))
                waits.append(time.perf_counter() - started)
            assert sorted(waits)[10] < 0.5
    finally:
        writer.kill()
        writer.wait()
