"""Puts a trained network into the package.

    python -m training.drums.export WORK --name first

writes ``src/antiphon/music/drums/model.onnx``, and checks that onnxruntime computes what torch computes.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from antiphon.music.drums.features import BANDS
from antiphon.music.drums.network import MODEL
from training.drums.network import DrumNetwork


class Activated(nn.Module):
    """The network with probabilities instead of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, levels: Tensor) -> Tensor:
        return torch.sigmoid(self.network(levels))


def averaged(path: Path) -> DrumNetwork:
    """The averaged weights of a checkpoint, ready to run."""
    kept = torch.load(path, weights_only=False)
    network = DrumNetwork()
    prefix = "module."
    network.load_state_dict({name[len(prefix) :]: x for name, x in kept["mean"].items() if name.startswith(prefix)})
    network.eval()
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the drum network to ONNX.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="drums")
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    network = Activated(averaged(arguments.work / f"{arguments.name}.pt")).eval()
    sample = torch.rand(1, 700, BANDS)
    torch.onnx.export(
        network,
        (sample,),
        str(arguments.out),
        input_names=["levels"],
        output_names=["activations"],
        dynamic_axes={"levels": {0: "batch", 1: "frames"}, "activations": {0: "batch", 1: "frames"}},
        opset_version=17,
        dynamo=False,
    )
    with torch.inference_mode():
        expected = network(sample).numpy()
    session = onnxruntime.InferenceSession(str(arguments.out), providers=["CPUExecutionProvider"])
    heard = session.run(None, {"levels": sample.numpy()})[0]
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB, off by {np.abs(heard - expected).max():.1e}")


if __name__ == "__main__":
    main()
