"""Puts a trained note network into a file for onnxruntime.

    python -m training.transcription.export WORK

writes the averaged weights of ``WORK/notes.pt`` to where the package has its network (``--out``: elsewhere), checks
that onnxruntime computes what torch computes, and says how fast.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from antiphon.music.transcription import levels as features
from antiphon.music.transcription.notenetwork import HEADS, INPUT, MODEL, NoteModel
from training.transcription.network import NoteNetwork


class Activated(nn.Module):
    """The network with probabilities instead of logits, one output for each of ``HEADS``: (batch, steps, PITCHES)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, levels: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.sigmoid(self.network(levels)).unbind(1))


def averaged(path: Path) -> NoteNetwork:
    """The averaged weights of a checkpoint, ready to run."""
    network = NoteNetwork()
    network.load_state_dict(torch.load(path, weights_only=True)["mean"])
    network.eval()
    return network


def export(checkpoint: Path, out: Path) -> float:
    """Writes the ONNX file and gives the largest difference to what torch computes."""
    network = Activated(averaged(checkpoint)).eval()
    sample = torch.rand(1, features.CHANNELS, 400, features.BINS)
    torch.onnx.export(
        network,
        (sample,),
        str(out),
        input_names=[INPUT],
        output_names=list(HEADS),
        dynamic_axes={INPUT: {0: "batch", 2: "frames"}} | {head: {0: "batch", 1: "steps"} for head in HEADS},
        opset_version=17,
        dynamo=False,
    )
    level = np.random.default_rng(0).random((features.CHANNELS, 1000, features.BINS), np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(level[None]))
    heard = NoteModel(out).hear(level)
    return float(max(np.abs(one - two.numpy()[0]).max() for one, two in zip(heard, expected, strict=True)))


def times_real(path: Path, seconds: float = 60.0) -> float:
    """Seconds of sound for a second of one processor, the levels' computation included."""
    model = NoteModel(path)
    sound = np.random.default_rng(0).normal(0, 0.1, round(seconds * features.SAMPLE_RATE)).astype(np.float32)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        model(sound)
        best = min(best, time.process_time() - start)
    return seconds / best


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the note network to ONNX.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="notes")
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    out = arguments.out
    off = export(arguments.work / f"{arguments.name}.pt", out)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB, off by {off:.1e}, {times_real(out):.0f}x real time on one core")


if __name__ == "__main__":
    main()
