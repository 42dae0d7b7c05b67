"""Reading of large bodies in a child process: a callback of 28 MB has 500,000 notes, which would take ten
times that memory here, and the interpreter's lock from who acknowledges the others."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import antiphon
from antiphon.contract.results import MAX_SONG_S, Document, Instrument, MidiResult, read_result
from antiphon.errors import BadParameter, StorageError
from antiphon.receiver.inbox.payload import Payload, load, read
from antiphon.score.notes import Note

log = logging.getLogger("antiphon.receiver")

LARGE_BODY_BYTES = 2_000_000  # bytes
_MAX_READING_S = 120.0  # seconds for a process to read a body
_STOP_POLL_S = 0.1  # between looks whether it shall end
_FIELDS = ("pitch", "start", "end", "velocity")
_CHILD = (
    "import sys; sys.path.append(sys.argv.pop(1)); from antiphon.receiver.inbox.large_body_child import main; main()"
)
_PACKAGE = str(Path(antiphon.__file__).parents[1])


class Unreadable(StorageError):
    """The process that reads a large body was ended. Send it again later."""


class Stopped(Exception):
    """The process was ended because the receiver is being stopped."""


class LargeMidi(MidiResult):
    """A result whose notes, problems and document are read on first access."""

    def __init__(self, task_id: str, body: bytes) -> None:
        object.__setattr__(self, "task_id", task_id)
        object.__setattr__(self, "_body", body)

    @cached_property
    def _read(self) -> MidiResult:
        result = read_result(load(self._body, compact))  # type: ignore[attr-defined]
        assert isinstance(result, MidiResult)  # else it had failed, and would not be here
        return result

    @cached_property
    def instruments(self) -> tuple[Instrument, ...]:
        return self._read.instruments

    @cached_property
    def problems(self) -> tuple[str, ...]:
        return self._read.problems

    @cached_property
    def document(self) -> Document:
        document: Document = load(self._body, _whole)  # type: ignore[attr-defined]
        return document


def compact(pairs: list[tuple[str, Any]]) -> Any:
    """For ``json.loads(object_pairs_hook=…)``: a plain note as the ``Note`` that it is, which takes a third of the
    memory; ``read_result`` takes it as it is. Whatever the hook does, other threads run meanwhile."""
    if len(pairs) == 4:
        (first, pitch), (second, start), (third, end), (fourth, velocity) = pairs
        plain = type(pitch) is int and type(start) is float and type(end) is float and type(velocity) is float
        ours = plain and (first, second, third, fourth) == _FIELDS
        if ours and 0 <= pitch <= 127 and 0.0 <= start <= end <= MAX_SONG_S and 0.0 <= velocity <= 1.0:
            return Note(pitch, start, end, velocity)
    return dict(pairs)


def _whole(pairs: list[tuple[str, Any]]) -> Any:
    return dict(pairs)


def read_aside(body: bytes) -> Payload:
    """``payload.read`` in another process. Raises ``Unreadable`` too, when that was ended."""
    try:
        found = _ask(body, "payload")
    except OSError as error:  # as where the interpreter is a part of another program
        log.warning("no process can be started to read a large callback, so it is read in this one: %s", error)
        return read(body)
    if "error" in found:
        raise BadParameter(found["error"])
    return Payload(**{**found, "digest": bytes.fromhex(found["digest"])})


def write_song(body: bytes, path: Path, stopping: threading.Event) -> None:
    """Write the MIDI file of a callback in another process, and log what that has to say. Raises ``OSError`` when it
    cannot be written, ``Stopped`` and ``Unreadable``."""
    found = _ask(body, "song", str(path), stopping=stopping.is_set)
    for words in found["warnings"]:
        log.warning("%s", words)
    if "errno" in found:
        raise OSError(found["errno"], found["error"])


def _ask(body: bytes, *arguments: str, stopping: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    if getattr(sys, "frozen", False) or "py" not in Path(sys.executable or "").name.lower():
        raise OSError(f"{sys.executable} is no Python interpreter")  # but a server, which must not be started again
    command = [sys.executable, "-P", "-c", _CHILD, _PACKAGE, str(len(body)), *arguments]
    # Its input stays open: when it ends, this process has died, and so does the other.
    process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    with process, contextlib.suppress(BrokenPipeError):
        try:
            with contextlib.suppress(BrokenPipeError):
                _write(process.stdin.fileno(), body)
            _wait(process, stopping)
            answer = process.stdout.read()
        finally:
            process.kill()
    if process.returncode < 0:
        raise Unreadable(f"the process that read a large callback was ended by signal {-process.returncode}")
    if process.returncode or not answer:
        raise OSError(f"{sys.executable} ended with status {process.returncode}")
    found: dict[str, Any] = json.loads(answer)
    return found


def _write(file: int, body: bytes) -> None:
    rest = memoryview(body)
    while rest:
        rest = rest[os.write(file, rest) :]


def _wait(process: "subprocess.Popen[bytes]", stopping: Callable[[], bool]) -> None:
    """What it says is short enough for the pipe to hold."""
    end = time.monotonic() + _MAX_READING_S
    while True:
        try:
            process.wait(_STOP_POLL_S)
        except subprocess.TimeoutExpired:
            if stopping():
                raise Stopped from None
            if time.monotonic() > end:
                raise Unreadable(f"a large callback could not be read within {_MAX_READING_S:.0f} s") from None
        else:
            return
