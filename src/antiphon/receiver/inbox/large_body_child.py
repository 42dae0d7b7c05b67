"""Child process that reads one large body (``large_body``): the body comes on standard input, which stays open as long
as the parent waits; the answer is a line of JSON on standard output."""

import contextlib
import json
import logging
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from antiphon.contract.results import MidiResult, read_result
from antiphon.errors import BadParameter
from antiphon.receiver.inbox.large_body import compact
from antiphon.receiver.inbox.payload import load, read

_NICENESS = 10  # a song can wait, acknowledgements cannot
_MAX_WARNINGS = 40
_MAX_WARNING_CHARS = 500  # characters


def main() -> None:
    length, what, *rest = sys.argv[1:]
    body = sys.stdin.buffer.read(int(length))
    if len(body) < int(length):
        return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer = _payload(body) if what == "payload" else _song(body, Path(rest[0]))
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # taking half a million notes apart would take its time


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _payload(body: bytes) -> dict[str, Any]:
    try:
        found = read(body)
    except BadParameter as error:
        return {"error": error.message}
    return {**asdict(found), "digest": found.digest.hex()}


def _song(body: bytes, path: Path) -> dict[str, Any]:
    from antiphon.receiver.follow_up.files import tracks
    from antiphon.score import midifile

    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    warnings = _Warnings()
    logging.getLogger("antiphon.receiver").addHandler(warnings)
    result = read_result(load(body, compact))
    assert isinstance(result, MidiResult)
    for problem in result.problems:
        warnings.keep(f"midi {result.task_id}: {problem}")
    try:
        midifile.write(tracks(result), path)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return {"warnings": warnings.kept, "errno": error.errno, "error": error.strerror}
    return {"warnings": warnings.kept}


class _Warnings(logging.Handler):
    """The first of them, which the pipe can hold."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.keep(record.getMessage())

    def keep(self, text: str) -> None:
        if len(self.kept) < _MAX_WARNINGS:
            self.kept.append(text[:_MAX_WARNING_CHARS])
