"""Child process in which one engine runs: ``python -m antiphon.music``.

Reads one JSON line from standard input, ``{"engine": name, "arguments": {…}, "cage": {…}}``, and shuts itself into the
cage; without one it runs free, as measurements want it. It writes JSON lines: ``{"progress": 0.4, "stage": "vocals"}``
any number of times, then ``{"result": …}``, ``{"error": {"code": 415, "message": "…"}}`` or ``{"exceeded": "memory"}``.
When standard input ends, the parent is gone, and the process ends.
"""

import errno
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from antiphon.durable_files import SERVER_DISK_FULL, is_disk_full
from antiphon.errors import AntiphonError, EngineError
from antiphon.music.confinement import Cage
from antiphon.music.confinement.limits import has_come_near_its_memory

REPORT_INTERVAL_S = 0.2


def main() -> None:
    request = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not get between our lines
    _yield_to_the_server()
    if request.get("cage"):
        Cage.of_json(request["cage"]).enter()  # before there is another thread, which would stay outside
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        from antiphon.music.engines import ENGINES

        answer: dict[str, Any] = {"result": ENGINES[request["engine"]](request["arguments"], _Reporter(answers))}
    except Exception as error:
        answer = _explain(error)
    answers.write(json.dumps(answer) + "\n")


def _explain(error: Exception) -> dict[str, Any]:
    """The answer that tells an error. One that nobody foresaw ends the process with its traceback."""
    if isinstance(error, AntiphonError) and not isinstance(error, EngineError):
        return {"error": {"code": error.code, "message": error.message}}
    if isinstance(error, MemoryError) or has_come_near_its_memory():
        return {"exceeded": "memory"}
    if is_disk_full(error):
        message = SERVER_DISK_FULL
    elif isinstance(error, OSError) and error.errno == errno.EFBIG:
        message = "the result is larger than a file of an engine may be (4.3 GB); send a shorter song"
    elif isinstance(error, EngineError):
        message = error.message
    else:
        raise error
    return {"error": {"code": EngineError.code, "message": message}}


class _Reporter:
    """Writes progress lines, a few a second at the most, and never backwards."""

    def __init__(self, answers: TextIO) -> None:
        self._answers, self._last, self._stage, self._fraction = answers, 0.0, "", 0.0

    def __call__(self, fraction: float, stage: str) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._last < REPORT_INTERVAL_S:
            return
        self._fraction = max(self._fraction, min(1.0, fraction))
        self._last, self._stage = now, stage
        self._answers.write(json.dumps({"progress": round(self._fraction, 4), "stage": stage}) + "\n")


def _die_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _yield_to_the_server() -> None:
    os.nice(10)
    adjustment = Path("/proc/self/oom_score_adj")
    if adjustment.exists():
        adjustment.write_text("1000")  # when memory ends, this process goes, not the server


if __name__ == "__main__":
    main()
