"""How much an engine may use of memory, processor time, disk and descriptors, and what is said when that is not enough.

The figures are measured (``python -m bench.engine_memory``): the demo's song over 3 and 60 minutes, two threads.
"""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.errors import AntiphonError, EngineError, EngineTimeout, NotAudio

GB = 1_000_000_000
MB = 1_000_000
MAX_OPEN_FILES = 256
MAX_WRITTEN_BYTES = 1 << 32
"""Of one file: more does not fit into a WAV. An hour of a stem in WAV has 0.64 GB."""

READING_MEMORY_BYTES = 1_500_000_000
"""Address space of an engine that only decodes: 0.28 GiB with any song, a cover of 100 megapixels 0.9 GiB more."""

INSPECTION_S, INSPECTION_S_PER_MB = 15, 1
"""Seconds of processor time to inspect a file: an hour takes 2.8 s, as MP3 of 115 MB, as Ogg of 78, as Opus of 10."""

READERS = frozenset({"inspect", "peaks", "convert", "align", "probe"})
"""Engines that only read and decode: a lack of memory is the file's fault."""

GRACE_S = 5
"""Of processor time between the signal that names the cause, and the one that cannot be caught."""


NEAR_SHARE = 0.8
"""Of the address space, beyond which a failure is taken for a lack of it: few libraries say why they failed."""


@dataclass(frozen=True)
class EngineLimits:
    """What the process of one engine may use.

    Attributes:
        memory_bytes: Address space.
        cpu_s: Processor time of all its threads together.
        file_bytes: Of each file that it writes.
    """

    memory_bytes: int
    cpu_s: int
    file_bytes: int = MAX_WRITTEN_BYTES

    def apply(self) -> None:
        """Bound this process for good, and let it leave no core dump, in which other people's songs would lie."""
        for kind, value, grace in (
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_NOFILE, MAX_OPEN_FILES, 0),
            (resource.RLIMIT_FSIZE, self.file_bytes, 0),
            (resource.RLIMIT_CPU, self.cpu_s, GRACE_S),
            (resource.RLIMIT_AS, self.memory_bytes, 0),
        ):
            _, present = resource.getrlimit(kind)
            most = value + grace if present == resource.RLIM_INFINITY else min(value + grace, present)
            resource.setrlimit(kind, (min(value, most), most))


def limits_of(engine: str, arguments: Mapping[str, Any], *, memory_bytes: int, timeout_s: float) -> EngineLimits:
    """The limits of one run.

    Args:
        engine: Its name.
        arguments: Its arguments.
        memory_bytes: What separation, MIDI and video may take (``ANTIPHON_ENGINE_MEMORY``).
        timeout_s: Seconds after which it is stopped by the clock in any case.
    """
    if engine == "inspect":
        size = Path(arguments["path"]).stat().st_size
        return EngineLimits(READING_MEMORY_BYTES, INSPECTION_S + int(INSPECTION_S_PER_MB * size / MB))
    memory = READING_MEMORY_BYTES if engine in READERS else memory_bytes
    return EngineLimits(memory, int(timeout_s * (arguments.get("threads", 1) + 1)))


def has_come_near_its_memory() -> bool:
    """Whether this process has at some time used nearly as much address space as it may."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    if allowed == resource.RLIM_INFINITY:
        return False
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmPeak"].split()[0]) * 1024 > NEAR_SHARE * allowed


def out_of_memory(engine: str, limits: EngineLimits) -> AntiphonError:
    """The error of an engine that needs more memory than it may have."""
    allowed = f"{limits.memory_bytes / GB:g} GB"
    if engine in READERS:
        return NotAudio(
            f"file: needs more than {allowed} of memory to be read, more than any song does; "
            "export it again as MP3, WAV or FLAC, without its tags and pictures"
        )
    return EngineError(
        f"the engine '{engine}' needs more memory than ANTIPHON_ENGINE_MEMORY allows ({allowed}): "
        "send a shorter song, or raise it on the server"
    )


def out_of_time(engine: str, limits: EngineLimits) -> AntiphonError:
    """The error of an engine that has used up its processor time."""
    if engine == "inspect":
        return NotAudio(
            f"file: takes longer than {limits.cpu_s} s to decode, the most for a file of its size; "
            "export it again as MP3, WAV or FLAC"
        )
    return EngineTimeout(
        f"the engine '{engine}' took longer than {limits.cpu_s} s of processor time; try a shorter song, "
        "or raise ANTIPHON_ENGINE_TIMEOUT on the server"
    )
