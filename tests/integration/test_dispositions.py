"""The dispositions of signals that a program started by a test has."""

import subprocess
import sys

from tests.paths import ROOT

NAMES = ("SIGHUP", "SIGINT")
SHOW = f"import signal; print(*[signal.getsignal(getattr(signal, name)) == signal.SIG_IGN for name in {NAMES}])"
IGNORING = f"""
import os, signal, sys
for name in {NAMES}:
    signal.signal(getattr(signal, name), signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "is_ignored", sys.argv[1]])
"""


def test_nothing_is_ignored() -> None:
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False"] * len(NAMES)


def test_nor_in_a_run_under_nohup_in_the_background_of_a_script() -> None:
    command = [sys.executable, "-c", IGNORING, __file__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
