"""Descriptors of files and connections that this process may have open."""

import resource

RESERVED_DESCRIPTORS = 200  # for files, the database, the storage and downloads


def raise_descriptor_limit() -> int:
    """Raise the soft limit (RLIMIT_NOFILE) to the hard one, which needs no right; gives what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def connections_within(limit: int, wanted: int) -> int:
    """The most connections that ``limit`` descriptors leave room for, at most ``wanted``."""
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, limit - RESERVED_DESCRIPTORS, limit // 2 + RESERVED_DESCRIPTORS))
