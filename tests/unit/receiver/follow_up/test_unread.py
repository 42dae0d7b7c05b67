"""A success that nobody understands: kept, marked, and read by a version that does."""

import json
from pathlib import Path

from tests.unit.receiver.sending import KEY, hand_over
from tests.waiting import wait_for

from antiphon.receiver import Delivery, Inbox, Notice, Receiver, UnknownResult
from antiphon.receiver.inbox.listing import latest

TASK = "5c79be8e5c7f4bb0a3f7a1a2b3c4d5e6"
NEWER = json.dumps({"code": 200, "msg": "success", "data": {"task_id": TASK, "hologram_url": "https://x/h"}}).encode()
VIDEO = json.dumps({"code": 200, "msg": "success", "data": {"task_id": TASK, "videoUrl": "https://x/v"}}).encode()


def test_a_success_that_is_not_understood_is_never_done(tmp_path: Path) -> None:
    notices: list[Notice] = []
    receiver = Receiver(tmp_path, keys=[KEY], download=False, watch=notices.append)
    try:
        assert hand_over(receiver, NEWER).status == 200
        wait_for(lambda: any(notice.what == "unread" for notice in notices))
    finally:
        receiver.stop()
    (entry,) = latest(tmp_path, 10)
    assert (entry.state, entry.kind, entry.steps_done) == ("unread", "unknown", ())
    assert "upgrade" in entry.error
    with Inbox(tmp_path) as inbox:
        assert [event.body for event in inbox.events()] == [NEWER]
        assert inbox.prune(0) == 0


def test_a_handler_of_ones_own_for_it_makes_it_done(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, keys=[KEY], download=False)
    taken: list[str] = []

    @receiver.on_unknown
    def unknown(result: UnknownResult, delivery: Delivery) -> None:
        taken.append(result.task_id)

    try:
        hand_over(receiver, NEWER)
        wait_for(lambda: latest(tmp_path, 10)[0].state == "done")
    finally:
        receiver.stop()
    assert taken == [TASK]


def test_a_newer_version_reads_it_when_it_is_retried(tmp_path: Path) -> None:
    """As if VIDEO had come to a version that knew no videoUrl."""
    with Inbox(tmp_path) as inbox:
        inbox.add(NEWER)
        (event,) = inbox.events()
        inbox.give_up(event.id, "not understood", "unread")
        inbox._file.change(lambda c: c.execute("UPDATE bodies SET body = ? WHERE event_id = ?", (VIDEO, event.id)))
        assert inbox.retry() == 1
    receiver = Receiver(tmp_path, keys=[KEY], download=False)
    try:
        receiver.start()
        wait_for(lambda: latest(tmp_path, 10)[0].state == "done")
    finally:
        receiver.stop()
    assert latest(tmp_path, 10)[0].kind == "video"
