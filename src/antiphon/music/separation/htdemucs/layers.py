"""Layers that the branches of Hybrid Transformer Demucs are made of, as ONNX nodes.

Values are (1, channels, bins, frames) in the branch of the spectrum, (1, channels, samples) in that of the waveform;
their sizes are known when the graph is built.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from antiphon.music.onnxgraph import GraphBuilder

NORM_EPSILON = 1e-5
MAX_BINS = 64
"""Bins that a layer works on at a time: all at once would need a gigabyte more."""


class LayerBuilder(GraphBuilder):
    """A graph's builder that knows the network's weights by name."""

    def __init__(self, weights: Mapping[str, NDArray[np.floating]]) -> None:
        super().__init__()
        self._weights = weights
        self._values: dict[str, str] = {}

    def weight(self, name: str) -> str:
        """A weight, kept in the file in the precision that it has there."""
        if name not in self._values:
            value = self.constant(self._weights[name], name)
            if self._weights[name].dtype == np.float16:
                value = self.node("Cast", [value], to=TensorProto.FLOAT)
            self._values[name] = value
        return self._values[name]

    def array(self, name: str) -> NDArray[np.float32]:
        return self._weights[name].astype(np.float32)

    def gelu(self, value: str) -> str:
        half = self.node("Mul", [value, self.floats(0.5)])
        erf = self.node("Erf", [self.node("Div", [value, self.floats(math.sqrt(2))])])
        return self.node("Mul", [half, self.node("Add", [erf, self.floats(1.0)])])

    def glu(self, value: str, channels: int) -> str:
        """Gated linear unit over axis 1: from 2 × ``channels`` to ``channels``."""
        kept, gate = self.slice(value, 1, 0, channels), self.slice(value, 1, channels, 2 * channels)
        return self.node("Mul", [kept, self.node("Sigmoid", [gate])])

    def group_norm(self, value: str, name: str, *, axis: int) -> str:
        """Normalisation over all but the first of three axes, with a weight and a bias for each place on ``axis``."""
        flat = self.reshape(value, 0, 1, -1)
        normed = self.node(
            "InstanceNormalization", [flat, self.floats(np.ones(1)), self.floats(np.zeros(1))], epsilon=NORM_EPSILON
        )
        shaped = self.node("Reshape", [normed, self.node("Shape", [value])])
        places = [1, -1, 1] if axis == 1 else [1, 1, -1]
        scaled = self.node("Mul", [shaped, self.floats(self.array(f"{name}.weight").reshape(places))])
        return self.node("Add", [scaled, self.floats(self.array(f"{name}.bias").reshape(places))])

    def conv(self, value: str, name: str, kind: str = "Conv", **attributes: Any) -> str:
        return self.node(kind, [value, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], **attributes)

    def residual(self, value: str, name: str, channels: int, depth: int) -> str:
        """Residual branch of dilated convolutions along the last axis of (batch, channels, length)."""
        for level in range(depth):
            dilation, layer = 2**level, f"{name}.layers.{level}"
            inner = self.conv(value, f"{layer}.0", dilations=[dilation], pads=[dilation, dilation])
            inner = self.gelu(self.group_norm(inner, f"{layer}.1", axis=1))
            inner = self.group_norm(self.conv(inner, f"{layer}.3"), f"{layer}.4", axis=1)
            scale = self.node("Unsqueeze", [self.weight(f"{layer}.6.scale"), self.integers(1)])
            value = self.node("Add", [value, self.node("Mul", [self.glu(inner, channels), scale])])
        return value

    def residual_of_bins(self, value: str, name: str, shape: tuple[int, int, int], depth: int) -> str:
        """``residual`` for each bin of (1, channels, bins, frames) by itself; ``shape`` is that without the 1."""
        channels, bins, frames = shape
        rows = self.reshape(self.node("Transpose", [value], perm=[0, 2, 1, 3]), bins, channels, frames)
        parts = [
            self.residual(self.slice(rows, 0, first, min(first + MAX_BINS, bins)), name, channels, depth)
            for first in range(0, bins, MAX_BINS)
        ]
        done = self.reshape(self.joined(parts, 0), 1, bins, channels, frames)
        return self.node("Transpose", [done], perm=[0, 2, 1, 3])

    def joined(self, parts: Sequence[str], axis: int) -> str:
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=axis)
