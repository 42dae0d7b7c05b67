"""Trains the separation network.

    python -m training.separation.train WORK --name separation --minutes 90

reads the excerpts in ``WORK/train`` and ``WORK/valid``, writes ``WORK/<name>.pt`` every few minutes and goes on from
it. ``--cool 400`` ends a run: so many steps more, in which the learning rate falls to nothing, into
``WORK/<name>-cooled.pt``; the run itself stays as it is and can go on.
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
from torch import Tensor

from training.separation import errors, validate
from training.separation.bands import ENERGY
from training.separation.components import Floats
from training.separation.material import Material
from training.separation.network import SeparationNetwork

KEPT = Path(__file__).parent / "checkpoints" / "separation.pt"
"""Weights in half precision that a new training begins with."""
BATCH = 8
AVERAGE = 0.998
"""Decay of the running mean of the weights, which is what is kept; smaller in the first steps."""
WARM_STEPS = 150
JUDGED = 24


def _averaged(mean: Tensor, new: Tensor, count: Tensor) -> Tensor:
    decay = min(AVERAGE, (1 + int(count)) / (10 + int(count)))
    return mean + (1 - decay) * (new - mean) if mean.is_floating_point() else new


class Run:
    """One training run and its checkpoint."""

    def __init__(self, path: Path, rate: float) -> None:
        self.path, self.rate = path, rate
        self.network = SeparationNetwork().to(memory_format=torch.channels_last)
        self.mean = torch.optim.swa_utils.AveragedModel(self.network, avg_fn=_averaged, use_buffers=True)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=0.01)
        self.step, self.seconds = 0, 0.0
        self.log: list[dict[str, Any]] = []

    def load(self, path: Path) -> None:
        kept = torch.load(path, weights_only=False)
        self.network.load_state_dict(kept["network"])
        self.mean.load_state_dict(kept["mean"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.seconds, self.log = kept["step"], kept["seconds"], kept["log"]

    def begin_with(self, path: Path) -> None:
        """Takes weights that ``export --checkpoint`` has written."""
        weights = {name: x.float() if x.is_floating_point() else x for name, x in torch.load(path).items()}
        self.network.load_state_dict(weights)
        self.mean.module.load_state_dict(weights)

    def save(self) -> None:
        kept = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
        }
        partial = self.path.with_suffix(".partial")
        torch.save(kept, partial)
        partial.rename(self.path)

    def advance(self, statistics: Floats, share: float = 1.0) -> float:
        """One step at ``share`` of the learning rate; the loss, in dB."""
        begun = time.thread_time()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * share * min(1.0, (self.step + 1) / WARM_STEPS)
        self.network.train()
        given = torch.from_numpy(statistics)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network(given[..., :ENERGY])
        loss = errors.loss_of(given, torch.softmax(logits.float(), dim=-1))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.mean.update_parameters(self.network)
        self.step += 1
        self.seconds += time.thread_time() - begun
        return float(loss.detach())

    def judge(self, valid: Material) -> dict[str, Any]:
        """Of the averaged weights, on the first excerpts of the validation."""
        self.mean.eval()
        return validate.judge(validate.of_network(self.mean), valid.paths[:JUDGED])


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the separation network.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="separation")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="when to stop, by the clock")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--cool", type=int, help="so many last steps with a falling rate, into NAME-cooled.pt")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=100, help="steps between two checkpoints")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train, valid = Material(arguments.work / "train"), Material(arguments.work / "valid")
    if not train.paths:
        parser.error(f"no excerpts in {arguments.work}/train: run training.separation.corpus first")
    path = arguments.work / f"{arguments.name}.pt"
    run = Run(path, arguments.rate)
    if path.exists():
        run.load(path)
    elif KEPT.exists():
        run.begin_with(KEPT)
    if arguments.cool:
        run.path = path.with_stem(f"{path.stem}-cooled")
    (arguments.work / f"{run.path.stem}.pid").write_text(str(os.getpid()))
    print(f"{len(train.paths)} excerpts, from step {run.step}", flush=True)
    rng = np.random.default_rng([3, run.step])
    last = run.step + arguments.cool if arguments.cool else None
    deadline = time.monotonic() + 60 * arguments.minutes
    losses: list[float] = []
    done = False
    while not done:
        share = (last - run.step) / arguments.cool if last else 1.0
        losses.append(run.advance(train.batch(rng, BATCH), share))
        done = run.step == last or time.monotonic() > deadline
        if run.step % arguments.every == 0 or done:
            train.refresh()
            valid.refresh()
            row: dict[str, Any] = {
                "step": run.step,
                "cpu_hours": round(run.seconds / 3600, 3),
                "loss": round(float(np.mean(losses)), 3),
                "excerpts": len(train.paths),
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            run.log.append(row | run.judge(valid))
            run.save()
            print(json.dumps(run.log[-1]), flush=True)
            losses = []


if __name__ == "__main__":
    main()
