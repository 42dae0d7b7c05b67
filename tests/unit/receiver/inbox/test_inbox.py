"""The inbox keeps every callback, and each outcome of a task once."""

import json
import os
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import wait_for

from antiphon.contract.callbacks import midi_callback, video_callback
from antiphon.errors import BadParameter, InvalidSignature, StorageError
from antiphon.receiver.follow_up.paths import folder_of
from antiphon.receiver.inbox.inbox import Arrival, Inbox, Scheme
from antiphon.receiver.inbox.listing import latest

FAILED = b'{"code": 500, "taskId": "a", "data": {"instruments": []}}'
FAILED_AGAIN = b'{"data":{"instruments":[]},"taskId":"a","code":500}'
DONE = b'{"code": 200, "taskId": "a", "data": {"instruments": [{}]}}'
LINK = b'{"code": 200, "data": {"task_id": "a", "video_url": "https://a.example/v?signed=%d"}}'


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Any:
    with Inbox(tmp_path / "inbox", clock=clock) as inbox:
        yield inbox


def task(number: int) -> bytes:
    return json.dumps({"taskId": str(number), "data": {"instruments": []}}).encode()


def test_the_same_outcome_again_is_counted_and_another_is_a_new_version(inbox: Inbox, clock: Clock) -> None:
    news = []
    for body in (FAILED, FAILED_AGAIN, DONE, FAILED, DONE):
        clock.now += 1
        news.append(inbox.add(body, scheme="standard")[1])
    assert news == [True, False, True, False, False]
    assert [(event.version, event.code, event.repeats) for event in inbox.events()] == [(1, 500, 2), (2, 200, 1)]
    first, second = inbox.of("a")
    assert (first.received_at, first.repeated_at) == (1_800_000_001, 1_800_000_004)
    assert (second.received_at, second.repeated_at, second.body) == (1_800_000_003, 1_800_000_005, DONE)


def test_every_arrival_is_on_record_and_bytes_that_differ_are_kept(inbox: Inbox, clock: Clock) -> None:
    inbox.finish(inbox.add(FAILED, scheme="standard")[0].id)
    clock.now += 5
    inbox.add(FAILED, scheme="documented")
    event, _ = inbox.add(FAILED_AGAIN, scheme="standard")
    assert event.body == FAILED
    assert inbox.arrivals(event.id) == [
        Arrival(1_800_000_000, "standard", None),
        Arrival(1_800_000_005, "documented", None),
        Arrival(1_800_000_005, "standard", FAILED_AGAIN),
    ]


@pytest.mark.parametrize(
    ("schemes", "body"),
    [
        (("", "documented"), LINK % 2),  # the better signature
        (("documented", "polled"), LINK % 2),
        (("polled", "standard"), LINK % 2),
        (("standard", "polled"), LINK % 1),
        (("standard", "documented"), LINK % 1),  # anybody may have written what the signature does not cover
        (("documented", "documented"), LINK % 2),  # equally good, and links may have been signed anew
    ],
)
def test_the_bytes_that_came_by_the_better_way_are_the_events(
    inbox: Inbox, schemes: tuple[Scheme, Scheme], body: bytes
) -> None:
    inbox.add(LINK % 1, scheme=schemes[0])
    event, new = inbox.add(LINK % 2, scheme=schemes[1])
    assert not new
    assert (event.body, event.scheme) == (body, max(schemes, key=["", "documented", "polled", "standard"].index))
    kept = {arrival.body or event.body for arrival in inbox.arrivals(event.id)}
    assert kept == {LINK % 1, LINK % 2}


def test_what_was_done_keeps_its_bytes(inbox: Inbox) -> None:
    event, _ = inbox.add(LINK % 1, scheme="standard")
    inbox.finish(event.id)
    assert inbox.add(LINK % 2, scheme="standard")[0].body == LINK % 1


def test_new_links_for_what_had_failed_begin_it_again(inbox: Inbox) -> None:
    event, _ = inbox.add(LINK % 1, scheme="standard")
    inbox.give_up(event.id, "403 Forbidden", "expired")
    inbox.add(LINK % 1, scheme="standard")
    assert inbox.work(event.id).state == "expired"
    inbox.add(LINK % 2, scheme="documented")  # which anybody may have written
    assert inbox.work(event.id).state == "expired"
    inbox.add(LINK % 3, scheme="standard")
    assert [work.event_id for work in inbox.pending()] == [event.id]
    assert inbox.of("a")[0].body == LINK % 3


def test_links_that_came_anew_expire_later_unless_anybody_may_have_put_them(inbox: Inbox, clock: Clock) -> None:
    first, day = clock.now + 14 * 86_400, 86_400
    identity = inbox.add(LINK % 1, scheme="documented")[0].id
    clock.now += 13 * day
    inbox.add(LINK % 2, scheme="documented")
    assert inbox.work(identity).expires_at == first
    inbox.add(LINK % 3, scheme="standard")
    assert inbox.work(identity).expires_at == first + 13 * day
    clock.now += 13 * day
    inbox.add(LINK % 3, scheme="standard")  # the same links live no longer
    assert inbox.work(identity).expires_at == first + 13 * day


def test_a_new_outcome_never_has_the_folder_of_one_that_was_forgotten(inbox: Inbox, clock: Clock) -> None:
    event, _ = inbox.add(LINK % 1, scheme="standard")
    inbox.finish(event.id)
    clock.now += 40 * 86_400
    assert inbox.prune(0) == 1
    again, new = inbox.add(LINK.replace(b"/v?", b"/w?") % 1, scheme="standard")
    assert (new, again.version) == (True, 2)
    assert folder_of(inbox.folder, again) != folder_of(inbox.folder, event)
    clock.now += 40 * 86_400
    inbox.finish(again.id)
    inbox.prune(0)
    assert inbox.add(LINK % 1, scheme="standard")[0].version == 3


def test_a_failure_is_known_as_one_whatever_its_code(inbox: Inbox) -> None:
    bodies = [LINK % 1, (LINK % 1).replace(b"https://", b"file://"), FAILED]
    events = [inbox.add(body)[0] for body in bodies]
    assert [event.failed for event in events] == [False, True, True]
    assert [event.failed for event in inbox.events()] == [False, True, True]
    assert [entry.failed for entry in latest(inbox.folder, 10)] == [False, True, True]


def test_a_callback_and_the_record_that_polling_finds_are_one_event(inbox: Inbox) -> None:
    notes = [{"pitch": 44, "start": 7.6875, "end": 7.9115, "velocity": 0.8}]
    called = midi_callback("a", [{"name": "Drums", "notes": notes}], None)
    polled = json.loads(json.dumps(called).replace("7.6875", '"7.68750"'))
    assert inbox.add(json.dumps(called).encode(), scheme="standard")[1]
    event, new = inbox.add(json.dumps(polled).encode(), scheme="polled")
    assert (new, event.version, event.scheme) == (False, 1, "standard")


def test_a_failure_without_the_field_of_its_kind_is_the_same_failure(inbox: Inbox) -> None:
    bare = b'{"code": 500, "msg": "failed", "taskId": "a", "data": null}'
    video = json.dumps(video_callback("a", None, "no encoder")).encode()
    assert [inbox.add(body)[1] for body in (FAILED, bare, video)] == [True, False, True]
    other = bare.replace(b'"a"', b'"b"')
    assert [inbox.add(body)[1] for body in (other, video.replace(b'"a"', b'"b"'))] == [True, False]


def test_failures_that_name_no_task_are_not_taken_for_each_other(inbox: Inbox) -> None:
    bodies = [b'{"code": 500, "msg": "one"}', b'{"code": 500, "msg": "two"}', b'{"msg": "one", "code": 500}']
    assert [inbox.add(body)[1] for body in bodies] == [True, True, False]


def test_the_task_must_be_the_one_that_was_signed(inbox: Inbox) -> None:
    with pytest.raises(InvalidSignature, match=r"'b'.*'a'"):
        inbox.add(DONE, scheme="documented", task_id="b")
    assert list(inbox.events()) == []
    assert inbox.add(DONE, scheme="documented", task_id="a")[1]


@pytest.mark.parametrize("padding", [0, 200_000])
def test_what_is_no_callback_is_refused_and_not_kept(inbox: Inbox, padding: int) -> None:
    with pytest.raises(BadParameter, match="not JSON"):
        inbox.add(b"no callback" + b" " * padding)
    assert list(inbox.events()) == []


def test_a_large_body_is_kept_whole_and_those_who_hand_it_in_need_not_wait(inbox: Inbox) -> None:
    body = b'{"taskId": "large", "more": "' + b"x" * 20_000_000 + b'"}'
    large, small = inbox.submit(body), inbox.submit(DONE)
    assert small.result(10)[0].body == DONE
    assert large.result(10)[0].body == body
    assert inbox.of("large")[0].body == body


def test_an_inbox_reads_on_from_where_one_stopped_also_when_it_was_opened_again(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        for future in [inbox.submit(task(number)) for number in range(250)]:
            future.result()
    with Inbox(tmp_path) as inbox:
        events = list(inbox.events())
        assert [event.task_id for event in events] == [str(number) for number in range(250)]
        assert [event.task_id for event in inbox.events(after=events[247].id)] == ["248", "249"]
        assert inbox.event(events[3].id) == events[3]
        assert inbox.event(0) is None


def test_many_at_once_with_repeats_are_each_kept_once(tmp_path: Path) -> None:
    with Inbox(tmp_path) as one, Inbox(tmp_path) as two, ThreadPoolExecutor(16) as threads:
        kept = list(threads.map(lambda number: (one, two)[number % 2].add(task(number % 70)), range(400)))
        assert sum(new for _, new in kept) == 70
        events = list(one.events())
    assert len(events) == 70
    assert sum(event.repeats for event in events) == 330


def test_what_waits_shares_a_commit(inbox: Inbox) -> None:
    commits: list[int] = []
    inbox.watch(lambda: commits.append(1))
    for future in [inbox.submit(task(number)) for number in range(1000)]:
        future.result()
    assert len(commits) < 500


def test_one_that_nobody_waits_for_any_more_may_be_left_out(inbox: Inbox) -> None:
    futures = [inbox.submit(task(number)) for number in range(100)]
    cancelled = [number for number, future in enumerate(futures) if future.cancel()]
    kept = {int(event.task_id) for event in (future.result()[0] for future in futures if not future.cancelled())}
    assert kept == set(range(100)) - set(cancelled)


def test_others_hear_of_a_change_in_this_process_and_notice_one_by_another(tmp_path: Path) -> None:
    with Inbox(tmp_path) as mine, Inbox(tmp_path) as other:
        heard = threading.Event()
        end = mine.watch(heard.set)
        before = mine.stamp()
        mine.add(task(1))
        assert heard.wait(5)
        between = mine.stamp()
        other.add(task(2))
        assert len({before, between, mine.stamp()}) == 3
        assert mine.stamp() == mine.stamp()
        end()
        heard.clear()
        mine.add(task(3))
        assert not heard.is_set()


def test_who_is_told_of_changes_cannot_break_the_inbox(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.watch(lambda: 1 / 0)  # type: ignore[arg-type]
    inbox.add(task(1))
    inbox.add(task(2))
    assert "ZeroDivisionError" in caplog.text


def test_a_closed_inbox_says_so(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.add(DONE)
    inbox.close()
    inbox.close()
    for use in (lambda: inbox.add(DONE), lambda: inbox.add(DONE + b" " * 200_000), lambda: list(inbox.events())):
        with pytest.raises(StorageError, match="is closed"):
            use()


def test_what_was_handed_in_before_the_end_is_kept(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    futures = [inbox.submit(task(number)) for number in range(500)]
    inbox.close()
    assert all(future.result(0)[1] for future in futures)
    with Inbox(tmp_path) as again:
        assert len(list(again.events())) == 500


def test_a_file_that_is_no_inbox_or_a_newer_one_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inbox.sqlite3").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StorageError, match="cannot be opened"):
        Inbox(tmp_path / "a")
    Inbox(tmp_path / "b").close()
    newer = sqlite3.connect(tmp_path / "b" / "inbox.sqlite3")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StorageError, match="newer"):
        Inbox(tmp_path / "b")
    (tmp_path / "c").write_text("a file")
    with pytest.raises(StorageError, match="cannot be opened"):
        Inbox(tmp_path / "c")


def test_no_thread_and_no_file_outlives_an_inbox_that_everybody_has_forgotten(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    inbox = Inbox(tmp_path)
    inbox.add(DONE)
    theirs = set(threading.enumerate()) - before
    assert theirs
    del inbox
    wait_for(lambda: not any(thread.is_alive() for thread in theirs), seconds=20)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith("-wal")]


def test_what_was_handed_in_is_kept_though_the_inbox_is_forgotten_at_once(tmp_path: Path) -> None:
    for number, size in enumerate((10, 200_000, 3_000_000)):
        body = b'{"taskId": "%d", "more": "%s"}' % (number, b"x" * size)
        assert Inbox(tmp_path).submit(body).result(10)[1]
    with Inbox(tmp_path) as inbox:
        assert [event.task_id for event in inbox.events()] == ["0", "1", "2"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_inbox_goes_on_in_the_parent_and_in_the_child_of_a_fork(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        assert inbox.lead().try_lead()
        inbox.add(task(0))
        if (child := os.fork()) == 0:
            try:
                signal.alarm(20)
                led = inbox.lead().try_lead()
                for number in range(1, 50):
                    inbox.add(task(number))
                os._exit(3 if led else 0)
            finally:
                os._exit(1)
        for number in range(25, 75):
            inbox.add(task(number))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert inbox.lead().held
        assert {event.task_id for event in inbox.events()} == {str(number) for number in range(75)}
    assert sqlite3.connect(tmp_path / "inbox.sqlite3").execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_opens_an_inbox_though_another_was_closing_by_itself_at_the_fork(tmp_path: Path) -> None:
    for number in range(40):
        forgotten = Inbox(tmp_path / f"forgotten-{number}").submit(b'{"taskId": "1", "more": "%s"}' % (b"x" * 200_000))
        forgotten.result(10)
        if (child := os.fork()) == 0:
            try:
                signal.alarm(20)
                with Inbox(tmp_path / f"child-{number}") as inbox:
                    inbox.add(task(number))
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
