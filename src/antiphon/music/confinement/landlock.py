"""Landlock: which files a process may open, and no TCP, by rules that it sets itself and cannot take back.

Linux ≥ 5.13 (``landlock(7)``); it needs no privileges. What a kernel is too old for is left out.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from antiphon.music.confinement.system import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1  # flag of landlock_create_ruleset
_PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in (1, 2, 3, 4, 5))
MAKE_DIR, MAKE_REG, REFER, TRUNCATE = (1 << bit for bit in (7, 8, 13, 14))
_RIGHTS_BY_ABI = {1: 1 << 13, 2: 1 << 14, 3: 1 << 15, 5: 1 << 16}
"""From which version on all rights below that bit are known."""

_NET_ABI, _SCOPE_ABI = 4, 6
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract Unix sockets and signals of processes outside

_OF_FILES = READ_FILE | WRITE_FILE | TRUNCATE
READING = READ_FILE | READ_DIR
WRITING = READING | WRITE_FILE | TRUNCATE | MAKE_DIR | MAKE_REG | REMOVE_DIR | REMOVE_FILE | REFER


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock's interface that the kernel has; 0: it has none, or it is switched off."""
    try:
        return syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    except OSError:
        return 0


def restrict(*, reads: Iterable[Path], writes: Iterable[Path], tcp: bool) -> None:
    """Let this thread, and those it starts from now on, open only what lies beneath the given paths.

    Args:
        reads: Files and folders to read; those that are not there are passed over.
        writes: Files and folders to read and to write.
        tcp: Whether connections are allowed.

    Raises:
        OSError: The kernel has no Landlock, or the process may still gain privileges.
    """
    abi = version()
    rights = max((limit for at, limit in _RIGHTS_BY_ABI.items() if at <= abi), default=1) - 1
    ruleset = _Ruleset(rights, _TCP if abi >= _NET_ABI and not tcp else 0, _SCOPES if abi >= _SCOPE_ABI else 0)
    descriptor = syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(_size(abi)), ctypes.c_uint32(0))
    try:
        for path in reads:
            _allow(descriptor, path, READING & rights)
        for path in writes:
            _allow(descriptor, path, WRITING & rights)
        syscall(_RESTRICT_SELF, descriptor, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _size(abi: int) -> int:
    """Bytes of the structure that a kernel of this version knows."""
    known = 1 + (abi >= _NET_ABI) + (abi >= _SCOPE_ABI)
    return known * ctypes.sizeof(ctypes.c_uint64)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        rule = _PathBeneath(rights if path.is_dir() else rights & _OF_FILES, descriptor)
        syscall(_ADD_RULE, ruleset, ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(descriptor)
