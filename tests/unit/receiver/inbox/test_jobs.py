"""What follows each event, and the lock on it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import wait_for

from antiphon.errors import NotFound, StorageError
from antiphon.receiver.inbox.inbox import Inbox

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Any:
    with Inbox(tmp_path, clock=clock) as inbox:
        yield inbox


def add(inbox: Inbox, task_id: str) -> int:
    return inbox.add(b'{"taskId": "%s", "data": {"instruments": []}}' % task_id.encode())[0].id


def test_a_new_event_is_pending_at_once_and_expires_in_fourteen_days(inbox: Inbox, clock: Clock) -> None:
    identity = add(inbox, "a")
    (work,) = inbox.pending(10)
    assert (work.event_id, work.state, work.attempt, work.error) == (identity, "pending", 0, "")
    assert work.due_at == inbox.next_due() == clock.now
    assert work.expires_at == clock.now + 14 * DAY


def test_what_was_begun_is_not_pending_and_counts_its_attempts(inbox: Inbox) -> None:
    identity = add(inbox, "a")
    assert (inbox.begin(identity).state, inbox.work(identity).attempt) == ("running", 1)
    assert inbox.pending() == []
    assert inbox.next_due() is None
    inbox.postpone(identity, 0, "again")
    assert inbox.begin(identity).attempt == 2


def test_steps_that_are_done_are_remembered_with_their_files(inbox: Inbox, tmp_path: Path) -> None:
    identity = add(inbox, "a")
    inbox.begin(identity)
    inbox.step_done(identity, "files", {"midi.json": tmp_path / "midi" / "a" / "midi.json"})
    inbox.step_done(identity, "exec", {})
    inbox.step_done(identity, "exec", {"log": tmp_path / "log"})
    work = inbox.work(identity)
    assert work.steps_done == ("files", "exec")
    assert work.files == {"midi.json": "midi/a/midi.json", "log": "log"}
    with pytest.raises(StorageError, match="outside"):
        inbox.step_done(identity, "exec", {"passwd": Path("/etc/passwd")})


def test_what_is_pending_no_more_is_not_begun(inbox: Inbox) -> None:
    first, second = (add(inbox, name) for name in "ab")
    inbox.finish(second)
    work = inbox.begin_pending(first)
    assert work and (work.state, work.attempt) == ("running", 1)
    assert inbox.begin_pending(first) is inbox.begin_pending(second) is inbox.begin_pending(99) is None
    assert (inbox.work(first).attempt, inbox.work(second).attempt) == (1, 0)


def test_what_was_broken_off_for_no_fault_of_its_own_loses_no_try(inbox: Inbox, clock: Clock) -> None:
    identity = add(inbox, "a")
    inbox.begin(identity)
    inbox.postpone(identity, 0, "no network")
    inbox.begin(identity)
    inbox.break_off(identity, "stopped")
    work = inbox.work(identity)
    assert (work.state, work.attempt, work.tries, work.due_at) == ("pending", 2, 1, clock.now)


def test_all_steps_are_recorded_with_the_end(inbox: Inbox, tmp_path: Path) -> None:
    identity = add(inbox, "a")
    inbox.begin(identity)
    inbox.step_done(identity, "files", {}, wait=False)
    inbox.postpone(identity, 0, "no network")
    assert inbox.work(identity).steps_done == ("files",)
    inbox.complete(identity, ["files", "handler"], {"video": tmp_path / "video.mp4"})
    work = inbox.work(identity)
    assert (work.state, work.steps_done, work.error) == ("done", ("files", "handler"), "")
    assert work.files == {"video": "video.mp4"}


def test_what_is_done_stays_done(inbox: Inbox) -> None:
    identity = add(inbox, "a")
    inbox.begin(identity)
    inbox.finish(identity)
    add(inbox, "a")
    assert inbox.work(identity).state == "done"
    assert inbox.retry() == inbox.retry([identity]) == 0
    assert inbox.pending() == []


def test_what_was_postponed_is_due_when_its_time_has_come_the_longest_due_first(inbox: Inbox, clock: Clock) -> None:
    first, second, third = (add(inbox, name) for name in "abc")
    inbox.postpone(first, clock.now + 20, "no disk")
    inbox.postpone(second, clock.now + 10, "no network")
    inbox.finish(third)
    assert (inbox.pending(), inbox.next_due()) == ([], clock.now + 10)
    clock.now += 30
    assert [(work.event_id, work.error) for work in inbox.pending()] == [(second, "no network"), (first, "no disk")]
    assert len(inbox.pending(1)) == 1


def test_what_was_given_up_is_begun_again_when_somebody_asks(inbox: Inbox, clock: Clock) -> None:
    first, second, third, waiting = (add(inbox, name) for name in "abcd")
    inbox.begin(first)
    inbox.step_done(first, "files", {})
    inbox.give_up(first, "no disk")
    inbox.give_up(second, "no network")
    inbox.give_up(third, "too late", "expired")
    inbox.postpone(waiting, clock.now + 100, "soon")
    assert [inbox.work(identity).state for identity in (first, second, third)] == ["failed", "failed", "expired"]
    assert inbox.retry([first, waiting, 99]) == 2
    assert {work.event_id for work in inbox.pending()} == {first, waiting}
    work = inbox.work(first)
    assert (work.attempt, work.tries, work.steps_done, work.error) == (1, 0, ("files",), "no disk")
    assert inbox.retry() == 2
    assert [inbox.work(identity).state for identity in (second, third)] == ["pending", "pending"]
    inbox.give_up(third, "too late", "expired")
    assert inbox.retry([third]) == 1


def test_what_another_left_running_is_pending_again_for_who_takes_over(inbox: Inbox) -> None:
    first, second = add(inbox, "a"), add(inbox, "b")
    inbox.begin(first)
    assert inbox.recover() == 1
    assert {work.event_id for work in inbox.pending()} == {first, second}
    assert inbox.work(first).attempt == 1
    assert inbox.recover() == 0


def test_an_event_that_there_is_not_is_said_so(inbox: Inbox) -> None:
    for use in (inbox.work, inbox.begin, inbox.finish, lambda it: inbox.complete(it, [], {})):
        with pytest.raises(NotFound, match="no event 7"):
            use(7)


def test_only_what_is_done_and_was_last_told_fourteen_days_ago_is_forgotten(inbox: Inbox, clock: Clock) -> None:
    done, repeated, failed, pending = (add(inbox, name) for name in "abcd")
    for identity in (done, repeated):
        inbox.finish(identity)
    inbox.give_up(failed, "no disk")
    clock.now += 13 * DAY
    add(inbox, "b")
    assert inbox.prune(0) == 0
    clock.now += 2 * DAY
    assert inbox.prune(0) == 1
    assert [event.id for event in inbox.events()] == [repeated, failed, pending]
    assert inbox.arrivals(done) == []
    clock.now += 20 * DAY
    assert inbox.prune(40 * DAY) == 0
    assert inbox.prune(14 * DAY) == 1
    assert add(inbox, "a") > pending  # an id is never given twice


def test_many_are_forgotten(inbox: Inbox, clock: Clock) -> None:
    for future in [inbox.submit(b'{"taskId": "%d"}' % number) for number in range(120)]:
        inbox.finish(future.result()[0].id)
    clock.now += 15 * DAY
    assert inbox.prune(0) == 120


def test_one_at_a_time_leads(tmp_path: Path) -> None:
    with Inbox(tmp_path) as one, Inbox(tmp_path) as two:
        assert one.lead().try_lead()
        assert one.lead().try_lead()
        assert not two.lead().try_lead()
        one.lead().close()
        assert two.lead().try_lead()
        assert not one.lead().try_lead()
    with Inbox(tmp_path) as three:
        assert three.lead().try_lead()


HOLD = """
import sys, time
from antiphon.receiver.inbox.inbox import Inbox
inbox = Inbox(sys.argv[1])
print(inbox.lead().try_lead(), flush=True)
time.sleep(60)
"""


def test_the_lead_of_a_process_that_is_killed_is_free_at_once(inbox: Inbox, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"True\n"
        assert not inbox.lead().try_lead()
        other.kill()
        other.wait()
    wait_for(lambda: inbox.lead().try_lead(), seconds=20)
