"""Layers of the cage, put on one after the other by the process itself."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from antiphon.music.confinement import landlock, seccomp, user
from antiphon.music.confinement.limits import EngineLimits
from antiphon.music.confinement.readable import DEVICES, program_places
from antiphon.music.confinement.system import PR_SET_NO_NEW_PRIVS, prctl


@dataclass(frozen=True)
class Cage:
    """What a process is left with.

    Attributes:
        limits: How much it may use.
        folder: The only folder that it may write to, handed over to its user; None: it writes nothing.
        reads: Files and folders that it reads beside that one and its own program.
        sockets: Whether it may use the network.
    """

    limits: EngineLimits
    folder: Path | None = None
    reads: tuple[Path, ...] = ()
    sockets: bool = False

    def to_json(self) -> dict[str, Any]:
        """The cage as it goes to the process that enters it."""
        folder = str(self.folder.absolute()) if self.folder else None
        reads = [str(path.absolute()) for path in self.reads]
        return {"limits": asdict(self.limits), "folder": folder, "reads": reads, "sockets": self.sockets}

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> Self:
        """The cage that ``to_json`` has written."""
        folder = Path(given["folder"]) if given["folder"] else None
        return cls(EngineLimits(**given["limits"]), folder, tuple(map(Path, given["reads"])), given["sockets"])

    def enter(self) -> None:
        """Shut this process in for good. Called in its main thread, while it has no other and no input is open.

        A layer that the system does not have is left out: the others hold without it.
        """
        own = [self.folder] if self.folder else []
        reads = [*program_places(), *self.reads]
        bounded = bool(landlock.version())
        _put_on(self.limits.apply)
        _put_on(lambda: user.become_nobody(own, reads, reads_bounded=bounded))
        _put_on(lambda: prctl(PR_SET_NO_NEW_PRIVS, 1))
        _put_on(lambda: landlock.restrict(reads=reads, writes=[*own, *DEVICES], tcp=self.sockets))
        _put_on(lambda: seccomp.restrict(sockets=self.sockets))


def _put_on(layer: Callable[[], object]) -> None:
    try:
        layer()
    except (OSError, ValueError, KeyError, AttributeError):  # the last two: a system without such a call
        return
