"""'antiphon receive', run as a user runs it: its table, its lines, its keys, its command at each event."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from antiphon.contract import signatures
from antiphon.receiver.inbox.listing import Entry, latest
from tests.waiting import wait_for

KEY = signatures.new_key()


class Receiving:
    """A running 'antiphon receive', ``through`` another command if any; ``shown`` is what it has written."""

    def __init__(self, inbox: Path, *arguments: str, terminal: bool, through: tuple[str, ...] = ()) -> None:
        self.inbox = inbox
        self._output, theirs = pty.openpty() if terminal else os.pipe()
        if terminal:
            self.resize(100, 24)
        command = [
            *through,
            sys.executable,
            "-m",
            "antiphon",
            "receive",
            "--inbox",
            str(inbox),
            "--port",
            "0",
            *arguments,
        ]
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
        os.close(theirs)
        self._written = bytearray()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while block := os.read(self._output, 65536):
                self._written += block
        except OSError:  # how a terminal ends
            return

    @property
    def shown(self) -> str:
        return self._written.decode("utf-8", "replace")

    @property
    def url(self) -> str:
        pattern = re.compile(r"receiving on (http://\S+/)")
        wait_for(lambda: pattern.search(self.shown) or self.process.poll() is not None, "the receiver to start")
        found = pattern.search(self.shown)
        assert found, self.shown
        return found[1]

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._output, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def post(self, document: dict[str, object], *, key: str = KEY) -> int:
        body = json.dumps(document).encode()
        data = document["data"]
        assert isinstance(data, dict)
        headers = signatures.headers(
            [key], task_id=data["task_id"], webhook_id="msg_1", body=body, timestamp=int(time.time())
        )
        return httpx.post(self.url, content=body, headers=headers, trust_env=False).status_code

    def entries(self) -> list[Entry]:
        return latest(self.inbox, 100)

    def states(self) -> set[str]:
        return {entry.state for entry in self.entries()}

    def await_state(self, state: str) -> Entry:
        wait_for(lambda: self.states() == {state}, lambda: f"the state {state}: {self.entries()}; {self.shown}")
        return self.entries()[-1]

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(15)


@contextmanager
def receiving(
    inbox: Path, *arguments: str, terminal: bool = False, through: tuple[str, ...] = ()
) -> Iterator[Receiving]:
    running = Receiving(inbox, *arguments, terminal=terminal, through=through)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def failed(task_id: str | None = None) -> dict[str, object]:
    """A callback that nothing is to be downloaded for."""
    return {"code": 500, "msg": "no sound", "data": {"task_id": task_id or uuid4().hex, "video_url": None}}


def test_each_callback_is_a_line_and_the_command_is_run(tmp_path: Path) -> None:
    body_of = 'cat > "$ANTIPHON_FOLDER/body"; echo "$ANTIPHON_KIND $ANTIPHON_STATE $ANTIPHON_ATTEMPT"'
    with receiving(tmp_path / "inbox", "--key", KEY, "--exec", body_of) as running:
        document = failed("t1")
        assert [running.post(document), running.post(document)] == [200, 200]
        assert running.post(failed("t2"), key=signatures.new_key()) == 401
        entry = running.await_state("done")
        assert (entry.task_id, entry.repeats, entry.scheme) == ("t1", 1, "standard")
        log = tmp_path / "inbox" / entry.files["exec.log"]
        assert log.read_text().splitlines()[1:] == ["video failed 1"]
        assert json.loads((log.parent / "body").read_text()) == document
        wait_for(lambda: "done" in running.shown, "the last line")
        assert running.stop() == 0
        lines = [re.split(" {2,}", line)[1:] for line in running.shown.splitlines()]
    for line in (["video", "t1", "failed", "new"], ["video", "t1", "failed", "repeat 1"], ["video", "t1", "done"]):
        assert lines.count(line) == 1
    refused = [line for line in lines if line[0].startswith("callback refused")]
    assert len(refused) == 1 and "another key" in refused[0][0]
    assert "\x1b" not in running.shown


def test_a_command_that_fails_is_shown_and_tried_again(tmp_path: Path) -> None:
    twice = 'echo "not yet"; test "$ANTIPHON_ATTEMPT" -ge 2'
    with receiving(tmp_path, "--key", KEY, "--exec", twice) as running:
        assert running.post(failed()) == 200
        wait_for(lambda: "not yet" in running.shown, "the error")
        (waiting,) = running.entries()
        assert (waiting.state, waiting.error) == ("pending", "the command ended with status 1: not yet")
        command = [sys.executable, "-m", "antiphon", "inbox", "retry", "--inbox", str(tmp_path), waiting.task_id]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == "1 begin again now\n"
        assert running.await_state("done").attempt == 2


def test_what_was_acknowledged_is_followed_up_after_kill_9(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with receiving(tmp_path / "inbox", "--key", KEY, "--exec", f"echo $$ > {started}; exec sleep 600") as running:
        assert running.post(failed()) == 200
        wait_for(lambda: started.exists() and started.read_text(), "the command to start")
        running.process.kill()
        running.process.wait()
    os.kill(int(started.read_text()), signal.SIGKILL)
    with receiving(tmp_path / "inbox", "--key", KEY, "--exec", "true") as running:
        assert running.await_state("done").attempt == 2


def test_keys_come_from_files_so_that_nobody_sees_them(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# the sender's, and the one before\n\n{signatures.new_key()}\n  # now:\n  {KEY}\t\n")
    with receiving(tmp_path / "inbox", "--key-file", str(file), "--no-download") as running:
        assert running.post(failed()) == 200
        assert running.post(failed(), key=signatures.new_key()) == 401


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no webhook key given"),
        (["--key", ""], "a webhook key is empty"),
        (["--key", "x"], "a webhook key is 1 bytes long"),
        (["--key", f"{KEY} "], "a webhook key has white space in it"),
        (["--key-file", "/nowhere"], "--key-file: /nowhere cannot be read: "),
        (["--key-file", "/dev/null"], "--key-file: there is no key in /dev/null"),
        (["--key", KEY, "--public-url", "example.com"], "--public-url: expected a URL"),
        (["--key", KEY, "--exec", " "], "the command to run at each event is empty"),
        (["--key", KEY, "--exec", "true", "--exec-limit", "soon"], "--exec-limit: expected a duration"),
        (["--key", KEY, "--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--key", KEY, "--port", "99999"], "99999 is not in the range"),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_a_wrong_option_is_named_and_nothing_starts(
    tmp_path: Path, arguments: list[str], said: str, terminal: bool
) -> None:
    with receiving(tmp_path / "inbox", *arguments, terminal=terminal) as running:
        assert running.process.wait(15) in (1, 2)
        wait_for(lambda: said in running.shown, lambda: f"{said!r} in {running.shown!r}")
        assert "Traceback" not in running.shown


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with receiving(tmp_path / "one", "--key", KEY) as first:
        port = httpx.URL(first.url).port
        with receiving(tmp_path / "two", "--key", KEY, "--port", str(port)) as second:
            assert second.process.wait(15) == 1
            wait_for(lambda: f"port {port}" in second.shown, "the error")


def test_insecure_is_loud(tmp_path: Path) -> None:
    with receiving(tmp_path, "--insecure") as running:
        assert httpx.post(running.url, json=failed(), trust_env=False).status_code == 200
        wait_for(lambda: "INSECURE: anybody who reaches this" in running.shown, "the warning")


def test_the_way_from_the_public_url_is_checked_at_the_start(tmp_path: Path) -> None:
    with receiving(tmp_path / "one", "--key", KEY) as other:
        url = f"{other.url}hook"
        with receiving(tmp_path / "two", "--key", KEY, "--public-url", url) as running:
            wait_for(lambda: f"{url} does NOT lead here" in running.shown, "the verdict")
            assert re.search(r"BAD  answer +401 by somebody else .* → another receiver is there", running.shown)
        assert other.entries() == []
        port = httpx.URL(other.url).port
        other.stop()
        with receiving(tmp_path / "one", "--key", KEY, "--port", str(port), "--public-url", url) as running:
            wait_for(lambda: f"{url} leads here; doubtful: address, encryption" in running.shown, "the verdict")
            assert re.search(r"ok   signature +headers and body came through unchanged", running.shown)
        assert running.entries() == []


def test_a_terminal_shows_a_table_that_follows_its_size(tmp_path: Path) -> None:
    long_id = "0123456789abcdef" * 4
    with receiving(tmp_path, "--key", KEY, "--exec", "echo half way; sleep 1.2", terminal=True) as running:
        assert running.post(failed(long_id)) == 200
        wait_for(lambda: long_id[:40] in running.shown and "\x1b[36mhalf way" in running.shown, "the row")
        before = len(running.shown)
        running.resize(50, 10)
        wait_for(lambda: re.search(r"video  01234\w{0,9}…  failed", running.shown[before:]), "a cut row")
        wait_for(lambda: "\x1b[32mdone" in running.shown, "the end")
        assert running.stop(signal.SIGINT) == 0
        wait_for(lambda: "\x1b[?1049l" in running.shown, "the terminal to be as it was")
    left = running.shown.rpartition("\x1b[?1049l")[2]
    assert "receiving on" in left and "1 received · 1 done" in left
    assert running.shown.count("\x1b[?1049h") == 1
    assert "Traceback" not in running.shown


def test_plain_lines_may_be_had_on_a_terminal(tmp_path: Path) -> None:
    with receiving(tmp_path, "--key", KEY, "--plain", terminal=True) as running:
        assert running.post(failed("t1")) == 200
        wait_for(lambda: re.search(r"video +t1  done", running.shown), "the last line")
        assert "\x1b[?1049h" not in running.shown


def test_a_terminal_that_is_closed_ends_it_in_good_order(tmp_path: Path) -> None:
    with receiving(tmp_path, "--key", KEY, "--exec", "exec sleep 600", terminal=True) as running:
        assert running.post(failed()) == 200
        wait_for(lambda: running.states() == {"running"}, "the command to start")
        assert running.stop(signal.SIGHUP) == 0
        assert running.states() == {"pending"}
    with receiving(tmp_path, "--key", KEY, "--exec", "exec sleep 600") as running:
        wait_for(lambda: "1 from before are still to be followed up" in running.shown, "what was left")


def test_under_nohup_it_outlives_its_terminal(tmp_path: Path) -> None:
    with receiving(tmp_path, "--key", KEY, through=("nohup",)) as running:
        url = running.url
        running.process.send_signal(signal.SIGHUP)
        assert running.post(failed()) == 200
        assert url == running.url and running.process.poll() is None
        assert running.stop() == 0


def test_what_is_no_http_is_a_line_like_the_others(tmp_path: Path) -> None:
    with receiving(tmp_path, "--key", KEY) as running:
        url = httpx.URL(running.url)
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(b"\x16\x03\x01 this is TLS\r\n\r\n")
            connection.recv(100)
        assert running.stop() == 0
        assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in running.shown.splitlines()), running.shown
