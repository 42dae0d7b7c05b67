"""'antiphon inbox': what is shown of an inbox, and what is begun again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from antiphon.cli import app
from antiphon.errors import AntiphonError, BadParameter, NotFound
from antiphon.receiver.inbox.inbox import Inbox

NOW = 1_800_000_000.0
DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(tmp_path: Path, clock: Clock) -> Iterator[Inbox]:
    with Inbox(tmp_path, clock=clock) as opened:
        yield opened


def video(task_id: str, url: str | None = "https://files.example.com/v.mp4", **more: object) -> bytes:
    code = 200 if url else 500
    return json.dumps({"code": code, "msg": "m", "data": {"task_id": task_id, "video_url": url}, **more}).encode()


def midi(task_id: str) -> bytes:
    return json.dumps({"code": 200, "data": {"taskId": task_id, "instruments": []}}).encode()


def antiphon(inbox: Inbox, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["inbox", command, "--inbox", str(inbox.folder), *arguments])


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [re.split(" {2,}", line.strip()) for line in result.stdout.splitlines()]


def test_events_are_listed_with_their_states_and_what_is_next(inbox: Inbox, clock: Clock) -> None:
    first, _ = inbox.add(midi("one"), scheme="standard")
    second, _ = inbox.add(video("two"))
    inbox.add(video("two"))
    third, _ = inbox.add(video("three", None))
    fourth, _ = inbox.add(video("two", "https://files.example.com/other.mp4"))
    inbox.begin(first.id)
    inbox.finish(first.id)
    inbox.give_up(second.id, "the disk is full\x1b[2J")
    inbox.give_up(third.id, "gone", "expired")
    inbox.postpone(fourth.id, NOW + 10**9, "no answer")
    listed = antiphon(inbox, "list")
    head, *events = rows(listed)
    assert head == ["ID", "RECEIVED", "KIND", "TASK", "OUTCOME", "AGAIN", "STATE"]
    assert [[row[0], *row[2:]] for row in events] == [
        ["1", "midi", "one", "success", "done"],
        ["2", "video", "two", "success", "1", "failed", "the disk is full [2J"],
        ["3", "video", "three", "failed", "expired", "gone"],
        ["4", "video", "two", "success v2", "pending", events[3][-1]],
    ]
    assert re.fullmatch(r"next try in \d+ d; (links expire in .*; )?no answer", events[3][-1])
    assert listed.stderr == "1 done · 1 expired · 1 failed · 1 pending\n"


def test_what_is_listed_may_be_chosen(inbox: Inbox) -> None:
    for number in range(5):
        event, _ = inbox.add(midi(f"m{number}"))
        if number % 2:
            inbox.give_up(event.id, "no")
    inbox.add(video("v"))
    assert [row[3] for row in rows(antiphon(inbox, "list", "--limit", "2"))[1:]] == ["m4", "v"]
    assert [row[3] for row in rows(antiphon(inbox, "list", "--kind", "video"))[1:]] == ["v"]
    assert [row[3] for row in rows(antiphon(inbox, "list", "--state", "failed", "--kind", "midi"))[1:]] == ["m1", "m3"]
    shown = antiphon(inbox, "list", "--state", "failed", "--json")
    documents = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(each["task_id"], each["state"], each["error"]) for each in documents] == [
        ("m1", "failed", "no"),
        ("m3", "failed", "no"),
    ]


def test_an_empty_inbox_says_so(inbox: Inbox) -> None:
    listed = antiphon(inbox, "list")
    assert (listed.stdout, listed.stderr) == ("", "nothing has come yet\n")


def test_all_that_is_known_of_a_task_is_shown(inbox: Inbox, clock: Clock) -> None:
    event, _ = inbox.add(video("task"), scheme="standard")
    inbox.add(video("task", more="bytes"), scheme="documented")
    inbox.add(video("task"), scheme="polled")
    again, _ = inbox.add(video("task", None))
    made = inbox.folder / "video" / "task" / "video.mp4"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"x" * 12345)
    inbox.begin(event.id)
    inbox.step_done(event.id, "files", {"video": made, "gone": made.with_name("gone")})
    inbox.postpone(event.id, clock.now + 60, "status 3")
    shown = antiphon(inbox, "show", "task").output
    for expected in (
        "video  task  success\n",
        "pending, 1 try",
        "error         status 3",
        "steps done    files",
        "Standard Webhooks",
        r"again 1 .*documented signature, other bytes \(\d+\)",
        "again 2 .*polled",
        "links expire  20",
        r"folder        .*/video/task\n",
        r"video\.mp4  12,345 bytes",
        "gone  is gone",
        "video  task  failed v2\n",
    ):
        assert re.search(expected, shown), f"{expected} in {shown}"
    assert antiphon(inbox, "show", str(again.id)).output.startswith("video  task  failed v2\n")
    assert antiphon(inbox, "show", "task", "--body").stdout_bytes == again.body


def test_a_task_is_retried_by_its_id_and_an_event_by_its_number(inbox: Inbox) -> None:
    events = [inbox.add(video(task_id))[0] for task_id in ("a", "b", "c")]
    for event in events:
        inbox.give_up(event.id, "no")
    assert antiphon(inbox, "retry", "a", str(events[1].id)).output == "2 begin again now\n"
    assert [inbox.work(event.id).state for event in events] == ["pending", "pending", "failed"]


def test_all_that_failed_is_retried_and_what_has_expired_is_named(inbox: Inbox) -> None:
    events = [inbox.add(video(task_id))[0] for task_id in ("a", "b", "c")]
    inbox.give_up(events[0].id, "no")
    inbox.give_up(events[1].id, "no")
    inbox.give_up(events[2].id, "late", "expired")
    done = antiphon(inbox, "retry", "--all")
    assert done.stdout == "3 begin again now\n"
    assert done.stderr == "1 of them had expired, and will again unless their links have come anew\n"
    inbox.finish(events[2].id)
    assert antiphon(inbox, "retry", "c").exit_code == 1


def test_old_events_that_are_done_are_forgotten(inbox: Inbox, clock: Clock) -> None:
    clock.now = NOW = 1_600_000_000.0  # long ago
    for task_id in ("done", "failed"):
        inbox.add(midi(task_id))
    inbox.finish(1)
    inbox.give_up(2, "no")
    clock.now = NOW + 10
    assert antiphon(inbox, "prune").output == "1 forgotten\n"
    assert [event.task_id for event in inbox.events()] == ["failed"]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["show", "nobody"], NotFound, "there is no task or event 'nobody'"),
        (["show", "9" * 30], NotFound, "there is no task or event '9999"),
        (["retry", "nobody"], NotFound, "there is no task or event"),
        (["retry"], BadParameter, "TASK: give the ids of tasks, or --all"),
        (["retry", "x", "--all"], BadParameter, "not both"),
        (["prune", "--older-than", "3d"], BadParameter, r"--older-than: at least 14d.*\(got 3d\)"),
        (["prune", "--older-than", "old"], BadParameter, "--older-than: expected a duration"),
    ],
)
def test_a_wrong_argument_is_named(inbox: Inbox, arguments: list[str], error: type[AntiphonError], said: str) -> None:
    raised = antiphon(inbox, *arguments).exception
    assert isinstance(raised, error)
    assert re.search(said, raised.message)


@pytest.mark.parametrize("command", [["list"], ["show", "x"], ["retry", "--all"], ["prune"]])
def test_a_folder_without_an_inbox_is_named_and_left_alone(tmp_path: Path, command: list[str]) -> None:
    folder = tmp_path / "none"
    done = CliRunner().invoke(app, ["inbox", *command, "--inbox", str(folder)])
    assert isinstance(done.exception, NotFound)
    assert f"there is no inbox in {folder}" in done.exception.message
    assert not folder.exists()
