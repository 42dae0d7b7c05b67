"""System calls that Python has no function for."""

import ctypes
import errno
import os

PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """What a system call gives.

    Raises:
        OSError: It fails.
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: object) -> int:
    """Change a property of this thread; missing arguments are 0.

    Raises:
        OSError: The system refuses, or is none that has ``prctl``.
    """
    if not hasattr(_libc, "prctl"):
        raise OSError(errno.ENOSYS, "no prctl")
    filled = [*arguments, *(0 for _ in range(4 - len(arguments)))]
    return _checked(_libc.prctl(option, *(ctypes.c_ulong(each) if isinstance(each, int) else each for each in filled)))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)
