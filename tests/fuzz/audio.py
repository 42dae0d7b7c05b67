"""Inspection of damaged audio files in a caged process: which of them it survives in order, and which not.

``python -m tests.fuzz.audio 10000`` keeps each file that did harm, and exits with 1 if there is one.
"""

import argparse
import json
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from antiphon.music.confinement import child_environment
from tests.fuzz.mutations import Mutant, mutants

ANSWER_TIMEOUT_S = 300.0
"""By the clock, on a machine that is busy with other things."""

MAX_CPU_S = 10.0
"""Of one file of a few kilobytes: two thirds of what the cage allows."""

MAX_RSS_MB = 500.0


@dataclass(frozen=True)
class Finding:
    """A file that did harm, and which."""

    mutant: Mutant
    harm: str


class Inspector:
    """The process that inspects, started anew when it has died."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.refused = 0

    def harm(self, mutant: Mutant) -> str | None:
        """What is wrong with the way in which this file is inspected; None: it is taken, or refused in words."""
        path = self._folder / mutant.name
        path.write_bytes(mutant.content)
        process = self._process or self._start()
        assert process.stdin and process.stdout
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        ready = select.select([process.stdout], [], [], ANSWER_TIMEOUT_S)[0]
        line = process.stdout.readline() if ready else ""
        path.unlink()
        if not line:
            return f"hung for {ANSWER_TIMEOUT_S:g} s" if not ready else f"ended with {self.stop()}"
        answer: dict[str, Any] = json.loads(line)
        self.refused += answer["said"] is not None
        if answer["traceback"]:
            return str(answer["traceback"])
        if answer["rss_mb"] > MAX_RSS_MB:
            self.stop()
            return f"took {answer['rss_mb']:.0f} MB"
        return f"took {answer['cpu_s']:.0f} s" if answer["cpu_s"] > MAX_CPU_S else None

    def stop(self) -> int | None:
        """End the process; gives the status with which it had ended before."""
        if self._process is None:
            return None
        process, self._process = self._process, None
        assert process.stdin and process.stdout
        process.stdin.close()
        process.stdout.close()
        try:
            return process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _start(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.inspector", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=child_environment(folder=self._folder),
        )
        return self._process


def findings(files: Iterable[Mutant]) -> Iterator[Finding]:
    """The files that did harm."""
    with TemporaryDirectory() as folder:
        inspector = Inspector(Path(folder))
        try:
            for mutant in files:
                if harm := inspector.harm(mutant):
                    yield Finding(mutant, harm)
        finally:
            inspector.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Inspect damaged audio files.")
    parser.add_argument("number", type=int, nargs="?", default=10_000)
    parser.add_argument("--start", type=int, default=0, help="number of the first")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"), help="where files that did harm are kept")
    chosen = parser.parse_args()
    found = 0
    for finding in findings(mutants(chosen.number, start=chosen.start)):
        found += 1
        chosen.keep.mkdir(parents=True, exist_ok=True)
        (chosen.keep / finding.mutant.name).write_bytes(finding.mutant.content)
        print(f"{finding.mutant.name}: {finding.harm}", flush=True)
    print(f"{chosen.number:,} damaged files, {found} did harm" + (f"; they are in {chosen.keep}" if found else ""))
    sys.exit(found > 0)


if __name__ == "__main__":
    main()
