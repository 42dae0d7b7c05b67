"""Trains the note network.

    python -m training.transcription.train MATERIAL WORK --name notes

takes the pieces in ``MATERIAL`` into ``WORK``, also those that appear while it runs, writes ``WORK/<name>.pt`` every
few minutes and goes on from it. It ends after ``--steps`` or when told to (SIGTERM), and nothing is lost.
"""

import argparse
import json
import math
import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from antiphon.music.transcription import levels as features
from training.transcription import validate
from training.transcription.bank import Recording
from training.transcription.material import Material
from training.transcription.network import NoteNetwork
from training.transcription.prepare import Separation, take_in

BATCH = 8
RATE, WARM_UP, CONSTANT = 2e-3, 200, 4_000
"""The highest learning rate, the steps that lead up to it, and the step from which on it falls with the root."""
AVERAGE = 0.998
"""Decay of the running mean of the weights, which is what is judged and exported."""
TAKEN_AT_ONCE = 24
"""New pieces between two looks at the material."""
LOOK_EVERY, VALID_SECONDS = 50, 30.0


def loss_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Weighted cross-entropy of onsets, in which one counts more than none, of frames, and of velocities where a note
    is struck; summed over the pitches, mean over steps."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    onset, onset_weight, frame, frame_weight, velocity, struck = wanted.unbind(1)
    steps = onset.shape[0] * onset.shape[1]
    onsets = (entropy(logits[:, 0], onset, reduction="none") * onset_weight * (1 + 2 * onset)).sum() / steps
    frames = (entropy(logits[:, 1], frame, reduction="none") * frame_weight).sum() / steps
    velocities = (entropy(logits[:, 2], velocity, reduction="none") * struck).sum() / struck.sum().clamp(1)
    total: Tensor = onsets + 0.5 * frames + 0.1 * velocities
    return total


class Run:
    """One training run and its checkpoint."""

    def __init__(self, path: Path, cool_down: tuple[int, int] | None = None) -> None:
        self.path, self.cool_down = path, cool_down
        self.network = NoteNetwork().to(memory_format=torch.channels_last)
        self.mean = NoteNetwork().to(memory_format=torch.channels_last).eval()
        self.mean.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=RATE, weight_decay=0.01)
        self.step, self.cpu_seconds = 0, 0.0
        self.log: list[dict[str, Any]] = []
        if path.exists():
            self._resume()

    def _resume(self) -> None:
        kept = torch.load(self.path, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.mean.load_state_dict(kept["mean"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.cpu_seconds, self.log = kept["step"], kept["cpu_seconds"], kept["log"]

    def save(self) -> None:
        kept = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "cpu_seconds": self.cpu_seconds,
            "log": self.log,
        }
        partial = self.path.with_suffix(".partial")
        torch.save(kept, partial)
        partial.rename(self.path)

    def rate(self) -> float:
        """The learning rate of this step."""
        rate = RATE * min(1.0, (self.step + 1) / WARM_UP) * min(1.0, math.sqrt(CONSTANT / (self.step + 1)))
        if self.cool_down:
            first, last = self.cool_down
            rate *= min(1.0, max(0.0, (last - self.step) / (last - first)))
        return rate

    def advance(self, levels: Tensor, wanted: Tensor) -> float:
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.network(levels.to(memory_format=torch.channels_last))
        loss = loss_of(logits.float(), wanted)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        keep = min(AVERAGE, self.step / (10 + self.step))
        with torch.no_grad():
            for mean, new in zip(self.mean.state_dict().values(), self.network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(new, 1 - keep)
                else:
                    mean.copy_(new)

    def onsets(self, sound: features.Floats) -> features.Floats:
        """What the averaged network says of a sound: (steps, PITCHES)."""
        level = features.scaled(features.levels(sound), features.reference(sound))
        count = level.shape[1] // features.FRAMES_PER_STEP * features.FRAMES_PER_STEP
        batch = torch.from_numpy(level[None, :, :count]).to(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.mean(batch)[0, 0]
        answer: features.Floats = torch.sigmoid(logits.float()).numpy()
        return answer

    def judge(self, recordings: Sequence[Recording]) -> dict[str, Any]:
        """F1 on excerpts of the validation's pieces."""
        excerpts = [
            case
            for one in recordings
            for case in validate.cases(one, max((one.seconds - VALID_SECONDS) / 2, 0.0), VALID_SECONDS)
        ]
        return dict(validate.summary(self.onsets, excerpts))


class Interrupted:
    """Becomes true when the process is asked to end."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked


def train(run: Run, material: Path, work: Path, steps: int, every: int, valid_pieces: int) -> None:
    separation, interrupted = Separation(), Interrupted()
    list(islice(take_in(material, work, separation), TAKEN_AT_ONCE))
    learnt, judged = Material(work / "train"), Material(work / "valid")
    if not learnt.recordings:
        raise SystemExit(f"There are no pieces in {material / 'train'}: make some with training.material")
    rng = np.random.default_rng([5, run.step])
    losses: list[float] = []
    clock = time.process_time()
    while run.step < steps and not interrupted:
        if run.step % LOOK_EVERY == 0:
            list(islice(take_in(material, work, separation), TAKEN_AT_ONCE))
            learnt.refresh()
        levels, wanted = learnt.batch(rng, BATCH)
        losses.append(run.advance(torch.from_numpy(levels), torch.from_numpy(wanted)))
        if run.step % every == 0 or run.step == steps:
            judged.refresh()
            run.cpu_seconds += time.process_time() - clock
            clock = time.process_time()
            row: dict[str, Any] = {"step": run.step, "cpu_hours": round(run.cpu_seconds / 3600, 3)}
            row |= {"loss": round(float(np.mean(losses)), 4), "pieces": len(learnt.recordings)}
            row |= {"date": datetime.now(UTC).isoformat(timespec="seconds")}
            row |= run.judge(judged.recordings[:valid_pieces])
            run.log.append(row)
            run.save()
            print(json.dumps(row), flush=True)
            losses = []
    run.cpu_seconds += time.process_time() - clock
    run.save()


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the note network.")
    parser.add_argument("material", type=Path, help="folder of composed pieces")
    parser.add_argument("work", type=Path, help="folder of the bank and the checkpoints")
    parser.add_argument("--name", default="notes")
    parser.add_argument("--steps", type=int, default=40_000)
    parser.add_argument("--cool-down", type=int, default=0, help="steps before the last over which the rate falls to 0")
    parser.add_argument("--every", type=int, default=250, help="steps between two checkpoints")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--valid-pieces", type=int, default=16)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    (arguments.work / "train.pid").write_text(str(os.getpid()))
    cool_down = (arguments.steps - arguments.cool_down, arguments.steps) if arguments.cool_down else None
    run = Run(arguments.work / f"{arguments.name}.pt", cool_down)
    print(f"from step {run.step}", flush=True)
    train(run, arguments.material, arguments.work, arguments.steps, arguments.every, arguments.valid_pieces)


if __name__ == "__main__":
    main()
