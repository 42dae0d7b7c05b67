"""Builder of ONNX graphs, node by node."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[str | int | None]

_OPSET = 17
_IR_VERSION = 10


class GraphBuilder:
    """Collects the nodes and constants of a graph. Values are named by strings; nodes name their own outputs."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic], name: str | None = None) -> str:
        name = name or f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def floats(self, value: NDArray[np.floating] | float) -> str:
        return self.constant(np.asarray(value, np.float32))

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def node(self, kind: str, inputs: Sequence[str], *, output: str | None = None, **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def slice(self, value: str, axis: int, start: int, stop: int) -> str:
        return self.node("Slice", [value, self.integers(start), self.integers(stop), self.integers(axis)])

    def pad(self, value: str, before: Sequence[int], after: Sequence[int], mode: str = "constant") -> str:
        """``value`` with so many places more on each axis, zeros or by ``mode``."""
        return self.node("Pad", [value, self.integers(*before, *after)], mode=mode)

    def reshape(self, value: str, *shape: int, output: str | None = None) -> str:
        return self.node("Reshape", [value, self.integers(*shape)], output=output)

    def model(self, name: str, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> onnx.ModelProto:
        """The model; every value is float32."""
        taken, given = (
            [helper.make_tensor_value_info(one, TensorProto.FLOAT, shape) for one, shape in named.items()]
            for named in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, name, taken, given, self._constants)
        opset = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="antiphon")
