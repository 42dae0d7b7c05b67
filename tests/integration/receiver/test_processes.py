"""Receivers as processes that are killed, stopped, forked, or share an inbox."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.receiver import Inbox
from tests.integration.receiver.conftest import Start
from tests.paths import ROOT
from tests.waiting import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(start: Start, number: signal.Signals) -> None:
    served = start()
    assert served.post_midi("a") == 200
    wait_for(lambda: served.ended("a"))
    served.process.send_signal(number)
    assert served.process.wait(10) == 0
    assert served.process.stdout is not None
    assert served.process.stdout.read() == "ended in good order\n"


def test_a_function_that_hangs_does_not_keep_it_from_ending_nor_others_from_being_called(start: Start) -> None:
    served = start()
    for task_id in ("hangs", "a", "b", "c"):
        assert served.post_midi(task_id) == 200
    wait_for(lambda: served.ended("a") and served.ended("b") and served.ended("c"))
    served.process.terminate()
    assert served.process.wait(12) == 0


def test_what_kill_9_broke_off_is_done_again_by_the_next_start(start: Start, tmp_path: Path) -> None:
    first = start()
    assert first.post_midi("hangs") == 200
    assert first.post_midi("a") == 200
    with Inbox(tmp_path / "inbox") as inbox:
        wait_for(lambda: (inbox.work(1).state, inbox.work(2).state) == ("running", "done"))
    wait_for(lambda: ("begin", "hangs") in [line[:2] for line in first.handled])
    first.process.kill()
    first.process.wait()
    second = start()
    wait_for(lambda: [attempt for word, task, attempt, _ in second.handled if task == "hangs"] == [1, 2])
    assert second.ended("a") == [1]


def test_two_processes_take_callbacks_and_one_follows_up_until_it_is_killed(start: Start) -> None:
    first, second = start(), start()
    first.post_midi("one")
    second.post_midi("two")
    wait_for(lambda: len(first.handled) == 4)
    (leader,) = {pid for *_, pid in first.handled}
    heir = second if leader == first.process.pid else first
    os.kill(leader, signal.SIGKILL)
    assert heir.post_midi("afterwards") == 200
    wait_for(lambda: heir.ended("afterwards"))
    assert {pid for _, task, _, pid in heir.handled if task == "afterwards"} == {heir.process.pid}


FORKS = """
import os, sys, threading
from antiphon.receiver import Receiver
from tests.unit.receiver.sending import KEY, hand_over, midi
from tests.waiting import wait_for

folder, log = sys.argv[1:]
receiver = Receiver(folder, [KEY], steps=[])

@receiver.on_midi
def handle(result):
    with open(log, "a") as file:
        file.write(f"{result.task_id} {os.getpid()}\\n")

def handled():
    return open(log).read().split() if os.path.exists(log) else []

assert hand_over(receiver, midi("before")).status == 200
wait_for(lambda: "before" in handled())
children = []
for number in range(3):
    child = os.fork()
    if not child:
        assert hand_over(receiver, midi(f"child-{number}")).status == 200
        if number == 2:
            receiver.stop()
            os._exit(0)
        wait_for(lambda: "done" in handled(), seconds=20)
        os._exit(0)
    children.append(child)
assert os.waitpid(children[2], 0)[1] == 0
assert hand_over(receiver, midi("parent")).status == 200
wait_for(lambda: {"child-0", "child-1", "child-2", "parent"} <= set(handled()))
receiver.stop()  # a child takes over
assert receiver.handle("GET", {}, b"").status == 405
with __import__("antiphon.receiver").receiver.Inbox(folder) as inbox:
    inbox.add(midi("done"))
assert [os.waitpid(child, 0)[1] for child in children[:2]] == [0, 0]
print("all well")
"""


def test_a_process_that_forks_and_its_children_all_take_callbacks_and_one_follows_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", FORKS, str(tmp_path / "inbox"), str(log)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("all well\n", 0), done.stderr
    tasks = [line.split()[0] for line in log.read_text().splitlines()]
    assert sorted(tasks) == ["before", "child-0", "child-1", "child-2", "done", "parent"]
    with Inbox(tmp_path / "inbox") as inbox:
        assert {inbox.work(event.id).state for event in inbox.events()} <= {"done", "running"}
