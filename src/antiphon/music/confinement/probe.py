"""Layers of the cage that hold, found out by trying what they forbid."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from antiphon.music.confinement.system import PR_GET_NO_NEW_PRIVS, prctl

PUBLIC_FILE = Path("/etc/passwd")
"""Everybody may read it, and no engine needs it."""


def layers() -> dict[str, bool]:
    """Each layer, and whether it holds for this process. Leaves nothing behind."""
    return {
        "bounded memory and time": resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY,
        "a user that is not root": os.geteuid() != 0,
        "no new privileges": not _passes(_has_no_new_privileges),
        "no files but its own": not _passes(PUBLIC_FILE.read_bytes),
        "no network": not _passes(lambda: socket.socket().close()),
        "no other programs": not _passes(lambda: subprocess.run([sys.executable, "-c", ""], check=True)),
    }


def _passes(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _has_no_new_privileges() -> None:
    if prctl(PR_GET_NO_NEW_PRIVS):
        raise PermissionError
