"""The whole training as one command that can be given again: it goes on where it stopped.

    python -m training.separation.run WORK --pieces FOLDER --minutes 600

The material is mixed beside the training, each in one thread and behind everything else that the machine does. The
training begins with the checkpoint in this package unless ``WORK`` has one, and ends with ``WORK/separation.onnx``.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

FEWEST = 60
"""Excerpts to begin the training with."""
PATIENCE = 3600.0
"""Seconds to wait for them."""
_POLL = 2.0
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def step(name: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"training.separation.{name}", *arguments], env=os.environ | _ONE_THREAD
    )


def wait_for_material(folder: Path, corpus: subprocess.Popen[bytes]) -> None:
    """Until ``FEWEST`` excerpts lie in ``folder``. Raises ``TimeoutError``; ``RuntimeError`` when the mixing fails."""
    deadline = time.monotonic() + PATIENCE
    while len(list(folder.glob("*.npy"))) < FEWEST:
        if corpus.poll():
            raise RuntimeError("the mixing of the material failed: its message stands above")
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {FEWEST} excerpts in {folder} after {PATIENCE:.0f} s: is there enough material?")
        time.sleep(_POLL)


def main() -> None:
    parser = argparse.ArgumentParser(description="Mix the material, train, export.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--pieces", type=Path, required=True, help="folder that holds train/<piece> and valid/<piece>")
    parser.add_argument("--hours", default="16", help="of mixes")
    parser.add_argument("--minutes", default="600", help="of training, by the clock")
    parser.add_argument("--cool", default="600", help="last steps with a falling learning rate")
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    os.nice(19)
    corpus = step("corpus", str(work), "--pieces", str(arguments.pieces), "--hours", arguments.hours)
    try:
        wait_for_material(work / "train", corpus)
        for name, *more in (
            ("train", "--minutes", arguments.minutes),
            ("train", "--cool", arguments.cool),
            ("export", "--name", "separation-cooled", "--out", str(work / "separation.onnx")),
        ):
            if step(name, str(work), *more).wait():
                sys.exit(1)
    finally:
        corpus.terminate()
        corpus.wait()


if __name__ == "__main__":
    main()
