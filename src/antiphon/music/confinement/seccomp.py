"""seccomp: a filter of system calls that refuses what reading, computing and writing never needs.

No sockets, no other programs or processes, no links, no look into other processes, nothing that changes the system,
and none of the kernel's younger interfaces that have been the way out of such filters. Linux on x86-64 and ARM64.
"""

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

from antiphon.music.confinement.system import PR_SET_SECCOMP, prctl

_MODE_FILTER = 2
_LOAD, _EQUALS, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # in seccomp_data, little-endian
_X32_BIT = 0x40000000  # the other numbering of x86-64
_CLONE_THREAD = 0x00010000


@dataclass(frozen=True)
class _Calls:
    """An architecture's number in the audit system, and those of system calls by name."""

    architecture: int
    sockets: dict[str, int]
    refused: dict[str, int]
    clone: int
    clone3: int = 435


_SAME = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "pidfd_getfd": 438}
_X86_64 = _Calls(
    0xC000003E,
    {"socket": 41, "socketpair": 53},
    {
        **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101},
        **{"link": 86, "symlink": 88, "linkat": 265, "symlinkat": 266},
        **{"process_vm_readv": 310, "process_vm_writev": 311, "open_by_handle_at": 304},
        **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "setns": 308, "unshare": 272},
        **{"kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313, "delete_module": 176},
        **{"bpf": 321, "perf_event_open": 298, "userfaultfd": 323},
        **{"add_key": 248, "request_key": 249, "keyctl": 250},
        **_SAME,
    },
    clone=56,
)
_ARM64 = _Calls(
    0xC00000B7,
    {"socket": 198, "socketpair": 199},
    {
        **{"execve": 221, "execveat": 281, "ptrace": 117},
        **{"linkat": 37, "symlinkat": 36},
        **{"process_vm_readv": 270, "process_vm_writev": 271, "open_by_handle_at": 265},
        **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268, "unshare": 97},
        **{"kexec_load": 104, "kexec_file_load": 294, "init_module": 105, "finit_module": 273, "delete_module": 106},
        **{"bpf": 280, "perf_event_open": 241, "userfaultfd": 282},
        **{"add_key": 217, "request_key": 218, "keyctl": 219},
        **_SAME,
    },
    clone=220,
)
_BY_MACHINE = {"x86_64": _X86_64, "aarch64": _ARM64}


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def restrict(*, sockets: bool) -> None:
    """Refuse these system calls to this thread and to those it starts from now on.

    Raises:
        OSError: The system has no such filters, or the process may still gain privileges.
    """
    calls = _BY_MACHINE.get(platform.machine())
    if calls is None:
        raise OSError(errno.ENOSYS, f"no filter for {platform.machine()}")
    code = _filter(calls, sockets=sockets)
    program = FilterProgram(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))


def _filter(calls: _Calls, *, sockets: bool) -> bytes:
    refused = [*calls.refused.values(), *(() if sockets else calls.sockets.values())]
    program = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_EQUALS, calls.architecture, then=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    if calls is _X86_64:
        program += [_step(_AT_LEAST, _X32_BIT, otherwise=1), _step(_RETURN, _KILL)]
    for number in refused:
        program += [_step(_EQUALS, number, otherwise=1), _step(_RETURN, _ERRNO | errno.EPERM)]
    # The flags of clone3 cannot be seen from here; without it the C library takes clone, whose can.
    program += [_step(_EQUALS, calls.clone3, otherwise=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    program += [
        _step(_EQUALS, calls.clone, otherwise=3),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_HAS_BITS, _CLONE_THREAD, then=1),
        _step(_RETURN, _ERRNO | errno.EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(program)


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; ``then`` and ``otherwise`` are how many to leave out."""
    return struct.pack("=HBBI", code, then, otherwise, value)
