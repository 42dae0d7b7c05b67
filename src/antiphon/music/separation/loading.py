"""Separation engine of a name, or of a manifest, loaded."""

from pathlib import Path

from antiphon.errors import EngineError
from antiphon.music.separation.builtin import Builtin
from antiphon.music.separation.onnx_separator import OnnxSeparator
from antiphon.music.separation.pretrained import ensure
from antiphon.music.separators import (
    BUILTIN,
    HTDEMUCS,
    Factory,
    Separator,
    Workplace,
    check_name,
    entry_points,
    is_manifest,
)


def load(engine: str, workplace: Workplace) -> Separator:
    """The engine of this name, or of the manifest at this path, ready to work.

    Raises:
        BadParameter: There is none.
        WeightsError: Its weights are not there and cannot be fetched.
        EngineError: It cannot be loaded.
    """
    if is_manifest(engine):
        return OnnxSeparator.of_file(Path(engine), workplace.threads)
    check_name(engine)
    if engine == BUILTIN:
        return Builtin(workplace)
    if engine in HTDEMUCS:
        manifest = ensure(workplace.models, engine, workplace.progress, source=workplace.models_url)
        return OnnxSeparator.of_file(manifest, workplace.threads)
    return _of_entry_point(engine, workplace)


def _of_entry_point(name: str, workplace: Workplace) -> Separator:
    point = next(point for point in entry_points() if point.name == name)
    try:
        factory: Factory = point.load()
        return factory(workplace)
    except (ImportError, AttributeError) as error:
        raise EngineError(f"the separation engine {name!r} ({point.value}) cannot be loaded: {error}") from error
