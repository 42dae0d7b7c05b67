"""The command that follows an event, run by a real shell."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.paths import ROOT
from tests.waiting import wait_for

from antiphon.contract.results import FailedResult, MidiResult, Result, UnknownResult
from antiphon.errors import SettingsError
from antiphon.receiver.follow_up.command import LOG, MAX_LOG_BYTES, VARIABLES, ExecStep
from antiphon.receiver.follow_up.step import Delivery, TryAgain
from antiphon.receiver.inbox.inbox import Inbox
from antiphon.settings import load_settings

TASK = "0123456789abcdef0123456789abcdef"
DOCUMENT = {"code": 200, "msg": "success", "taskId": TASK, "data": {"taskId": TASK, "instruments": []}}
MIDI = MidiResult(TASK, (), (), DOCUMENT)


def delivery(
    inbox: Path,
    document: dict[str, Any] = DOCUMENT,
    result: Result = MIDI,
    *,
    attempt: int = 1,
    report: Callable[[float | None, str], None] = lambda fraction, text: None,
    stopping: threading.Event | None = None,
) -> Delivery:
    with Inbox(inbox) as opened:
        event, _ = opened.add(json.dumps(document).encode())
    folder = inbox / "midi" / "task"
    return Delivery(event, result, attempt, folder, {}, time.time() + 1000, report, stopping or threading.Event())


def lives(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_command_gets_the_body_and_what_it_needs_to_know(tmp_path: Path) -> None:
    given = delivery(tmp_path, attempt=3)
    step = ExecStep('cat > "$ANTIPHON_FOLDER/body"; env > "$ANTIPHON_FOLDER/environment"; echo said; echo too >&2')
    files = step.run(given)
    assert (given.folder / "body").read_bytes() == given.event.body
    environment = dict(line.partition("=")[::2] for line in (given.folder / "environment").read_text().splitlines())
    assert {name: environment[name] for name in VARIABLES} == {
        "ANTIPHON_KIND": "midi",
        "ANTIPHON_TASK_ID": TASK,
        "ANTIPHON_STATE": "succeeded",
        "ANTIPHON_FOLDER": os.fspath(given.folder),
        "ANTIPHON_ATTEMPT": "3",
        "ANTIPHON_EVENT_ID": str(given.event.id),
    }
    assert environment["PATH"] == os.environ["PATH"]
    assert files == {LOG: given.folder / LOG}
    assert files[LOG].read_text().splitlines()[1:] == ["said", "too"]


@pytest.mark.parametrize(
    ("result", "state"),
    [(FailedResult(TASK, "midi", 500, "no", {}), "failed"), (UnknownResult("", None, {}), "unknown")],
)
def test_the_command_is_told_how_the_task_ended(tmp_path: Path, result: Result, state: str) -> None:
    ExecStep(f'test "$ANTIPHON_STATE" = {state}').run(delivery(tmp_path, result=result))


def test_nothing_of_what_came_is_interpreted_by_the_shell(tmp_path: Path) -> None:
    hostile = f"$(touch {tmp_path}/owned); `touch {tmp_path}/owned`'\"; é ✓"
    given = delivery(tmp_path, {"code": 200, "data": {"taskId": hostile, "instruments": []}})
    ExecStep('printf %s "$ANTIPHON_TASK_ID" > "$ANTIPHON_FOLDER/id"').run(given)
    assert (given.folder / "id").read_text() == hostile
    assert not (tmp_path / "owned").exists()


def test_a_large_body_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    began = time.monotonic()
    ExecStep("true").run(delivery(tmp_path, {**DOCUMENT, "padding": "x" * 5_000_000}))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "for i in 1 2 3 4 5; do echo line $i >&2; done; exit 3",
            "the command ended with status 3: line 3 | line 4 | line 5",
        ),
        ("exit 1", "the command ended with status 1"),
        ("no-such-command-anywhere", r"the command ended with status 127 \(not found\): .*no-such-command-anywhere"),
        ("kill -SEGV $$", "the command was killed by SIGSEGV"),
        ("kill -40 $$", "the command was killed by signal 40"),
        (r"printf '\033[31mred\033[0m\377\n'; exit 1", r"the command ended with status 1: \[31mred \[0m.$"),
    ],
)
def test_a_command_that_fails_is_tried_again_and_says_why(tmp_path: Path, command: str, said: str) -> None:
    with pytest.raises(TryAgain, match=said):
        ExecStep(command).run(delivery(tmp_path))


def test_an_error_tells_only_what_this_attempt_has_printed(tmp_path: Path) -> None:
    with pytest.raises(TryAgain):
        ExecStep("echo the first; exit 1").run(delivery(tmp_path))
    with pytest.raises(TryAgain, match=r"^the command ended with status 1$"):
        ExecStep("exit 1").run(delivery(tmp_path, attempt=2))
    log = (tmp_path / "midi" / "task" / LOG).read_text()
    assert [line.split(",")[0] for line in log.splitlines()] == ["--- attempt 1", "the first", "--- attempt 2"]


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    given = delivery(tmp_path)
    stubborn = "trap '' TERM; sleep 600 & echo $! > \"$ANTIPHON_FOLDER/child\"; echo waiting; wait; sleep 600"
    with pytest.raises(TryAgain, match=r"the command ran longer than 0\.5 s: waiting"):
        ExecStep(stubborn, limit=0.5, grace=0.2).run(given)
    child = int((given.folder / "child").read_text())
    wait_for(lambda: not lives(child), "the child to die")


def test_stopping_ends_the_command(tmp_path: Path) -> None:
    stopping = threading.Event()
    given = delivery(tmp_path, stopping=stopping)

    def stop() -> None:
        wait_for((given.folder / "pid").exists, "the command to start")
        stopping.set()

    threading.Thread(target=stop, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(TryAgain, match="stopped while the command ran"):
        ExecStep('echo $$ > "$ANTIPHON_FOLDER/pid"; exec sleep 600').run(given)
    assert time.monotonic() - began < 5
    assert not lives(int((given.folder / "pid").read_text()))


def test_the_last_line_that_it_prints_is_its_progress(tmp_path: Path) -> None:
    told: list[str] = []
    given = delivery(tmp_path, report=lambda fraction, text: told.append(text))
    ExecStep("echo step one; sleep 0.8; echo step two; sleep 0.8").run(given)
    assert told == ["step one", "step two"]


def test_the_log_of_a_talkative_command_stays_small(tmp_path: Path) -> None:
    given = delivery(tmp_path)
    fill = f"head -c {2 * MAX_LOG_BYTES} /dev/zero | tr '\\0' x"
    ExecStep(f"{fill}; sleep 0.8; {fill}; sleep 0.8; echo the end").run(given)
    log = (given.folder / LOG).read_bytes()
    assert log.endswith(b"the end\n")
    assert len(log) < 1000


LEAVING = """
import sys, threading
from pathlib import Path
from tests.unit.receiver.follow_up.test_command import delivery
from antiphon.receiver.follow_up.command import ExecStep
ExecStep('echo $$ > "$ANTIPHON_FOLDER/pid"; exec sleep 600').run(delivery(Path(sys.argv[1])))
"""


def test_a_command_that_a_killed_receiver_left_behind_is_not_doubled(tmp_path: Path) -> None:
    receiver = subprocess.Popen([sys.executable, "-c", LEAVING, os.fspath(tmp_path)], cwd=ROOT)
    left = tmp_path / "midi" / "task" / "pid"
    wait_for(lambda: left.exists() and left.read_text() != "", "the command to start")
    receiver.kill()
    receiver.wait()
    pid = int(left.read_text())
    try:
        with pytest.raises(TryAgain, match="an earlier attempt still runs") as again:
            ExecStep("true").run(delivery(tmp_path, attempt=2))
        assert again.value.after is not None
    finally:
        os.kill(pid, 9)
    wait_for(lambda: not lives(pid), "the command to die")
    ExecStep("true").run(delivery(tmp_path, attempt=3))


def test_what_the_command_leaves_in_the_background_does_not_stop_a_retry(tmp_path: Path) -> None:
    given = delivery(tmp_path)
    ExecStep('sleep 600 & echo $! > "$ANTIPHON_FOLDER/pid"').run(given)
    try:
        ExecStep("true").run(given)
    finally:
        os.kill(int((given.folder / "pid").read_text()), 9)


def test_the_command_may_be_one_of_ours_that_reads_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "1")
    load_settings()


@pytest.mark.parametrize("command", ["", "  ", "echo \0"])
def test_a_command_that_cannot_be_run_is_refused_at_once(command: str) -> None:
    with pytest.raises(SettingsError, match="the command to run"):
        ExecStep(command)


def test_a_time_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="time limit"):
        ExecStep("true", limit=0)
