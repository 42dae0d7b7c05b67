"""PostgreSQL cluster on disk: made, configured, started and stopped. Which process does so, and when, is the
affair of ``embedded``."""

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from antiphon.database.binaries import INSTEAD, Account, Programs
from antiphon.durable_files import write_durably
from antiphon.errors import DatabaseError

NAME = "antiphon"  # of the role and of its database
STOP_TIMEOUT_S = 60  # that PostgreSQL gets to write everything down
START_TIMEOUT_S = 600  # that it may take to start: after a crash it replays its log
MAX_LOG_BYTES = 1_000_000

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",
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
    # errors in a query are told to the client, and are logged there with their context
    "log_min_messages": "log",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Cluster:
    """The cluster ``<home>/cluster`` with the file ``<home>/password``, run as ``account`` by ``programs``.

    Methods raise ``DatabaseError`` when PostgreSQL, and ``OSError`` when the system refuses."""

    home: Path
    account: Account
    programs: Programs
    settings: Mapping[str, str]

    @property
    def folder(self) -> Path:
        return cluster_folder(self.home)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def make(self, lock: int) -> None:
        """Make it with its role and database under another name, so that it appears whole or not at all.

        The role ``antiphon`` owns its database and may create others. The superuser cannot log in at all.
        The programs keep the descriptor ``lock``, because they go on when we are killed."""
        new = self.home / "cluster.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self.account.own(new)
        options = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        if self.programs.major >= 17:  # sorts and folds case the same on every machine
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.settings.get("fsync") == "off":
            options.append("--no-sync")
        self._run("initdb", *options, "--pgdata", str(new), lock=lock)
        password = secrets.token_urlsafe(32)
        # nobody can connect yet; single-user mode ends a command at an empty line
        single = ["--single", "-j", "-D", str(new), "-c", "log_min_messages=error", "template1"]
        role = f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'"
        for sql in (role, f"CREATE DATABASE {NAME} OWNER {NAME}"):
            self._run("postgres", *single, sql=f"{sql};\n\n", lock=lock)
        self._write(new / "pg_hba.conf", f"local all {NAME} scram-sha-256\n")
        with (new / "postgresql.conf").open("a") as file:
            file.write("\ninclude 'antiphon.conf'\n")
        self._write(self.home / "password", password)
        new.rename(self.folder)

    def start(self, socket: Path, lock: int) -> None:
        """Start the server and wait until it answers in the folder ``socket``; it keeps the descriptor ``lock``."""
        socket.mkdir(mode=0o700, exist_ok=True)
        self.account.own(socket)
        self._check_private(socket)
        # PostgreSQL would take a zombie, or a new process with the old id, for its living predecessor
        for mark in (self.folder / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
            mark.unlink(missing_ok=True)
        settings = {**self.settings, "unix_socket_directories": str(socket)}
        lines = ["# Written by Antiphon at each start; ALTER SYSTEM changes settings for good.\n"]
        lines += [f"{name} = '{_quote(value)}'\n" for name, value in settings.items()]
        self._write(self.folder / "antiphon.conf", "".join(lines))
        seen = self._rotate_log()
        options = ["-D", str(self.folder), "-l", str(self.log), "-w", "-t", str(START_TIMEOUT_S), "-s"]
        done = self.programs.run(self.account, "pg_ctl", "start", *options, keep_open=[lock])
        if done.returncode:
            raise DatabaseError(self.explain(done.stderr + self._read_log(seen)))

    def stop(self, mode: str) -> None:
        """Stop the server and wait for it: ``fast`` rolls back what runs, ``immediate`` leaves it to recovery."""
        options = ["-D", str(self.folder), "-m", mode, "-w", "-t", str(STOP_TIMEOUT_S), "-s"]
        self.programs.run(self.account, "pg_ctl", "stop", *options)

    def url(self, socket: Path) -> str:
        """``postgresql://antiphon:<password>@/antiphon?host=<folder of the socket>&port=5432``"""
        try:
            password = (self.home / "password").read_text()
        except FileNotFoundError:
            raise DatabaseError(
                f"{self.home}/password is gone, without which the database in {self.folder} does not open: "
                "bring it back from a backup, or move the cluster away to start with an empty database"
            ) from None
        # without the port, PGPORT would choose it
        return f"postgresql://{NAME}:{password}@/{NAME}?host={quote(str(socket), safe='')}&port=5432"

    def explain(self, output: str) -> str:
        """What PostgreSQL or the system complained about, and what to do."""
        if os.strerror(errno.ENOSPC) in output or shutil.disk_usage(self.home).free < 1_000_000:
            return disk_is_full(self.home)
        for code in (errno.EACCES, errno.EROFS, errno.EPERM):
            if os.strerror(code) in output:
                return (
                    f"PostgreSQL, run as user '{self.account.name}', may not use {self.home} "
                    f"({os.strerror(code).lower()}): open it to this user, or the folders above it for passing "
                    f"through, {INSTEAD}"
                )
        lines = [line for line in output.splitlines() if line.strip()]
        return f"PostgreSQL in {self.home} did not start: {' / '.join(lines[-6:]) or 'no reason given'}"

    def _run(self, name: str, *arguments: str, sql: str = "", lock: int) -> None:
        done = self.programs.run(self.account, name, *arguments, sql=sql, keep_open=[lock])
        # single-user mode reports a failed command, yet exits 0
        if done.returncode or "ERROR:" in done.stderr:
            raise DatabaseError(self.explain(done.stderr))

    def _write(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 that belongs to the account, whole or not at all."""
        write_durably(path, text.encode(), prepare=self.account.own)

    def _check_private(self, socket: Path) -> None:
        """Whoever can put a socket into this folder can pose as the database."""
        status = socket.lstat()
        if socket.is_symlink() or status.st_uid != self.account.uid or status.st_mode & 0o077:
            raise DatabaseError(
                f"{socket} must be a folder of mode 0700 that belongs to '{self.account.name}': delete it"
            )

    def _rotate_log(self) -> int:
        """Keep the log short, and one old one; give the size of the present one."""
        size = self.log.stat().st_size if self.log.exists() else 0
        if size <= MAX_LOG_BYTES:
            return size
        self.log.replace(self.log.with_suffix(".log.old"))
        return 0

    def _read_log(self, start: int) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(start)
                return file.read(MAX_LOG_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return ""


def disk_is_full(home: Path) -> str:
    return f"the disk of {home} is full; a new database needs 100 MB: free some space"


def cluster_folder(home: Path) -> Path:
    return home / "cluster"


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
