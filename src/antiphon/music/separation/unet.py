"""Spleeter network as an ONNX graph.

One U-Net per source (Hennequin, Khlif, Voituret, Moussallam, "Spleeter: a fast and efficient music source separation
tool with pre-trained models", JOSS 2020), each giving a mask over the magnitude spectrogram; both stand in one graph
whose output is the soft mask of the vocals, v² / (v² + a²).
"""

import onnx

from antiphon.music.onnxgraph import GraphBuilder
from antiphon.music.separation.checkpoint import Arrays

INPUT, OUTPUT = "magnitude", "vocal_mask"
BINS = 1024
DEPTH = 6
FRAME_MULTIPLE = 2**DEPTH
"""The number of frames must be a multiple of this, because each of the six levels halves it."""

_EPSILON = 1e-3
_LEAK = 0.2
_TINY = 1e-10
_SAME_PADS = [1, 1, 2, 2]


def build_model(vocals: Arrays, accompaniment: Arrays) -> onnx.ModelProto:
    """Model from ``magnitude`` (segments, 2, frames, 1024) to ``vocal_mask`` of the same shape, 0–1; both float32.

    Args:
        vocals: Arrays of the network that estimates the vocals, by name.
        accompaniment: Arrays of the one that estimates the rest.

    Raises:
        KeyError: An array is missing.
    """
    builder = GraphBuilder()
    squares = []
    for prefix, arrays in (("vocals", vocals), ("accompaniment", accompaniment)):
        mask = _unet(builder, prefix, arrays)
        squares.append(builder.node("Mul", [mask, mask]))
    total = builder.node("Add", [*squares])
    total = builder.node("Add", [total, builder.floats(_TINY)])
    builder.node("Div", [squares[0], total], output=OUTPUT)
    shape = ("segments", 2, "frames", BINS)
    return builder.model("spleeter-2stems", {INPUT: shape}, {OUTPUT: shape})


def _unet(builder: GraphBuilder, prefix: str, arrays: Arrays) -> str:
    """The mask of one source, 0–1. Names of the arrays: ``down1_conv.1.weight`` … ``up7.0.bias``."""

    def constants(layer: str, *names: str) -> list[str]:
        return [builder.constant(arrays[f"{layer}.{name}"], f"{prefix}.{layer}.{name}") for name in names]

    def batch_norm(layer: str, value: str) -> str:
        statistics = constants(layer, "weight", "bias", "running_mean", "running_var")
        return builder.node("BatchNormalization", [value, *statistics], epsilon=_EPSILON)

    skips: list[str] = []
    value = INPUT
    for level in range(1, DEPTH + 1):
        weights = constants(f"down{level}_conv.1", "weight", "bias")
        convolved = builder.node("Conv", [value, *weights], strides=[2, 2], pads=_SAME_PADS)
        skips.append(convolved)
        if level < DEPTH:
            value = builder.node("LeakyRelu", [batch_norm(f"down{level}_act.0", convolved)], alpha=_LEAK)
    value = skips.pop()
    for level in range(1, DEPTH + 1):
        weights = constants(f"up{level}.0", "weight", "bias")
        value = builder.node("ConvTranspose", [value, *weights], strides=[2, 2], pads=_SAME_PADS)
        value = batch_norm(f"up{level}.3", builder.node("Relu", [value]))
        if skips:
            value = builder.node("Concat", [skips.pop(), value], axis=1)
    weights = constants("up7.0", "weight", "bias")
    value = builder.node("Conv", [value, *weights], dilations=[2, 2], pads=[3, 3, 3, 3])
    return builder.node("Sigmoid", [value])
