"""Trains the network that tells instruments apart by single notes.

    python -m training.transcription.train_timbre WORK --name timbre --steps 2000

learns from the pieces that are in the bank ``WORK`` (the note network's training puts them there), writes
``WORK/<name>.pt`` and goes on from it.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from antiphon.music.transcription.levels import HOP, SAMPLE_RATE, Floats, levels, reference, scaled
from training.transcription.bank import ONSET, PITCH, Recording
from training.transcription.effects import Random
from training.transcription.material import Material
from training.transcription.scenes import MARGIN_SAMPLES, PART, compose
from training.transcription.targets import audible
from training.transcription.timbre import FRAMES, HARMONICS, INSTRUMENTS, MAPS, instrument, patches

SCENE_FRAMES = 432
PER_PART = 6
"""Notes of a part that are taken of a scene, lest a busy one outweighs the others."""
RATE = 1e-3
MOVED_FRAMES = 1.5
"""Standard deviation of the frames by which an onset is found too early or too late."""

Integers = NDArray[np.int64]


class TimbreNetwork(nn.Module):
    """Harmonics' levels (notes, MAPS, FRAMES, HARMONICS) and pitches (notes,) to logits (notes, INSTRUMENTS)."""

    def __init__(self, width: int = 32, hidden: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(MAPS, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1, stride=(2, 1)), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1, stride=2), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, 16, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten()),
        )
        flat = 16 * ((FRAMES + 3) // 4) * ((HARMONICS + 1) // 2)
        self.mix = nn.Sequential(nn.Linear(flat + 1, hidden), nn.ReLU(), nn.Dropout(0.2))
        self.last = nn.Linear(hidden, len(INSTRUMENTS))

    def forward(self, sound: Tensor, pitch: Tensor) -> Tensor:
        logits: Tensor = self.last(self.mix(torch.cat([self.body(sound), pitch[:, None]], dim=1)))
        return logits


class Notes:
    """Notes of scenes: ``sound`` and ``pitch`` as ``patches`` has them, the ``instrument`` of each, the ``part`` of
    each as a number of its own, and the kind of the scene."""

    def __init__(self) -> None:
        self._rows: list[tuple[Floats, Floats, Integers, Integers]] = []
        self.kinds: list[str] = []

    def add(self, rng: Random, recordings: Sequence[Recording], count: int) -> "Notes":
        for _ in range(count):
            scene = compose(rng, recordings, SCENE_FRAMES)
            margin = MARGIN_SAMPLES // HOP
            before = levels(scene.plain)[0, margin : margin + SCENE_FRAMES]
            notes = scene.notes[audible(scene.notes, before, reference(scene.plain))]
            notes = _few(rng, notes[(notes[:, ONSET] > 0) & (notes[:, ONSET] < 4.8)])
            if not len(notes):
                continue
            level = scaled(levels(scene.samples)[:, margin : margin + SCENE_FRAMES], reference(scene.samples))
            moved = notes[:, ONSET] + rng.normal(0, MOVED_FRAMES, len(notes)) * HOP / SAMPLE_RATE
            sound, pitch = patches(level, moved.tolist(), notes[:, PITCH].astype(int).tolist())
            one = scene.recording
            parts = notes[:, PART].astype(np.int64)
            named = np.array([instrument(one.classes[part], one.families[part]) for part in parts], np.int64)
            self._rows.append((sound, pitch, named, parts + 100 * len(self._rows)))
            self.kinds += [scene.kind] * len(notes)
        return self

    def joined(self) -> tuple[Floats, Floats, Integers, Integers]:
        sound, pitch, named, parts = (np.concatenate(column) for column in zip(*self._rows, strict=True))
        return sound, pitch, named, parts


def _few(rng: Random, notes: Floats) -> Floats:
    """At most ``PER_PART`` notes of each part."""
    order = rng.permutation(len(notes))
    taken: dict[float, int] = defaultdict(int)
    kept = []
    for number in order.tolist():
        taken[notes[number, PART]] += 1
        if taken[notes[number, PART]] <= PER_PART:
            kept.append(number)
    return notes[sorted(kept)]


def judge(network: nn.Module, notes: Notes) -> dict[str, object]:
    """The share of notes that are named rightly, by the kind of scene, and of parts by all their notes in a scene."""
    sound, pitch, named, parts = notes.joined()
    network.eval()
    with torch.inference_mode():
        logits = network(torch.from_numpy(sound), torch.from_numpy(pitch)).log_softmax(1).numpy()
    right = logits.argmax(1) == named
    kinds = np.array(notes.kinds)
    result = {kind: round(float(right[kinds == kind].mean()), 3) for kind in sorted(set(notes.kinds))}
    together = [logits[parts == part].mean(0).argmax() == named[parts == part][0] for part in np.unique(parts)]
    by_instrument = {INSTRUMENTS[one]: round(float(right[named == one].mean()), 2) for one in np.unique(named)}
    balanced = np.mean(list(by_instrument.values()))
    return (
        result
        | {"all": round(float(right.mean()), 3), "balanced": round(float(balanced), 3)}
        | {"parts": round(float(np.mean(together)), 3), "by instrument": by_instrument}
    )


class Run:
    """One training run and its checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.network = TimbreNetwork()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=RATE, weight_decay=0.01)
        self.step, self.cpu_seconds = 0, 0.0
        self._seen = np.ones(len(INSTRUMENTS))
        if path.exists():
            kept = torch.load(path, weights_only=True)
            self.network.load_state_dict(kept["network"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.step, self.cpu_seconds = kept["step"], kept["cpu_seconds"]

    def save(self) -> None:
        kept = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save(kept | {"step": self.step, "cpu_seconds": self.cpu_seconds}, self.path)

    def advance(self, notes: Notes, rate: float) -> float:
        """One step. Rare instruments count more, by the root of how rare they are."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sound, pitch, named, _ = notes.joined()
        self.network.train()
        logits = self.network(torch.from_numpy(sound), torch.from_numpy(pitch))
        self._seen += np.bincount(named, minlength=len(INSTRUMENTS))
        weight = torch.from_numpy(np.sqrt(self._seen.mean() / self._seen)).float()
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(named), weight, label_smoothing=0.05)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())


def train(run: Run, work: Path, steps: int, scenes: int, every: int, valid_scenes: int) -> None:
    learnt = Material(work / "train")
    valid = Notes().add(np.random.default_rng(11), Material(work / "valid").recordings, valid_scenes)
    rng = np.random.default_rng([7, run.step])
    clock, losses = time.process_time(), []
    while run.step < steps:
        rate = RATE * min(1.0, 2 * (1 - run.step / steps))
        losses.append(run.advance(Notes().add(rng, learnt.recordings, scenes), rate))
        if run.step % every == 0 or run.step == steps:
            run.cpu_seconds += time.process_time() - clock
            row = {"step": run.step, "cpu_hours": round(run.cpu_seconds / 3600, 3), "loss": round(np.mean(losses), 3)}
            print(json.dumps(row | judge(run.network, valid)), flush=True)
            run.save()
            learnt.refresh()
            clock, losses = time.process_time(), []


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the timbre network.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="timbre")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--scenes", type=int, default=8, help="scenes of a step")
    parser.add_argument("--every", type=int, default=150)
    parser.add_argument("--valid-scenes", type=int, default=250)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = Run(arguments.work / f"{arguments.name}.pt")
    train(run, arguments.work, arguments.steps, arguments.scenes, arguments.every, arguments.valid_scenes)


if __name__ == "__main__":
    main()
