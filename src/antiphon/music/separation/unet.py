"""The Spleeter network as an ONNX graph.

One U-Net per source (Hennequin, Khlif, Voituret, Moussallam, "Spleeter: a fast and efficient music source separation
tool with pre-trained models", JOSS 2020), each giving a mask over the magnitude spectrogram; both stand in one graph
whose output is the soft mask of the vocals, v² / (v² + a²).
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from antiphon.music.separation.checkpoint import Arrays

INPUT, OUTPUT = "magnitude", "vocal_mask"
BINS = 1024
DEPTH = 6
FRAME_MULTIPLE = 2**DEPTH
"""The number of frames must be a multiple of this, because each of the six levels halves it."""

_OPSET = 17
_IR_VERSION = 10
_EPSILON = 1e-3
_LEAK = 0.2
_TINY = 1e-10
_SAME_PADS = [1, 1, 2, 2]


def build_model(vocals: Arrays, accompaniment: Arrays) -> onnx.ModelProto:
    """``magnitude`` (segments, 2, frames, 1024) to ``vocal_mask`` of the same shape, 0–1. float32.

    Raises ``KeyError`` when an array is missing.
    """
    builder = _Builder()
    shape: list[str | int | None] = ["segments", 2, "frames", BINS]
    squares = []
    for prefix, arrays in (("vocals", vocals), ("accompaniment", accompaniment)):
        mask = _unet(builder, prefix, arrays)
        squares.append(builder.node("Mul", [mask, mask]))
    total = builder.node("Add", [*squares])
    total = builder.node("Add", [total, builder.constant("tiny", np.array(_TINY, np.float32))])
    builder.node("Div", [squares[0], total], output=OUTPUT)
    graph = helper.make_graph(
        builder.nodes,
        "spleeter-2stems",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape)],
        builder.constants,
    )
    opset = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="antiphon")


class _Builder:
    """Collects the nodes and constants of a graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.float32]) -> str:
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def _unet(builder: _Builder, prefix: str, arrays: Arrays) -> str:
    """The mask of one source, 0–1. Names of the arrays: ``down1_conv.1.weight`` … ``up7.0.bias``."""

    def constants(layer: str, *names: str) -> list[str]:
        return [builder.constant(f"{prefix}.{layer}.{name}", arrays[f"{layer}.{name}"]) for name in names]

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
