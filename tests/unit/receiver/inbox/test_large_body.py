"""Large bodies: read and made into files by a process of their own, one at a time."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.unit.receiver.sending import KEY, hand_over, midi
from tests.waiting import wait_for

from antiphon.contract.results import MidiResult, read_result
from antiphon.errors import BadParameter, StorageError
from antiphon.receiver import Delivery, Inbox, Receiver
from antiphon.receiver.follow_up.files import FilesStep
from antiphon.receiver.follow_up.paths import folder_of
from antiphon.receiver.follow_up.step import TryAgain
from antiphon.receiver.follow_up.worker import Worker
from antiphon.receiver.inbox.large_body import LARGE_BODY_BYTES, LargeMidi, Stopped, compact, read_aside, write_song
from antiphon.receiver.inbox.payload import load, read

pytestmark = pytest.mark.slow

ODD = '{"pitch":"61","start":1,"end":"2.5","velocity":1},{"pitch":-1,"start":1,"end":2,"velocity":0.5},7,{"a":{}}'
UNCLEAN = "midi a: instruments[0].notes[1].pitch is -1; expected a whole number from 0 to 127"


def body(number: int, task_id: str = "a") -> bytes:
    notes = [
        f'{{"pitch":{40 + place % 40},"start":{place / 100},"end":{place / 100 + 0.2},"velocity":0.8}}'
        for place in range(number)
    ]
    instrument = f'{{"name":"Bass","notes":[{ODD},{",".join(notes)}]}}'
    return f'{{"code":200,"taskId":"{task_id}","extra":[1],"data":{{"instruments":[{instrument}]}}}}'.encode()


@pytest.fixture(scope="module")
def large() -> bytes:
    made = body(40_000)
    assert len(made) > LARGE_BODY_BYTES
    return made


def padded(task_id: str) -> bytes:
    """Large, and read quickly."""
    return midi(task_id) + b" " * LARGE_BODY_BYTES


def test_another_process_reads_what_this_one_would(large: bytes) -> None:
    assert read_aside(large) == read(large)
    with pytest.raises(BadParameter, match="not JSON"):
        read_aside(large[:-10])
    with pytest.raises(BadParameter, match="a JSON array"):
        read_aside(b"[1]")


def test_a_note_that_was_read_at_once_is_the_note_that_it_would_be(large: bytes) -> None:
    at_once, as_ever = read_result(load(large, compact)), read_result(json.loads(large))
    assert isinstance(at_once, MidiResult) and isinstance(as_ever, MidiResult)
    assert (at_once.instruments, at_once.problems) == (as_ever.instruments, as_ever.problems)
    assert len(as_ever.problems) == 3


def test_a_large_result_is_whole_when_somebody_asks(large: bytes) -> None:
    result, as_ever = LargeMidi("a", large), read_result(json.loads(large))
    assert isinstance(result, MidiResult) and isinstance(as_ever, MidiResult)
    assert (result.task_id, result.instruments, result.problems) == ("a", as_ever.instruments, as_ever.problems)
    assert result.document == as_ever.document


def test_an_interpreter_that_is_none_does_not_lose_the_callback(large: bytes, tmp_path: Path) -> None:
    script = "import sys; sys.executable = sys.argv[1]\nfrom antiphon.receiver import Inbox\n"
    script += "body = open(sys.argv[2], 'rb').read()\nprint(Inbox(sys.argv[3]).add(body)[0].kind)"
    (tmp_path / "body").write_bytes(large)
    (tmp_path / "python").symlink_to("/bin/false")
    for number, executable in enumerate(("/nowhere/python", tmp_path / "python", "/usr/sbin/uwsgi")):
        arguments = [str(executable), str(tmp_path / "body"), str(tmp_path / str(number))]
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout == "midi\n"


def delivery(inbox: Path, raw: bytes, result: MidiResult) -> Delivery:
    with Inbox(inbox) as opened:
        event, _ = opened.add(raw)
    return Delivery(event, result, 1, folder_of(inbox, event), {}, time.time() + 1000, lambda fraction, text: None)


def test_the_files_are_those_that_this_process_would_write(
    large: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    as_ever = read_result(json.loads(large))
    assert isinstance(as_ever, MidiResult)
    here = FilesStep().run(delivery(tmp_path / "here", large, as_ever))
    caplog.clear()
    aside = FilesStep().run(delivery(tmp_path / "aside", large, LargeMidi("a", large)))
    assert aside["song.mid"].read_bytes() == here["song.mid"].read_bytes()
    assert aside["midi.json"].read_bytes() == large
    assert UNCLEAN in caplog.messages


def test_a_disk_that_is_full_is_said_so_and_tried_again(large: bytes, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    given = delivery(tmp_path, large, LargeMidi("a", large))
    given.folder.mkdir(parents=True)
    (given.folder / ".song.mid.new").symlink_to("/dev/full")
    with pytest.raises(TryAgain, match="free some space"):
        FilesStep().run(given)


def test_a_stop_ends_the_other_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mid")  # which nobody reads: writing to it never ends
    stopping = threading.Event()
    threading.Timer(0.3, stopping.set).start()
    with pytest.raises(Stopped):
        write_song(body(1), tmp_path / "song.mid", stopping)


WRITE = """
import sys, threading
from pathlib import Path
from antiphon.receiver.inbox.large_body import write_song
write_song(sys.argv[1].encode(), Path(sys.argv[2]), threading.Event())
"""


def test_the_other_process_dies_with_this_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mid")
    with subprocess.Popen([sys.executable, "-c", WRITE, body(1).decode(), str(tmp_path / "song.mid")]) as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        if not children.exists():
            parent.kill()
            pytest.skip("the system does not tell which processes there are")
        wait_for(children.read_text)
        child = int(children.read_text())
        threading.Event().wait(0.5)
        parent.kill()
    wait_for(lambda: not alive(child))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children() -> set[int]:
    """Of this process."""
    files = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(child) for file in files for child in file.read_text().split()}


def test_a_process_that_is_killed_while_it_reads_costs_an_answer_and_no_callback(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mid")
    others = children()  # the servers of other tests

    def kill() -> None:
        for child in children() - others:
            os.kill(child, signal.SIGKILL)

    threading.Timer(0.5, kill).start()
    with pytest.raises(StorageError, match="signal 9"):
        write_song(body(1), tmp_path / "song.mid", threading.Event())


class Slow:
    """A step that large events do not leave before they may."""

    name = "slow"

    def __init__(self) -> None:
        self.release = threading.Event()
        self.at_once, self.most = 0, 0

    def run(self, delivery: Delivery) -> Mapping[str, Path]:
        if len(delivery.event.body) > LARGE_BODY_BYTES:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            self.release.wait(20)
            self.at_once -= 1
        return {}


def test_large_events_are_followed_up_one_at_a_time_and_keep_no_thread_from_the_others(tmp_path: Path) -> None:
    slow = Slow()
    with Inbox(tmp_path) as inbox:
        events = [inbox.add(padded(str(number)))[0].id for number in range(4)]
        small = [inbox.add(midi(f"small {number}"))[0].id for number in range(5)]
        worker = Worker(inbox, [slow], workers=2)
        worker.start()
        wait_for(lambda: all(inbox.work(event_id).state == "done" for event_id in small))
        assert [inbox.work(event_id).state for event_id in events].count("running") == 1
        slow.release.set()
        wait_for(lambda: all(inbox.work(event_id).state == "done" for event_id in events))
        assert worker.stop(5)
    assert slow.most == 1


def test_a_large_event_that_hangs_does_not_keep_the_other_large_ones(tmp_path: Path) -> None:
    slow = Slow()
    with Inbox(tmp_path) as inbox:
        for number in range(2):
            inbox.add(padded(str(number)))
        worker = Worker(inbox, [slow], workers=2, patience=0.1)
        worker.start()
        wait_for(lambda: slow.at_once == 2)
        slow.release.set()
        assert worker.stop(5)


def test_a_function_gets_the_notes_of_a_large_callback(large: bytes, tmp_path: Path) -> None:
    found: list[int] = []
    receiver = Receiver(tmp_path, KEY)
    receiver.on_midi(lambda result: found.append(len(result.instruments[0].notes)))
    with receiver:
        assert hand_over(receiver, large).status == 200
        wait_for(lambda: found)
    assert found == [40_001]
    assert (tmp_path / "midi" / "a" / "song.mid").stat().st_size > 200_000
