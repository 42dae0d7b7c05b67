"""Toy separation networks in ONNX: each stem is a fixed share of the mix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from antiphon.music.onnxgraph import GraphBuilder


def save_shares(path: Path, shares: Sequence[float], *, segment: int, window: int | None = None) -> Path:
    """A network of which row ``i`` is ``shares[i]`` times what goes in: ``mix`` (1, 2, segment) to ``stems``, or with a
    ``window`` the spectrum ``spec`` to ``specs``."""
    build = GraphBuilder()
    name, out = ("mix", "stems") if window is None else ("spec", "specs")
    shape: tuple[int, ...] = (1, 2, segment)
    if window is not None:
        shape = (1, 4, window // 2, -(-segment // (window // 4)))
    factors = np.asarray(shares, np.float32).reshape(1, -1, *[1] * (len(shape) - 1))
    inner = build.node("Unsqueeze", [name, build.integers(1)])
    build.node("Mul", [inner, build.floats(factors)], output=out)
    model = build.model("shares", {name: shape}, {out: (1, len(shares), *shape[1:])})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return path
