"""Reader of a network's weights in the safetensors format: a header in JSON, then the arrays."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.music.separation.htdemucs.config import Config

NamedArrays = dict[str, NDArray[np.floating]]

MAX_HEADER_BYTES = 16 << 20
_TYPES: dict[str, np.dtype[np.floating]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


@dataclass(frozen=True)
class Checkpoint:
    """A network's configuration and its weights by name."""

    config: Config
    weights: NamedArrays


def read_checkpoint(path: Path) -> Checkpoint:
    """The network in a safetensors file, as the ``demucs`` package publishes it: the metadata names the class and
    holds the arguments that it was made with, in JSON.

    Raises:
        ValueError: The file is none, or holds another network.
    """
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(MAX_HEADER_BYTES, len(data) - 8):
        raise ValueError(f"{path.name} is no safetensors file")
    try:
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        kind, arguments = metadata.get("klass", ""), json.loads(metadata.get("kwargs", "{}"))
        positional = json.loads(metadata.get("args", "[]"))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"the header of {path.name} cannot be read: {error}") from error
    if not kind.endswith(".HTDemucs"):
        raise ValueError(f"{path.name} holds {kind or 'no named network'}, expected demucs.htdemucs.HTDemucs")
    if positional:
        arguments = {"sources": positional[0], **arguments}
    return Checkpoint(
        Config.of_arguments(arguments), {name: _array(data, 8 + length, name, entry) for name, entry in header.items()}
    )


def _array(data: bytes, start: int, name: str, entry: dict[str, Any]) -> NDArray[np.floating]:
    try:
        dtype, shape, (first, last) = _TYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
        if first < 0 or last - first != dtype.itemsize * int(np.prod(shape)) or start + last > len(data):
            raise ValueError("its place in the file is wrong")
        found: NDArray[np.floating] = np.frombuffer(data, dtype, int(np.prod(shape)), start + first)
        return found.reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the array {name!r} cannot be read: {error}") from error
