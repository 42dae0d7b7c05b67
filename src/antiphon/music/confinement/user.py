"""User of an engine where the server runs as root: one that owns nothing but the folder that it works in."""

import ctypes
import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from antiphon.music.confinement.system import PR_SET_KEEPCAPS, prctl, syscall

NAME = "nobody"
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2


class CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def become_nobody(owned: Iterable[Path], reads: Iterable[Path], *, reads_bounded: bool) -> None:
    """Give up being root for good. Does nothing for any other user.

    Root's own folders (the data folder has mode 0700, Python may lie in ``/root``) are closed to everybody else. So
    one of root's powers is kept, reading past the modes of files, if other rules bound what can be read at all;
    otherwise the change is made only where the new user can read what it needs.

    Args:
        owned: Folders that are handed over, with what is in them.
        reads: What must be readable.
        reads_bounded: Whether the process may read nothing else in any case.

    Raises:
        OSError: The system refuses; the process is root as before.
    """
    if os.geteuid():
        return
    try:
        user = pwd.getpwnam(NAME)
    except KeyError:
        raise OSError(f"there is no user '{NAME}'") from None
    if not reads_bounded:
        _check_readable(user, reads)
    for folder in owned:
        _hand_over(folder, user)
    prctl(PR_SET_KEEPCAPS, int(reads_bounded))
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    if reads_bounded:
        _keep_reading()


def _check_readable(user: pwd.struct_passwd, paths: Iterable[Path]) -> None:
    for path in (path for path in paths if path.exists()):
        for each in (path, *path.parents):
            mode = each.stat()
            needed = 0o005 if each.is_dir() else 0o004
            if mode.st_mode & needed != needed and mode.st_uid != user.pw_uid:
                raise PermissionError(f"'{NAME}' may not read {each}")


def _hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    os.chown(folder, user.pw_uid, user.pw_gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user.pw_uid, user.pw_gid, follow_symlinks=False)


def _keep_reading() -> None:
    """Drop every power but the one to read past the modes of files; a container may have only the one to write, too,
    which then is as bounded."""
    for power in (_DAC_READ_SEARCH, _DAC_OVERRIDE):
        try:
            _set_powers(1 << power)
        except PermissionError:
            continue
        return
    _set_powers(0)


def _set_powers(bits: int) -> None:
    header = CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)(_Sets(bits, bits, 0), _Sets(0, 0, 0))
    syscall(_CAPSET[os.uname().machine], ctypes.byref(header), ctypes.byref(sets))
