"""Places that an engine reads beside its own folder: Python, its libraries, fonts, some facts about the machine."""

import os
import sys
from pathlib import Path

FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/sys/devices/system"),
    *("/dev/urandom", "/dev/random", "/dev/zero"),
)
DEVICES = (Path("/dev/null"),)
"""What may be written to beside the own folder."""


def program_places() -> list[Path]:
    """Where this process's program lies. ``/proc/self`` is this process, so ask for it in the one that is bounded."""
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    found = {Path(each).absolute() for each in (*python, *libraries, *_SYSTEM) if each}
    return sorted(found | _loaded_from() | {Path(folder).expanduser() for folder in FONT_FOLDERS})


def _loaded_from() -> set[Path]:
    """Folders of the libraries that this process has loaded: some systems keep them where nobody else does."""
    try:
        mapped = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return set()
    files = (line.partition("/")[2] for line in mapped if ".so" in line)
    return {Path("/", file).parent for file in files if file}
