"""Environment of a child that reads strangers' files: made from nothing, so that no secret can be in it."""

import os
from collections.abc import Mapping
from pathlib import Path

PASSED = frozenset(
    {
        # where Python finds itself, its libraries and the user's fonts
        *("PATH", "HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH"),
        # language, and the time zone of messages
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ"),
    }
)
MALLOC_ARENAS = 2
"""Of glibc, which would reserve 64 MiB of addresses for each of up to eight arenas a core."""

STORAGE_PREFIXES = ("AWS_", "GOOGLE_", "AZURE_")
NETWORK_NAMES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"})
NETWORK_FILES = tuple(
    Path(path)
    for path in (
        *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/run/systemd/resolve"),
        *("/etc/ssl", "/etc/pki", "/etc/ca-certificates"),
    )
)
"""What is read to find a host by its name and to check its certificate."""


def child_environment(parent: Mapping[str, str] | None = None, *, folder: Path | None = None) -> dict[str, str]:
    """What an engine is given: ``PASSED`` from its parent's environment, and how its libraries use threads.

    Args:
        parent: The environment to choose from; None: this process's.
        folder: Where temporary files go.
    """
    given = os.environ if parent is None else parent
    chosen = {name: value for name, value in given.items() if name in PASSED}
    chosen |= {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": str(MALLOC_ARENAS), "PYTHONDONTWRITEBYTECODE": "1"}
    return chosen | ({"TMPDIR": str(folder)} if folder else {})


def remote_storage_environment(parent: Mapping[str, str] | None = None) -> dict[str, str]:
    """``child_environment`` and what reaches a bucket: the cloud's keys, proxies and certificates."""
    given = os.environ if parent is None else parent
    needed = {
        name: value
        for name, value in given.items()
        if name.startswith(STORAGE_PREFIXES) or name.lower() in NETWORK_NAMES
    }
    return child_environment(given) | needed


def remote_storage_reads(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """What reaches a bucket reads: ``NETWORK_FILES``, and the files of credentials that variables name."""
    named = [Path(value) for value in environment.values() if value.startswith("/") and ":" not in value]
    return (*NETWORK_FILES, *(path for path in named if path.is_file()))
