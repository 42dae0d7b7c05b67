"""Trains the drum network.

    python -m training.drums.train WORK --name first --steps 3000

reads the shards in ``WORK/train`` and ``WORK/valid``, writes ``WORK/<name>.pt`` every few minutes and goes on from it.
"""

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from antiphon.music.drums.onsets import DETAILS, DRUMS
from training.drums import validate
from training.drums.corpus import Excerpt
from training.drums.material import Material, whole
from training.drums.network import DrumNetwork

BATCH = 16
AVERAGE = 0.995
"""Decay of the running mean of the weights, which is what is kept."""


def loss_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the onsets, in which a frame with an onset weighs more, and of details and velocities where
    there is one."""
    n, m = len(DRUMS), len(DETAILS)
    onsets, velocities, struck, details, detailed = wanted.split([n, n, n, m, m], dim=2)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    weight = 1 + 2 * onsets
    onset = (entropy(logits[..., :n], onsets, reduction="none") * weight).mean() * n
    velocity = (entropy(logits[..., n : 2 * n], velocities, reduction="none") * struck).sum() / struck.sum().clamp(1)
    detail = (entropy(logits[..., 2 * n :], details, reduction="none") * detailed).sum() / detailed.sum().clamp(1)
    total: Tensor = onset + 0.05 * velocity + 0.05 * detail
    return total


class Run:
    """One training run and its checkpoint."""

    def __init__(self, path: Path, steps: int, rate: float) -> None:
        self.path, self.steps = path, steps
        self.network = DrumNetwork().to(memory_format=torch.channels_last)
        self.mean = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE), use_buffers=True
        )
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, total_steps=steps + 1, pct_start=0.1)
        self.step = 0
        self.log: list[dict[str, Any]] = []
        if path.exists():
            self._resume()

    def _resume(self) -> None:
        kept = torch.load(self.path, weights_only=False)
        self.network.load_state_dict(kept["network"])
        self.mean.load_state_dict(kept["mean"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.log = kept["step"], kept["log"]
        for _ in range(self.step):
            self.schedule.step()

    def begin_with(self, path: Path) -> None:
        """Takes the averaged weights of another run."""
        self.mean.load_state_dict(torch.load(path, weights_only=False)["mean"])
        self.network.load_state_dict(self.mean.module.state_dict())

    def save(self) -> None:
        kept = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "log": self.log,
        }
        partial = self.path.with_suffix(".partial")
        torch.save(kept, partial)
        partial.rename(self.path)

    def advance(self, levels: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
        self.network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network(torch.from_numpy(levels))
        loss = loss_of(logits.float(), torch.from_numpy(wanted))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.mean.update_parameters(self.network)
        self.step += 1
        return float(loss.detach())

    def onsets(self, one: Excerpt) -> NDArray[np.float32]:
        """What the averaged network says of an excerpt: (frames, drums)."""
        self.mean.eval()
        with torch.inference_mode():
            logits = self.mean(torch.from_numpy(whole(one)[None]))
        answer: NDArray[np.float32] = torch.sigmoid(logits[0, :, : len(DRUMS)]).float().numpy()
        return answer

    def judge(self, excerpts: list[Excerpt]) -> dict[str, Any]:
        """F1 on the validation's drum tracks and on its separated mixes."""
        result: dict[str, Any] = {}
        for name, wanted in validate.SCENES.items():
            counts = validate.sweep(self.onsets, [one for one in excerpts if one.scene in wanted])
            result[name] = validate.best(counts)
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the drum network.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="drums")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--start", type=Path, help="checkpoint of another run whose averaged weights to begin with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=250, help="steps between two checkpoints")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    (arguments.work / "train.pid").write_text(str(os.getpid()))
    train, valid = Material(arguments.work / "train"), Material(arguments.work / "valid")
    run = Run(arguments.work / f"{arguments.name}.pt", arguments.steps, arguments.rate)
    if arguments.start and run.step == 0:
        run.begin_with(arguments.start)
    print(f"{len(train.excerpts)} excerpts, from step {run.step}", flush=True)
    rng = np.random.default_rng([3, run.step])
    losses, start = [], time.monotonic()
    while run.step < arguments.steps:
        losses.append(run.advance(*train.batch(rng, BATCH)))
        if run.step % arguments.every == 0 or run.step == arguments.steps:
            seconds = round((time.monotonic() - start) / len(losses), 2)
            row: dict[str, Any] = {
                "step": run.step,
                "loss": round(float(np.mean(losses)), 4),
                "seconds_a_step": seconds,
            }
            row |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), **run.judge(valid.excerpts[:40])}
            run.log.append(row)
            run.save()
            print(json.dumps(row), flush=True)
            train.refresh()
            losses, start = [], time.monotonic()


if __name__ == "__main__":
    main()
