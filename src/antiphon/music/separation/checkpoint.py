"""Reader of the arrays in a PyTorch checkpoint, without PyTorch and without running code from the pickle."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]


def read_checkpoint(path: Path) -> Arrays:
    """The named float32 arrays of a zip that holds ``<name>/data.pkl``, a pickled dict of NumPy arrays.

    Only the four globals that rebuild an array are known to the reader, each as a function of our own or a plain type.

    Raises:
        ValueError: The file is anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(member) as file:
                loaded = _ArrayUnpickler(file).load()
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError, EOFError, TypeError) as error:
        raise ValueError(f"{path.name} is not a checkpoint of NumPy arrays: {error}") from error
    if not isinstance(loaded, dict):
        raise ValueError(f"{path.name} holds a {type(loaded).__name__}, expected a dict of arrays")
    arrays: Arrays = {}
    for name, value in loaded.items():
        if not isinstance(name, str) or not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise ValueError(f"{path.name}: {name!r} is not an array of floats")
        arrays[name] = np.ascontiguousarray(value, dtype=np.float32)
    return arrays


def _empty_array(kind: type, shape: tuple[int, ...], code: bytes) -> NDArray[Any]:
    return np.ndarray((0,), np.int8)


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"unexpected encoding {encoding!r}")
    return text.encode("latin1")


_GLOBALS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return _GLOBALS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None
