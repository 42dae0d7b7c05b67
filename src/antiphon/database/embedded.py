"""A PostgreSQL of our own, for whoever has none: made, started, shared and stopped under the data folder.

Who does what is settled by locks on files (flock), which vanish with the process that holds them, so that no
``kill -9`` leaves a wrong word behind:

- ``start.lock``   held while the server is being started or stopped;
- ``users.lock``   shared by every process of ours that uses the server; the last one stops it;
- ``server.lock``  inherited by PostgreSQL's own processes: it is held exactly as long as one of them lives. A zombie
  holds no lock, and a process that got the old server's id has another lock or none."""

import errno
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from antiphon.database.binaries import INSTEAD, Account, Programs, find_account, find_programs, make_reachable
from antiphon.errors import DatabaseError

ROOT_HOME = Path("/var/lib/antiphon")
NAME = "antiphon"  # of the role and of its database
PATIENCE = 60.0  # seconds to wait for another process of ours, or for the rest of a crashed server
RECOVERY = 600  # seconds that PostgreSQL may take to start: after a crash it replays its log
LOG_LIMIT = 1_000_000
SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432.lock")  # sun_path of unix(7), which counts a closing NUL

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # what concerns a client is told to it, and is logged there with its context
    "log_min_messages": "log",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """PostgreSQL for the processes that share the data folder ``data``, reached by a Unix socket alone.

    Whoever starts first starts the server, the others attach, the last to stop stops it. As root the cluster lies in
    ``/var/lib/antiphon/<hash of data>``, because the user that runs it may not reach ``data``; else in
    ``<data>/postgres``. The role ``antiphon`` owns the database and may create others; it is no superuser.

    ``settings`` go before those in ``SETTINGS``. They and ``wheel`` (where the programs are) are there for tests.
    All methods block, and raise ``DatabaseError`` that says what to do.
    """

    def __init__(
        self, data: Path, *, settings: Mapping[str, str] | None = None, wheel: Path | None = None
    ) -> None:
        self.data = data.absolute()
        self._settings = {**SETTINGS, **(settings or {})}
        self._wheel = wheel
        self._users: int | None = None

    def start(self) -> str:
        """Start the server or attach to it; give ``postgresql://antiphon:<password>@/antiphon?host=<folder>``."""
        with self._in_words():
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.home.parent, self.home):
                _make_passable(folder)
            with self._start_lock():
                if self._users is None:
                    self._users = _open_lock(self.home / "users.lock")
                    fcntl.flock(self._users, fcntl.LOCK_SH)
                try:
                    return self._start()
                except BaseException:
                    with suppress(DatabaseError, OSError):
                        self._leave()
                    raise

    def stop(self) -> None:
        """Leave the server, and stop it when no other process uses it."""
        if self._users is None:
            return
        with self._in_words(), self._start_lock():
            self._leave()

    def destroy(self) -> None:
        """Stop the server and delete the cluster with all its data."""
        self.stop()
        with self._in_words(), self._start_lock():
            if self._is_running():
                raise DatabaseError(
                    f"the database in {self.home} is in use: stop the processes that use it first"
                )
            for folder in (self.home, self._new_socket_folder()):
                if folder.exists():
                    shutil.rmtree(folder)

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        """The folder of the cluster, its password and its locks."""
        if os.geteuid() != 0:
            return self.data / "postgres"
        return ROOT_HOME / self._hash

    @property
    def cluster(self) -> Path:
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    @property
    def _hash(self) -> str:
        return sha256(os.fsencode(self.data.resolve())).hexdigest()[:16]

    def _start(self) -> str:
        account = find_account()
        programs = self._choose_programs(account)
        if not self.cluster.exists():
            self._initialise(programs, account)
        deadline = time.monotonic() + PATIENCE
        while True:
            if not self._is_running():
                self._launch(programs, account)
            url = self._url()
            if _answers(url):
                return url
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"the PostgreSQL in {self.home} has not answered for {PATIENCE:.0f} s; its log is {self.log}"
                )
            time.sleep(0.05)

    def _choose_programs(self, account: Account) -> Programs:
        """Take the version that made the cluster, and the newest for a new one."""
        other = self.data / "postgres" / "cluster"
        if self.home != other.parent and other.exists():
            raise DatabaseError(
                f"{other} was made by user id {other.stat().st_uid}, not by root: run Antiphon as that user, "
                "or choose another data folder with ANTIPHON_DATA"
            )
        found = find_programs(self._wheel)
        major = max(found)
        if self.cluster.exists():
            with suppress(FileNotFoundError, ValueError):
                major = int((self.cluster / "PG_VERSION").read_text())
            if major not in found:
                raise DatabaseError(
                    f"{self.cluster} was made by PostgreSQL {major}, and installed is {_words(found)}: move the data "
                    "with pg_dump of the old version, or move this folder away to start with an empty database"
                )
        return make_reachable(found[major], account, self.home.parent)

    def _initialise(self, programs: Programs, account: Account) -> None:
        """Make the cluster, its role and its database under another name, so that it appears whole or not at all."""
        new = self.home / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        account.own(new)
        options = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        if programs.major >= 17:  # sorts and folds case the same on every machine
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._settings["fsync"] == "off":
            options.append("--no-sync")
        self._run(programs, account, "initdb", *options, "--pgdata", str(new))
        password = secrets.token_urlsafe(32)
        for sql in (
            f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'",
            f"CREATE DATABASE {NAME} OWNER {NAME}",
        ):
            options = ["--single", "-j", "-D", str(new), "-c", "log_min_messages=error", "template1"]
            self._run(programs, account, "postgres", *options, sql=f"{sql};\n\n")
        _write(new / "pg_hba.conf", f"local all {NAME} scram-sha-256\n", account)
        with (new / "postgresql.conf").open("a") as file:
            file.write("\ninclude 'antiphon.conf'\n")
        _write(self.home / "password", password, account)
        new.rename(self.cluster)

    def _launch(self, programs: Programs, account: Account) -> None:
        socket = self._new_socket_folder()
        socket.mkdir(mode=0o700, exist_ok=True)
        account.own(socket)
        _check_private(socket, account)
        self._forget_dead_server(socket)
        settings = {**self._settings, "unix_socket_directories": str(socket)}
        lines = [f"{name} = '{_quote(value)}'\n" for name, value in settings.items()]
        head = "# Antiphon writes this file at each start. ALTER SYSTEM changes settings for good.\n"
        _write(self.cluster / "antiphon.conf", head + "".join(lines), account)
        seen = self._rotate_log()
        server = _open_lock(self.home / "server.lock")
        try:
            fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
            options = ["-D", str(self.cluster), "-l", str(self.log), "-w", "-t", str(RECOVERY), "-s"]
            done = programs.run(account, "pg_ctl", "start", *options, keep_open=[server])
        finally:
            os.close(server)  # PostgreSQL has it now, and the lock with it
        if done.returncode:
            raise DatabaseError(self._explain(done.stderr + self._read_log(seen)))

    def _leave(self) -> None:
        """Give up our share of the server; stop it when it was the last."""
        if self._users is None:
            return
        users, self._users = self._users, None
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_running():
                account = find_account()
                programs = self._choose_programs(account)
                options = ["-D", str(self.cluster), "-w", "-t", f"{PATIENCE:.0f}", "-s"]
                done = programs.run(account, "pg_ctl", "stop", "-m", "fast", *options)
                if done.returncode and self._is_running():
                    self._run(programs, account, "pg_ctl", "stop", "-m", "immediate", *options)
        except BlockingIOError:
            pass  # others use it
        finally:
            os.close(users)

    def _is_running(self) -> bool:
        """Whether a process of this cluster lives: ours by its lock, one started by hand by its command line."""
        lock = _open_lock(self.home / "server.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        lines = self._pid_file()
        return bool(lines) and _runs_cluster(lines[0], self.cluster)

    def _forget_dead_server(self, socket: Path) -> None:
        """Delete the marks of a server that is dead; PostgreSQL would take a zombie or a reused id for it."""
        for mark in (self.cluster / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
            mark.unlink(missing_ok=True)

    def _pid_file(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _new_socket_folder(self) -> Path:
        near = self.home / "socket"
        if len(os.fsencode(near)) <= SOCKET_LIMIT:
            return near
        return Path(tempfile.gettempdir(), f"antiphon-{os.geteuid()}-{self._hash}")

    def _url(self) -> str:
        password = (self.home / "password").read_text()
        lines = self._pid_file()
        # the process that started the server may have another TMPDIR
        socket = lines[4] if len(lines) > 4 and lines[4] else str(self._new_socket_folder())
        return f"postgresql://{NAME}:{password}@/{NAME}?host={quote(socket, safe='')}"

    def _rotate_log(self) -> int:
        """Keep one old log of at most ``LOG_LIMIT`` bytes or a little more; give the size of the present one."""
        size = self.log.stat().st_size if self.log.exists() else 0
        if size <= LOG_LIMIT:
            return size
        self.log.replace(self.log.with_suffix(".log.old"))
        return 0

    def _read_log(self, start: int) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(start)
                return file.read(LOG_LIMIT).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _run(self, programs: Programs, account: Account, name: str, *arguments: str, sql: str = "") -> None:
        done = programs.run(account, name, *arguments, sql=sql)
        # single-user mode reports a failed command, but exits 0
        if done.returncode or "ERROR:" in done.stderr:
            raise DatabaseError(self._explain(done.stderr))

    def _explain(self, output: str) -> str:
        if os.strerror(errno.ENOSPC) in output:
            return (
                f"the disk of {self.home} is full: the database needs 100 MB to begin with. Free some space"
            )
        for code in (errno.EACCES, errno.EROFS, errno.EPERM):
            if os.strerror(code) in output:
                return (
                    f"PostgreSQL may not write to {self.home} ({os.strerror(code).lower()}): make that folder "
                    f"writable for the user that runs Antiphon, choose another with ANTIPHON_DATA, {INSTEAD}"
                )
        lines = [line for line in output.splitlines() if line.strip()]
        return f"PostgreSQL in {self.home} did not start: {' / '.join(lines[-6:]) or 'no reason given'}"

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DatabaseError(self._explain(str(error))) from error

    @contextmanager
    def _start_lock(self) -> Iterator[None]:
        lock = _open_lock(self.home / "start.lock")
        deadline = time.monotonic() + PATIENCE + RECOVERY
        try:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise DatabaseError(
                            f"another process has been starting the database in {self.home} for too long: end it"
                        ) from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(lock)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _make_passable(folder: Path) -> None:
    """Make a folder that others may pass through, whatever our umask; one that exists stays as it is."""
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o711)


def _answers(url: str) -> bool:
    """Whether the server takes a connection. Raises ``DatabaseError`` when it never will."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if error.sqlstate is not None and error.sqlstate.startswith(("28", "3D")):
            raise DatabaseError(
                f"the embedded PostgreSQL does not know us ({str(error).strip()}): the file 'password' beside the "
                "cluster is not the one that was made with it. Bring both back from the same backup"
            ) from None
        return False
    return True


def _runs_cluster(pid: str, cluster: Path) -> bool:
    process = Path("/proc", pid)
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except (OSError, IndexError):
        return False
    return state not in "ZX" and b"postgres" in arguments[0] and os.fsencode(cluster) in arguments


def _check_private(folder: Path, account: Account) -> None:
    """Whoever can put a socket into this folder can pose as the database."""
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != account.uid or status.st_mode & 0o077:
        raise DatabaseError(
            f"{folder} must be a folder of mode 0700 that belongs to '{account.name}': delete it"
        )


def _write(path: Path, text: str, account: Account) -> None:
    """Write a file of mode 0600 that belongs to ``account``, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    account.own(temporary)
    temporary.replace(path)


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _words(found: Mapping[int, Programs]) -> str:
    return " and ".join(str(major) for major in sorted(found))
