"""Process that inspects one file after the other in the engine's own cage: ``python -m tests.fuzz.inspector FOLDER``.

Reads a path from each line of standard input and answers it by a line of JSON: ``said``, the error's message or None,
``traceback`` of any other exception, ``cpu_s`` and ``rss_mb``, the largest until then.
"""

import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import TextIO

from antiphon.errors import AntiphonError
from antiphon.music.confinement import Cage
from antiphon.music.confinement.limits import limits_of
from antiphon.music.engines import inspect

MAX_CPU_S = 3600
"""Of the whole process; each file has the seconds that an engine would have for it."""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    status = Path("/proc/self/status").open()  # noqa: SIM115 - it cannot be opened from the cage
    template = limits_of("inspect", {"path": __file__}, memory_bytes=0, timeout_s=0)
    Cage(type(template)(template.memory_bytes, MAX_CPU_S), Path(sys.argv[1])).enter()
    for line in sys.stdin:
        path = line.rstrip("\n")
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        allowed = limits_of("inspect", {"path": path}, memory_bytes=0, timeout_s=0).cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (int(_cpu_s()) + 1 + allowed, hard))
        answers.write(json.dumps(_inspected(path) | {"rss_mb": _rss_mb(status)}) + "\n")


def _inspected(path: str) -> dict[str, object]:
    before, said, trace = _cpu_s(), None, None
    try:
        inspect({"path": path, "max_duration": 3600.0}, lambda fraction, stage: None)
    except AntiphonError as error:
        said = error.message
    except Exception:
        trace = traceback.format_exc()
    return {"said": said, "traceback": trace, "cpu_s": _cpu_s() - before}


def _rss_mb(status: TextIO) -> float:
    """The largest resident set. ``getrusage`` counts that of the process that started this one, too."""
    status.seek(0)
    (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
