"""Puts a trained network into an ONNX file.

    python -m training.separation.export WORK --name separation --out model.onnx [--checkpoint separation.pt]

with weights in half precision, and prints how far onnxruntime's answer is from torch's. ``--checkpoint`` writes the
averaged weights by themselves too: what the repository keeps for a later training to begin with.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from training.separation.bands import ENERGY
from training.separation.components import BANDS
from training.separation.network import SeparationNetwork
from training.separation.stems import INPUT, OUTPUT

FEWEST_HALVED = 256
"""Smaller weights, such as biases, stay as they are."""


class Shares(nn.Module):
    """The network with what each stem gets of each component instead of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, known: Tensor) -> Tensor:
        return torch.softmax(self.network(known), dim=-1)


def averaged(path: Path) -> SeparationNetwork:
    """The averaged weights of a checkpoint, ready to run."""
    kept = torch.load(path, weights_only=False)
    network = SeparationNetwork()
    prefix = "module."
    network.load_state_dict({name[len(prefix) :]: x for name, x in kept["mean"].items() if name.startswith(prefix)})
    network.eval()
    return network


def keep(network: SeparationNetwork, path: Path) -> None:
    """Writes the weights in half precision, the whole numbers as they are."""
    halves = {name: x.half() if x.is_floating_point() else x for name, x in network.state_dict().items()}
    torch.save(halves, path)


def halve(path: Path) -> None:
    """Stores the weights of an ONNX file in half precision; they become float32 again when it is loaded."""
    model = onnx.load(path)
    graph, casts, kept = model.graph, [], []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < FEWEST_HALVED:
            kept.append(weight)
            continue
        kept.append(onnx.numpy_helper.from_array(values.astype(np.float16), f"{weight.name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{weight.name}.half"], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the separation network to ONNX.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="separation")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    arguments = parser.parse_args()
    trained = averaged(arguments.work / f"{arguments.name}.pt")
    if arguments.checkpoint:
        keep(trained, arguments.checkpoint)
    network = Shares(trained).eval()
    sample = torch.rand(1, 512, BANDS, ENERGY)
    axes = {0: "segments", 1: "frames"}
    torch.onnx.export(
        network,
        (sample,),
        str(arguments.out),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_axes={INPUT: axes, OUTPUT: axes},
        opset_version=17,
        dynamo=False,
    )
    halve(arguments.out)
    with torch.inference_mode():
        expected = network(sample).numpy()
    session = onnxruntime.InferenceSession(str(arguments.out), providers=["CPUExecutionProvider"])
    heard = session.run([OUTPUT], {INPUT: sample.numpy()})[0]
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB, off by {np.abs(heard - expected).max():.1e}")


if __name__ == "__main__":
    main()
