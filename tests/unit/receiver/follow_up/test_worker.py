"""The follow-ups: steps in order, each once, tried again as scheduled, and nobody held up by who hangs."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.receiver.sending import midi
from tests.waiting import wait_for

from antiphon.receiver import Backoff, Delivery, GiveUp, Inbox, Notice, TryAgain
from antiphon.receiver.follow_up.worker import Worker

QUICK = Backoff(first=0.01, factor=1, spread=0, tries=5)
Run = Callable[[Delivery], Mapping[str, Path] | None]


@dataclass
class Does:
    """A step from a function."""

    name: str
    does: Run

    def run(self, delivery: Delivery) -> Mapping[str, Path]:
        return self.does(delivery) or {}


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


class Following:
    """An inbox and the workers on it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.clock = Now()
        self.inbox = Inbox(folder, clock=self.clock)
        self.notices: list[Notice] = []
        self._stack = stack
        stack.callback(self.inbox.close)

    def work(self, *steps: Does, **options: Any) -> Worker:
        inbox = options.pop("inbox", self.inbox)
        options = dict[str, Any](backoff=QUICK, workers=2) | options
        worker = Worker(inbox, steps, watch=self.notices.append, clock=self.clock, **options)
        worker.start()
        self._stack.callback(worker.stop, 0.5)
        return worker

    def add(self, task_id: str = "a") -> int:
        return self.inbox.add(midi(task_id))[0].id

    def wait(self, state: str, event_id: int = 1) -> None:
        wait_for(lambda: self.inbox.work(event_id).state == state)

    def told(self, what: str) -> list[Notice]:
        return [notice for notice in self.notices if notice.what == what]


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    with ExitStack() as stack:
        yield Following(tmp_path / "inbox", stack)


def test_steps_run_in_order_and_pass_their_files_on(following: Following) -> None:
    seen: list[tuple[str, dict[str, Path]]] = []

    def write(delivery: Delivery) -> Mapping[str, Path]:
        seen.append(("write", dict(delivery.files)))
        return {"song.mid": delivery.folder / "song.mid"}

    following.add()
    following.work(Does("write", write), Does("read", lambda delivery: seen.append(("read", dict(delivery.files)))))
    following.wait("done")
    path = following.inbox.folder / "midi" / "a" / "song.mid"
    assert seen == [("write", {}), ("read", {"song.mid": path})]
    work = following.inbox.work(1)
    assert (work.steps_done, work.files) == (("write", "read"), {"song.mid": "midi/a/song.mid"})


def test_a_step_that_is_done_is_not_run_again_when_a_later_one_fails(following: Following) -> None:
    ran: list[str] = []

    def fail_once(delivery: Delivery) -> None:
        ran.append("second")
        if delivery.attempt == 1:
            raise ValueError("not yet")

    following.add()
    worker = following.work(Does("first", lambda delivery: ran.append("first")), Does("second", fail_once))
    wait_for(lambda: following.told("retry"))
    following.clock.time += 1
    worker.wake()
    following.wait("done")
    assert ran == ["first", "second", "second"]


def test_a_failure_is_put_off_and_said(following: Following) -> None:
    def fail(delivery: Delivery) -> None:
        raise ValueError("no such table: songs")

    following.add()
    following.work(Does("store", fail), backoff=Backoff(first=60, spread=0))
    wait_for(lambda: following.told("retry"))
    (notice,) = following.told("retry")
    assert (notice.step, notice.text, notice.until) == ("store", "ValueError: no such table: songs", 1_000_060.0)
    work = following.inbox.work(1)
    assert (work.state, work.due_at, work.error) == ("pending", 1_000_060.0, "ValueError: no such table: songs")


def test_a_step_chooses_its_pause(following: Following) -> None:
    def later(delivery: Delivery) -> None:
        raise TryAgain("busy", after=77)

    following.add()
    following.work(Does("store", later), backoff=Backoff(spread=0))
    wait_for(lambda: following.told("retry"))
    assert following.inbox.work(1).due_at == 1_000_077.0


def test_after_the_last_try_it_has_failed_until_somebody_retries_it(following: Following) -> None:
    broken = True

    def store(delivery: Delivery) -> None:
        if broken:
            raise TryAgain("no database", after=0)

    following.add()
    worker = following.work(Does("store", store), backoff=Backoff(tries=2))
    following.wait("failed")
    assert following.inbox.work(1).error == "no database (after 2 tries; 'antiphon inbox retry' starts over)"
    broken = False
    assert following.inbox.retry([1]) == 1
    worker.wake()
    following.wait("done")


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_step_may_give_up(following: Following, state: Any) -> None:
    def stop(delivery: Delivery) -> None:
        raise GiveUp("the link is gone", state)

    following.add()
    following.work(Does("fetch", stop))
    following.wait(state)
    wait_for(lambda: following.told(state))
    assert [notice.text for notice in following.told(state)] == ["the link is gone"]


def test_what_needs_no_links_is_tried_again_when_the_links_would_have_expired(following: Following) -> None:
    def fail_once(delivery: Delivery) -> None:
        if delivery.attempt == 1:
            raise ValueError("no database")

    following.add()
    following.clock.time = following.inbox.work(1).expires_at + 1
    worker = following.work(Does("handler", fail_once))
    wait_for(lambda: following.told("retry"))
    following.clock.time += 1
    worker.wake()
    following.wait("done")


def test_what_is_only_queued_is_not_said_to_run(following: Following) -> None:
    release = threading.Event()
    began = threading.Semaphore(0)

    def run(delivery: Delivery) -> None:
        began.release()
        release.wait(20)

    for number in range(6):
        following.add(str(number))
    worker = following.work(Does("store", run))
    assert began.acquire(timeout=5) and began.acquire(timeout=5)
    states = [following.inbox.work(event_id) for event_id in range(1, 7)]
    assert [(work.state, work.attempt) for work in states] == [("running", 1)] * 2 + [("pending", 0)] * 4
    worker.after = following.inbox.close
    worker.stop(0.1)
    release.set()
    assert worker.stop(5)
    with Inbox(following.inbox.folder) as again:
        assert [again.work(event_id).tries for event_id in range(3, 7)] == [0] * 4


def test_progress_reaches_who_watches(following: Following) -> None:
    following.add()
    following.work(Does("fetch", lambda delivery: delivery.report(0.5, "half of it")))
    following.wait("done")
    wait_for(lambda: following.told("done"))
    assert [(notice.step, notice.fraction, notice.text) for notice in following.told("progress")] == [
        ("fetch", 0.5, "half of it")
    ]
    assert [notice.what for notice in following.notices] == ["started", "progress", "done"]


def test_steps_that_hang_hold_up_neither_the_others_nor_the_end(following: Following) -> None:
    release = threading.Event()

    def run(delivery: Delivery) -> None:
        if delivery.event.task_id == "hangs":
            release.wait(20)

    stuck = following.add("hangs")
    for number in range(20):
        following.add(str(number))
    worker = following.work(Does("store", run))
    for event_id in range(stuck + 1, stuck + 21):
        following.wait("done", event_id)
    assert following.inbox.work(stuck).state == "running"
    start = time.monotonic()
    assert not worker.stop(0.1)
    assert time.monotonic() - start < 1
    release.set()
    assert worker.stop(5)


def test_when_all_threads_hang_others_are_started(following: Following) -> None:
    release = threading.Event()

    def run(delivery: Delivery) -> None:
        if delivery.event.task_id.startswith("hangs"):
            release.wait(20)

    following.add("hangs 1")
    following.add("hangs 2")
    other = following.add("other")
    following.work(Does("store", run), patience=0.05)
    following.wait("done", other)
    release.set()


def test_one_works_and_the_next_takes_over_what_was_left(following: Following) -> None:
    following.add()
    second = Inbox(following.inbox.folder, clock=following.clock)
    began = threading.Event()
    done: list[str] = []

    def first_dies(delivery: Delivery) -> None:
        began.set()
        delivery.stopping.wait(20)
        raise TryAgain("stopped")

    worker = following.work(Does("store", first_dies))
    assert began.wait(5)
    heir = following.work(Does("store", lambda delivery: done.append(delivery.event.task_id)), inbox=second)
    assert (worker.leading, heir.leading) == (True, False)
    worker.after = following.inbox.close
    assert worker.stop(5)
    wait_for(lambda: second.work(1).state == "done")
    assert done == ["a"]
    heir.stop()
    second.close()


def test_what_was_left_running_is_run_again_by_who_comes_next(following: Following) -> None:
    following.inbox.begin(following.add())
    attempts: list[int] = []
    following.work(Does("store", lambda delivery: attempts.append(delivery.attempt)))
    following.wait("done")
    assert attempts == [2]


def test_what_another_process_brought_is_seen(following: Following) -> None:
    following.work(Does("store", lambda delivery: None))
    with Inbox(following.inbox.folder, clock=following.clock) as other:
        other.add(midi("elsewhere"))
    following.wait("done")


def test_a_broken_off_step_is_due_at_once_after_the_restart(following: Following) -> None:
    began = threading.Event()

    def run(delivery: Delivery) -> None:
        began.set()
        assert delivery.stopping.wait(20)
        raise TryAgain("the receiver was stopped")

    following.add()
    worker = following.work(Does("fetch", run))
    assert began.wait(5)
    assert worker.stop(5)
    work = following.inbox.work(1)
    assert (work.state, work.due_at, work.tries) == ("pending", following.clock.time, 0)


def test_a_file_outside_the_inbox_is_refused_in_words(following: Following, tmp_path: Path) -> None:
    following.add()
    following.work(Does("store", lambda delivery: {"song": tmp_path / "song.wav"}))
    following.wait("failed")
    assert "outside the inbox" in following.inbox.work(1).error


def test_acknowledging_goes_first_but_not_for_ever(following: Following) -> None:
    looks: list[float] = []

    def crowded() -> bool:
        looks.append(time.monotonic())
        return True

    following.add()
    following.work(Does("store", lambda delivery: None), crowded=crowded)
    following.wait("done")
    assert len(looks) > 2 and looks[-1] - looks[0] < 2


@pytest.mark.parametrize("pause", [0, 0.0005, 0.001, 0.002, 0.005, 0.01])
def test_it_can_be_stopped_in_any_moment_of_its_start(following: Following, pause: float) -> None:
    following.add()
    worker = following.work(Does("store", lambda delivery: None))
    threading.Event().wait(pause)
    assert worker.stop(5)
