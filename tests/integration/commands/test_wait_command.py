"""``antiphon wait``, run as a user runs it."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.receiver.inbox.inbox import Inbox
from tests.integration.line import KINDS, Line
from tests.integration.server import Server
from tests.waiting import wait_for


def command(server: Server, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "antiphon", "wait", "--server", server.url, *map(str, arguments)]


def wait(server: Server, *arguments: object, key: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(server, *arguments),
        input=f"{key or server.key}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_is_waited_for_lands_in_the_inbox_once(server: Server, line: Line, tmp_path: Path) -> None:
    inbox, key = tmp_path / "inbox", tmp_path / "key"
    key.write_text(server.key + "\n")
    wanted = (*line.ids.values(), "--inbox", inbox, "--api-key-file", key)
    first, second = wait(server, *wanted), wait(server, *wanted)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    for printed, kept in ((first.stdout, "new in the inbox"), (second.stdout, "already in the inbox")):
        assert sorted(printed.splitlines()) == sorted(
            f"{KINDS[name]:<10} {task_id}  succeeded  {kept}" for name, task_id in line.ids.items()
        )
    with Inbox(inbox) as kept_events:
        assert {event.task_id: event.kind for event in kept_events.events()} == {
            task_id: KINDS[name] for name, task_id in line.ids.items()
        }


def test_the_key_is_asked_for_and_records_come_as_json(server: Server, line: Line) -> None:
    done = wait(server, line.ids["midi"], "--kind", "midi", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["taskId"], told["kind"], told["outcome"]) == (line.ids["midi"], "midi", "succeeded")
    assert told["record"]["midiData"] == line.records["midi"]["midiData"]
    assert "API key" in done.stderr
    assert server.key not in done.stdout + done.stderr


def test_a_failure_and_a_missing_task_are_said_and_exit_with_1(server: Server) -> None:
    failed = server.plant("video", "failed", error_code=500, error_message="the song is silent")
    done = wait(server, failed, "0" * 32)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first == f"video      {failed}  failed: the song is silent"
    assert second.startswith(f"unknown    {'0' * 32}  missing: the API has no record")


def test_the_deadline_is_kept_and_says_how_the_task_stands(server: Server) -> None:
    task = server.plant("midi", "queued")
    done = wait(server, task, "--deadline", "0s")
    assert done.returncode == 1
    assert done.stdout == f"midi       {task}  pending: task {task} has not ended by the deadline: queued, 0 %\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--deadline", "soon"], "--deadline: expected a duration such as 90s, 30m, 2h or 1d (got 'soon')"),
        (["--server", "music.example.com"], "base_url: expected the API's address"),
        (["--api-key-file", "/no/such/file"], "--api-key-file: /no/such/file cannot be read"),
        (["--kind", "upload"], "'upload' is not one of 'midi', 'video', 'separation'"),
    ],
)
def test_bad_options_are_named(server: Server, arguments: list[str], words: str) -> None:
    done = wait(server, "0" * 32, *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_key_is_said_once(server: Server) -> None:
    done = wait(server, "0" * 32, "1" * 32, key="ak_wrong")
    assert done.returncode == 1
    assert done.stderr.count("this API key is unknown or revoked") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_on_a_terminal_it_says_how_a_task_stands_and_stops_when_told(server: Server, signum: signal.Signals) -> None:
    task = server.plant("midi", "queued")
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command(server, task, "--api-key", server.key), stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    said = bytearray()

    def stands() -> bool:
        said.extend(os.read(ours, 4096))
        return b"queued, 0 %" in said

    wait_for(stands)
    process.send_signal(signum)
    assert process.wait(10) == 130
    said.extend(os.read(ours, 4096))
    assert b"stopped; start it again to go on" in said
    assert b"Traceback" not in said
    os.close(ours)
