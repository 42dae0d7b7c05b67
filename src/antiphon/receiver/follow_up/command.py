"""The step "exec": a shell command for each event. No part of a callback is put into the command line."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from antiphon import private_files
from antiphon.contract.results import FailedResult, Result, UnknownResult
from antiphon.errors import SettingsError
from antiphon.receiver.follow_up.step import Delivery, TryAgain

COMMAND_TIMEOUT_S = 600.0  # that a command may run
KILL_GRACE_S = 3.0  # between asking a command to end and killing it
LOG = "exec.log"
MAX_LOG_BYTES = 1_000_000  # a command that says more loses the beginning
VARIABLES = (
    *("ANTIPHON_KIND", "ANTIPHON_TASK_ID", "ANTIPHON_STATE", "ANTIPHON_FOLDER", "ANTIPHON_ATTEMPT"),
    "ANTIPHON_EVENT_ID",
)

_MIN_LOOK_INTERVAL_S, _MAX_LOOK_INTERVAL_S = 0.005, 0.2  # between two looks whether the command has ended
_TELL_INTERVAL_S = 0.5
_MAX_TAIL_BYTES = 2000  # of the log's end that are looked at
_MAX_TOLD_LINES = 3
_BUSY_PAUSE_S = 10.0


class ExecStep:
    """Runs ``/bin/sh -c command`` with the callback's body on standard input, in the directory of this process.

    The environment has, beside what is there already, ``ANTIPHON_KIND`` (midi, video, separation, wav, unknown),
    ``ANTIPHON_TASK_ID`` (may be empty), ``ANTIPHON_STATE`` (succeeded, failed, unknown), ``ANTIPHON_FOLDER`` (the
    event's own, absolute; earlier steps have put their files there), ``ANTIPHON_ATTEMPT`` (from 1) and
    ``ANTIPHON_EVENT_ID``, which stays the same in all attempts.

    Status 0 is done; any other is tried again, and so is a command that ran longer than ``limit`` seconds: it and
    what it started in its process group gets SIGTERM, after ``grace`` seconds SIGKILL. What it prints is kept in
    ``exec.log`` in the folder. Raises ``SettingsError`` for an empty command, or where there is no ``/bin/sh``.
    """

    name = "exec"

    def __init__(self, command: str, *, limit: float = COMMAND_TIMEOUT_S, grace: float = KILL_GRACE_S) -> None:
        if not command.strip() or "\0" in command:
            raise SettingsError(f"the command to run at each event is empty or holds a NUL (got {command[:80]!r})")
        if os.name != "posix":
            raise SettingsError("a command at each event needs /bin/sh, which this system has not; write a handler")
        if not limit > 0:
            raise SettingsError(f"the command's time limit must be more than 0 seconds (got {limit!r})")
        self._command = command
        self._limit = limit
        self._grace = grace

    def run(self, delivery: Delivery) -> Mapping[str, Path]:
        private_files.make_folder(delivery.folder)
        path = delivery.folder / LOG
        with _Log.open(path, delivery.attempt) as log, tempfile.TemporaryFile() as body:
            body.write(delivery.event.body)
            body.seek(0)
            self._run(delivery, body, log)
        return {LOG: path}

    def _run(self, delivery: Delivery, body: IO[bytes], log: "_Log") -> None:
        environment = os.environb | {name.encode(): os.fsencode(value) for name, value in variables(delivery).items()}
        process = subprocess.Popen(
            ["/bin/sh", "-c", self._command],
            stdin=body,
            stdout=log.file,
            stderr=log.file,
            env=environment,
            start_new_session=True,
        )
        try:
            ended = _watch(process, delivery, log, time.monotonic() + self._limit)
        finally:
            if process.poll() is None:
                self._end(process)
        if ended == "stopped":
            raise TryAgain("the receiver was stopped while the command ran")
        if ended == "late":
            raise TryAgain(log.explain(f"the command ran longer than {self._limit:g} s"))
        if process.returncode:
            raise TryAgain(log.explain(_status(process.returncode)))

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        """End the command with all its group, which outlives the shell if it ignores SIGTERM."""
        left = _signal(process.pid, signal.SIGTERM)
        end = time.monotonic() + self._grace
        while left and time.monotonic() < end:
            time.sleep(_MIN_LOOK_INTERVAL_S)
            process.poll()  # as a zombie the shell would count as a member of the group
            left = _signal(process.pid, 0)
        if left:
            _signal(process.pid, signal.SIGKILL)
        process.wait()


def variables(delivery: Delivery) -> dict[str, str]:
    """What the command finds in its environment."""
    event = delivery.event
    values = (event.kind, event.task_id, _state(delivery.result), str(delivery.folder.resolve()))
    return dict(zip(VARIABLES, (*values, str(delivery.attempt), str(event.id)), strict=True))


def _state(result: Result) -> str:
    if isinstance(result, FailedResult):
        return "failed"
    return "unknown" if isinstance(result, UnknownResult) else "succeeded"


@dataclass(frozen=True)
class _Log:
    """What the command prints, appended to ``file``; this attempt's part begins at the byte ``start``."""

    file: IO[bytes]
    start: int

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, attempt: int) -> Iterator["_Log"]:
        """Open and lock it. The command inherits the lock with its output: while a command lives that a receiver left
        behind when it was killed, the same is not started a second time beside it. Raises ``TryAgain`` then."""
        import fcntl

        with open(path, "ab+", buffering=0, opener=private_files.opener) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TryAgain("the command of an earlier attempt still runs", after=_BUSY_PAUSE_S) from None
            file.write(f"--- attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S%z')}\n".encode())
            try:
                yield cls(file, os.fstat(file.fileno()).st_size)
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # processes that it left in the background do not count

    def keep_small(self) -> None:
        if os.fstat(self.file.fileno()).st_size > MAX_LOG_BYTES:
            self.file.truncate(0)  # the command's output is in append mode, so goes on at the new end
            self.file.write(b"--- there was more than is kept; this goes on from the middle\n")

    def last_lines(self, number: int) -> list[str]:
        """The last lines that this attempt has printed, empty ones and control characters left out."""
        size = os.fstat(self.file.fileno()).st_size
        start = max(size - _MAX_TAIL_BYTES, self.start if self.start <= size else 0)
        text = os.pread(self.file.fileno(), _MAX_TAIL_BYTES, start).decode("utf-8", "replace")
        lines = ["".join(c if c.isprintable() else " " for c in line).strip() for line in text.splitlines()]
        return [line for line in lines if line][-number:]

    def explain(self, problem: str) -> str:
        said = " | ".join(self.last_lines(_MAX_TOLD_LINES))
        return f"{problem}: {said}" if said else problem


def _watch(
    process: "subprocess.Popen[bytes]", delivery: Delivery, log: _Log, end: float
) -> Literal["ended", "late", "stopped"]:
    """Wait for the end of the command, of its time (``end`` on the monotonic clock), or of the worker."""
    pause, told, tell_at = _MIN_LOOK_INTERVAL_S, "", time.monotonic() + _TELL_INTERVAL_S
    while process.poll() is None:
        now = time.monotonic()
        if now > end:
            return "late"
        if now > tell_at:
            tell_at = now + _TELL_INTERVAL_S
            log.keep_small()
            line = "".join(log.last_lines(1))
            if line and line != told:
                told = line
                delivery.report(None, line)
        if delivery.stopping.wait(pause):
            return "stopped"
        pause = min(pause * 1.5, _MAX_LOOK_INTERVAL_S)
    return "ended"


def _status(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"the command was killed by {name}"
    hint = {126: " (not executable)", 127: " (not found)"}.get(code, "")
    return f"the command ended with status {code}{hint}"


def _signal(group: int, signum: int) -> bool:
    """Send it to a process group; false when there is nobody left in it whom we may send to."""
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True
