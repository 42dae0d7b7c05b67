"""Embedded PostgreSQL for installations without one, shared by all our processes that use the same data folder.

Who does what is settled by locks on files (flock), which vanish with the process that holds them, so that no
``kill -9`` leaves anything behind that is not true:

- ``start.lock``   held while the server is being started or stopped;
- ``users.lock``   shared by every process of ours that uses the server; the last one stops it;
- ``server.lock``  inherited by PostgreSQL's own processes, so it is held as long as one of them lives; a zombie
  holds no lock, and neither does a new process that got an old one's id."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import psycopg

from antiphon.database.binaries import INSTEAD, find_account, find_programs, make_reachable
from antiphon.database.cluster import SETTINGS, START_TIMEOUT_S, STOP_TIMEOUT_S, Cluster, cluster_folder, disk_is_full
from antiphon.durable_files import is_disk_full
from antiphon.errors import DatabaseError

ROOT_HOME = Path("/var/lib/antiphon")
TIMEOUT_S = 60.0  # for what should take none: the rest of a crashed server to go, a live one to answer
MAX_SOCKET_FOLDER_BYTES = 107 - len("/.s.PGSQL.5432")  # sun_path of unix(7), less its closing NUL


class EmbeddedPostgres:
    """PostgreSQL for the processes that share the data folder ``data``, reached by a Unix socket alone.

    Whoever starts first starts the server, the others attach, the last to stop stops it. As root the cluster lies
    in ``/var/lib/antiphon/<hash of data>``, because the user that runs it may not reach ``data``; else in
    ``<data>/postgres``. The role ``antiphon`` owns the database and may create others; it is no superuser.

    ``settings`` go before our own; they and ``wheel`` (the folder of the programs) are there for tests.
    All methods block, and raise ``DatabaseError`` that says what to do."""

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None, wheel: Path | None = None) -> None:
        self.data = data.absolute()
        self._settings = {**SETTINGS, **(settings or {})}
        self._wheel = wheel
        self._users: int | None = None

    @property
    def home(self) -> Path:
        """The folder of the cluster, its password and its locks."""
        return self.data / "postgres" if os.geteuid() else ROOT_HOME / self._hash

    def start(self) -> str:
        """Start the server or attach to it; give its URL as libpq wants it, password included."""
        with self._explained():
            self._make_folders()
            with self._start_lock():
                try:
                    self._join()
                    return self._start(self._open_cluster())
                except BaseException:
                    with suppress(DatabaseError, OSError):
                        self._leave()
                    raise

    def stop(self) -> None:
        """Leave the server, and stop it when no other process uses it."""
        if self._users is not None:
            with self._explained(), self._start_lock():
                self._leave()

    def destroy(self) -> None:
        """Stop the server, unless other processes use it, and delete the cluster with all its data."""
        if not self.home.exists():
            return
        with self._explained(), self._start_lock():
            self._join()
            if not self._leave():
                raise DatabaseError(f"the database in {self.home} is in use: stop what uses it first")
            shutil.rmtree(self._socket_folder(), ignore_errors=True)
            shutil.rmtree(self.home)

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, cluster: Cluster) -> str:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            if not self._is_running():
                with self._server_lock() as lock:
                    if not cluster.folder.exists():
                        cluster.make(lock)
                    cluster.start(self._socket_folder(), lock)
            # else it may be an initdb whose master was killed
            if cluster.folder.exists():
                url = cluster.url(self._socket_in_use())
                if _answers(url):
                    return url
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"the PostgreSQL in {self.home} runs, but has not answered for {TIMEOUT_S:.0f} s: "
                    f"read {cluster.log}, or end its processes and start again"
                )
            time.sleep(0.05)

    def _join(self) -> None:
        if self._users is None:
            self._users = _open_lock(self.home / "users.lock")
            fcntl.flock(self._users, fcntl.LOCK_SH)

    def _leave(self) -> bool:
        """Give up our share in the server; stop it when it was the last. Whether it was."""
        if self._users is None:
            return False
        users, self._users = self._users, None
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_running():
                self._shut_down(self._open_cluster())
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(users)

    def _shut_down(self, cluster: Cluster) -> None:
        for mode in ("fast", "immediate"):
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while self._is_running() and time.monotonic() < deadline:
                cluster.stop(mode)
                time.sleep(0.01)

    def _open_cluster(self) -> Cluster:
        """Take the version of PostgreSQL that made the cluster, or the newest for one that is to be made."""
        account = find_account()
        folder = cluster_folder(self.home)
        other = cluster_folder(self.data / "postgres")
        if folder != other and other.exists():
            raise DatabaseError(
                f"{other} was made by user id {other.stat().st_uid}, not by root: run Antiphon as that user, "
                "or choose another data folder with ANTIPHON_DATA"
            )
        found = find_programs(self._wheel)
        major = max(found)
        if folder.exists():
            major = _version(folder)
            if major not in found:
                installed = " and ".join(str(each) for each in sorted(found))
                raise DatabaseError(
                    f"{folder} was made by PostgreSQL {major}, but installed is {installed}: carry the data over "
                    "with the old version's pg_dump, or move the folder away to start with an empty database"
                )
        programs = make_reachable(found[major], account, self.home.parent)
        return Cluster(self.home, account, programs, self._settings)

    def _is_running(self) -> bool:
        """Whether a process of this cluster lives: by its lock, or when it was started by hand by its id."""
        try:
            with self._server_lock():
                return _runs(self._pid_file()[:1], cluster_folder(self.home))
        except BlockingIOError:
            return True

    @property
    def _hash(self) -> str:
        return sha256(os.fsencode(self.data.resolve())).hexdigest()[:16]

    def _socket_folder(self) -> Path:
        near = self.home / "socket"
        if len(os.fsencode(near)) <= MAX_SOCKET_FOLDER_BYTES:
            return near
        return Path(tempfile.gettempdir(), f"antiphon-{os.geteuid()}-{self._hash}")

    def _socket_in_use(self) -> Path:
        """The socket folder that the running server names: the process that started it may have had another TMPDIR."""
        lines = self._pid_file()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self._socket_folder()

    def _pid_file(self) -> list[str]:
        try:
            return (cluster_folder(self.home) / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _make_folders(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.home.parent, self.home):
            with suppress(FileExistsError):
                folder.mkdir()
                # others pass through it to what is theirs, whatever our umask; what existed stays as it was
                folder.chmod(0o711)

    @contextmanager
    def _server_lock(self) -> Iterator[int]:
        """Hold the lock, which goes on as long as a process lives that inherited it. Or ``BlockingIOError``."""
        lock = _open_lock(self.home / "server.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        finally:
            os.close(lock)

    @contextmanager
    def _start_lock(self) -> Iterator[None]:
        lock = _open_lock(self.home / "start.lock")
        deadline = time.monotonic() + START_TIMEOUT_S + TIMEOUT_S
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > deadline:
                    raise DatabaseError(
                        f"another process has been starting the database in {self.home} for too long: end it"
                    )
                time.sleep(0.02)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if is_disk_full(error):
                raise DatabaseError(disk_is_full(self.home)) from error
            raise DatabaseError(
                f"the database in {self.home} cannot be used ({error}): make that folder writable for "
                f"user id {os.geteuid()}, choose another with ANTIPHON_DATA, {INSTEAD}"
            ) from error


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _version(cluster: Path) -> int:
    try:
        return int((cluster / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError):
        raise DatabaseError(f"{cluster} holds no PostgreSQL cluster: move that folder away") from None


def _runs(pid: list[str], cluster: Path) -> bool:
    """Whether the process ``pid`` is a PostgreSQL of this cluster, and no zombie."""
    if not pid:
        return False
    process = Path("/proc", pid[0])
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        program, *arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return state not in "ZX" and program.endswith(b"postgres") and os.fsencode(cluster) in arguments


def _answers(url: str) -> bool:
    """Whether the server takes a connection.

    Raises:
        DatabaseError: It never will take one.
    """
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if "authentication failed" in str(error):
            raise DatabaseError(
                "the embedded PostgreSQL refuses our password: the file 'password' beside its cluster is not the "
                "one that was made with it; bring both back from the same backup"
            ) from None
        return False
    return True
