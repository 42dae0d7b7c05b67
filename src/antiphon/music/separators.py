"""Separation engines by name: the package's own, those that other packages bring as entry points, and networks
described by a manifest. ``separation.loading`` loads them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon.errors import BadParameter, WeightsError
from antiphon.music.progress import Progress, silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

GROUP = "antiphon.separation"
"""The group of entry points; each is a ``Factory``, under the engine's name."""
BUILTIN = "builtin"
HTDEMUCS = ("htdemucs", "htdemucs_ft", "htdemucs_6s")
STEMS = {
    BUILTIN: ("vocal", "drums", "bass"),
    "htdemucs": ("drums", "bass", "vocal"),
    "htdemucs_ft": ("drums", "bass", "vocal"),
    "htdemucs_6s": ("drums", "bass", "vocal", "guitar", "piano"),
}
"""The stems that our engines make, besides ``other``; what other engines make is known once they are loaded."""
MANIFEST = "manifest.json"
"""The file in an engine's folder among the models once it was fetched."""
MANIFEST_SUFFIXES = (".toml", ".json")


class Separator(Protocol):
    """What takes a song apart.

    ``stems`` are those that it can make, by the API's names (``vocal``, ``drums``, ``bass``, ``guitar``, …). ``other``
    is never among them: it is what the others leave of the song. ``sample_rate`` is what it wants and gives, in Hz.
    """

    @property
    def stems(self) -> tuple[str, ...]: ...

    @property
    def sample_rate(self) -> int: ...

    def separate(self, blocks: "Iterator[Samples]", wanted: tuple[str, ...]) -> "Iterator[tuple[Samples, Samples]]":
        """Blocks (n, 2) of a song as aligned pairs of the mix (m, 2) and the ``wanted`` stems (len(wanted), m, 2), as
        long together as the blocks. Memory must not grow with the song."""
        ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """What an engine is made with: the folder of ``models``, the ``threads`` that it may use, and the ``progress`` that
    is told about a download from ``models_url`` (None: where the weights are published)."""

    models: Path
    threads: int
    progress: Progress = silent
    models_url: str | None = None


Factory = Callable[[Workplace], Separator]


def names() -> list[str]:
    """The engines that can be asked for by name, the default first."""
    own = [BUILTIN, *HTDEMUCS]
    return [*own, *sorted(point.name for point in entry_points() if point.name not in own)]


def check_name(name: str) -> None:
    """Raises ``BadParameter`` that lists the engines when there is none of this name."""
    if name not in names():
        raise BadParameter(f"engine: there is no separation engine {name!r}; expected one of: {', '.join(names())}")


def is_manifest(engine: str) -> bool:
    """Whether a setting names a manifest's file, not an engine."""
    return engine.endswith(MANIFEST_SUFFIXES)


def name_of(engine: str) -> str:
    """What an engine is called before others: a manifest's path is nobody's business."""
    return Path(engine).stem if is_manifest(engine) else engine


def stems_of(engine: str) -> tuple[str, ...]:
    """The stems that an engine makes, ``other`` among them, without loading its networks.

    Raises:
        BadParameter: There is no such engine, or it does not say before it is loaded.
        EngineError: Its manifest cannot be read.
    """
    if is_manifest(engine):
        from antiphon.music.separation.manifest import read_manifest

        return (*read_manifest(Path(engine)).stems, "other")
    check_name(engine)
    if engine not in STEMS:
        raise BadParameter(f"engine: {engine!r} comes from another package; name the stems that are wanted instead")
    return (*STEMS[engine], "other")


def check(engine: str, models: Path) -> None:
    """Look whether an engine, named or described by a manifest, could be loaded; nothing is fetched.

    Raises:
        BadParameter: There is none of this name.
        EngineError: Its manifest is wrong.
        WeightsError: Its weights are not there yet.
    """
    if is_manifest(engine):
        stems_of(engine)
        return
    check_name(engine)
    if engine in HTDEMUCS and not is_ready(engine, models):
        raise WeightsError(f"the weights of {engine} are not there yet; run 'antiphon models pull {engine}'")


def is_ready(engine: str, models: Path) -> bool:
    """Whether the weights of a pretrained engine are there."""
    return (models / engine / MANIFEST).is_file()


def entry_points() -> metadata.EntryPoints:
    return metadata.entry_points(group=GROUP)
