"""Cross-domain transformer in the middle of Hybrid Transformer Demucs: self-attention within each branch in turn with
attention to the other one. Values are (1, places, channels)."""

import math

import numpy as np
from numpy.typing import NDArray

from antiphon.music.separation.htdemucs.config import Config
from antiphon.music.separation.htdemucs.layers import NORM_EPSILON, LayerBuilder

MAX_QUERIES = 512
"""Queries of one product of an attention: all 2,688 at once would need 460 MB."""

Floats = NDArray[np.float32]


def transform(
    build: LayerBuilder, config: Config, spectrum: str, wave: str, shape: tuple[int, int, int], length: int
) -> tuple[str, str]:
    """Both branches after the transformer.

    Args:
        build: Collects the nodes.
        config: Of the network.
        spectrum: (1, channels, bins, frames), ``shape`` without the 1.
        wave: (1, channels, ``length``).
        shape: Channels, bins and frames.
        length: Of ``wave``.
    """
    channels, bins, frames = shape
    weight, period = np.float32(config.t_weight_pos_embed), config.t_max_period
    places = places_in_plane(channels, bins, frames, period).transpose(2, 1, 0).reshape(1, frames * bins, channels)
    flat = build.reshape(build.node("Transpose", [spectrum], perm=[0, 3, 2, 1]), 1, frames * bins, channels)
    one = build.node("Add", [_layer_norm(build, flat, "crosstransformer.norm_in"), build.floats(weight * places)])
    flat = build.node("Transpose", [wave], perm=[0, 2, 1])
    line = places_on_line(channels, length, period)[np.newaxis]
    other = build.node("Add", [_layer_norm(build, flat, "crosstransformer.norm_in_t"), build.floats(weight * line)])
    sizes = (frames * bins, length)
    for index in range(config.t_layers):
        names = f"crosstransformer.layers.{index}", f"crosstransformer.layers_t.{index}"
        crossing = (index % 2 == 0) is config.t_cross_first
        seen = (other, one) if crossing else (None, None)
        one, other = (
            _layer(build, config, value, of, name, size)
            for value, of, name, size in zip((one, other), seen, names, sizes, strict=True)
        )
    square = build.reshape(one, 1, frames, bins, channels)
    return build.node("Transpose", [square], perm=[0, 3, 2, 1]), build.node("Transpose", [other], perm=[0, 2, 1])


def _layer(build: LayerBuilder, config: Config, value: str, seen: str | None, name: str, size: int) -> str:
    """A layer of ``value``'s branch, which attends to itself, or to ``seen``."""
    query = _layer_norm(build, value, f"{name}.norm1")
    keys = query if seen is None else _layer_norm(build, seen, f"{name}.norm2")
    attention = f"{name}.self_attn" if seen is None else f"{name}.cross_attn"
    heard = _attention(build, query, keys, attention, heads=config.t_heads, queries=size)
    value = build.node("Add", [value, _scaled(build, heard, f"{name}.gamma_1")])
    inner = _layer_norm(build, value, f"{name}.norm2" if seen is None else f"{name}.norm3")
    inner = _linear(build, build.gelu(_linear(build, inner, f"{name}.linear1")), f"{name}.linear2")
    value = build.node("Add", [value, _scaled(build, inner, f"{name}.gamma_2")])
    return build.group_norm(value, f"{name}.norm_out", axis=2)


def _attention(build: LayerBuilder, query: str, keys: str, name: str, *, heads: int, queries: int) -> str:
    """Multi-head attention (Vaswani et al. 2017), a part of the queries at a time."""
    joined, biases = build.array(f"{name}.in_proj_weight"), build.array(f"{name}.in_proj_bias")
    width = len(joined) // 3 // heads
    projected = []
    for index, source in enumerate((query, keys, keys)):
        rows = slice(index * width * heads, (index + 1) * width * heads)
        matrix = joined[rows].T / (math.sqrt(width) if index == 0 else 1)
        bias = biases[rows] / (math.sqrt(width) if index == 0 else 1)
        value = build.node("MatMul", [source, build.floats(matrix)])
        value = build.reshape(build.node("Add", [value, build.floats(bias)]), 1, -1, heads, width)
        projected.append(build.node("Transpose", [value], perm=[0, 2, 3, 1] if index == 1 else [0, 2, 1, 3]))
    parts = []
    for first in range(0, queries, MAX_QUERIES):
        some = build.slice(projected[0], 2, first, min(first + MAX_QUERIES, queries))
        weights = build.node("Softmax", [build.node("MatMul", [some, projected[1]])], axis=-1)
        parts.append(build.node("MatMul", [weights, projected[2]]))
    heard = parts[0] if len(parts) == 1 else build.node("Concat", parts, axis=2)
    heard = build.reshape(build.node("Transpose", [heard], perm=[0, 2, 1, 3]), 1, queries, heads * width)
    return _linear(build, heard, f"{name}.out_proj")


def _linear(build: LayerBuilder, value: str, name: str) -> str:
    matrix = build.node("Transpose", [build.weight(f"{name}.weight")], perm=[1, 0])
    return build.node("Add", [build.node("MatMul", [value, matrix]), build.weight(f"{name}.bias")])


def _layer_norm(build: LayerBuilder, value: str, name: str) -> str:
    scale, bias = build.weight(f"{name}.weight"), build.weight(f"{name}.bias")
    return build.node("LayerNormalization", [value, scale, bias], axis=-1, epsilon=NORM_EPSILON)


def _scaled(build: LayerBuilder, value: str, name: str) -> str:
    return build.node("Mul", [value, build.weight(f"{name}.scale")])


def places_on_line(channels: int, length: int, period: float) -> Floats:
    """Sinusoidal embedding (length, channels) of the places on a line: cosines, then sines."""
    half = channels // 2
    phase = np.arange(length)[:, np.newaxis] / period ** (np.arange(half) / (half - 1))
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1).astype(np.float32)


def places_in_plane(channels: int, height: int, width: int, period: float) -> Floats:
    """Sinusoidal embedding (channels, height, width) of the places in a plane: half of the channels for the
    column, half for the row, in each of them sine and cosine by turns."""
    half = channels // 2
    rates = np.exp(np.arange(0, half, 2) * (-math.log(period) / half))
    places = np.zeros((channels, height, width), np.float32)
    for first, size, shape in ((0, width, (-1, 1, width)), (half, height, (-1, height, 1))):
        phase = rates[:, np.newaxis] * np.arange(size)
        places[first : first + half : 2] = np.sin(phase).reshape(shape)
        places[first + 1 : first + half : 2] = np.cos(phase).reshape(shape)
    return places
