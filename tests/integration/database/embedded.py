"""Processes of ours that share an embedded PostgreSQL, and what can be seen of it from outside."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from antiphon.database.embedded import EmbeddedPostgres

# another process of ours: starts, says so, and stops when told
IMPORTS = """
import ctypes, os, signal, sys
from pathlib import Path
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.errors import DatabaseError
"""


PROCESS = """
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"})
try:
    print(server.start(), flush=True)
    sys.stdin.readline()
    server.destroy() if sys.argv[2:] else server.stop()
except DatabaseError as error:
    print("DatabaseError:", error, flush=True)
"""


# a container whose first process takes up orphans, but never looks after the dead
SUBREAPER = """
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
"""


DEAF_TO_CTRL_C = """
signal.signal(signal.SIGINT, lambda *_: None)
"""


# only now, because root's Python may lie where nobody else can read it
AS_NOBODY = """
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""


class Process:
    """Another process of ours, in a session of its own."""

    def __init__(self, data: Path, *options: str, before: str = "") -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", IMPORTS + before + PROCESS, str(data), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        assert self.child.stdout
        return self.child.stdout.readline().strip()

    def stop(self) -> None:
        self.child.communicate("\n", timeout=30)

    def kill(self) -> None:
        self.child.kill()
        self.child.communicate(timeout=30)


Run = Callable[..., Process]


def query(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.home / "cluster" / "postmaster.pid").read_text().split()[0])


def socket_folder(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
