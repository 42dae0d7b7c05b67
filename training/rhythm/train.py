"""Trains the judge of bars.

    python -m training.rhythm.train WORK

reads ``WORK/candidates.pickle`` and writes ``src/antiphon/music/rhythm/judge.npz``. The state with the least loss on
the validation pieces is kept. It runs in one thread, for some minutes.
"""

import argparse
import pickle
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

import antiphon.music.rhythm as rhythm
from antiphon.music.rhythm.features import FEATURES, LAGS, LOCAL
from antiphon.music.rhythm.judge import WEIGHTS
from training.rhythm.candidates import Candidates, Grid

WIDTH, CHANNELS = 9, 16
EPOCHS, BATCH = 18, 32
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 3e-3
NOT_FELT_WEIGHT = 0.3
"""Weight of bar lines on beats that are not the felt ones, which the choice of beats leaves out mostly."""
HIDDEN_FEATURE_SHARE = 0.12
"""The share of features that a song lacks in training, as one without drums or bass does."""
BARE_SHARE = 0.06
"""The share of songs in training of whose beats one is like the other, as in a click track."""
COMPOUND = ((6, 8), (12, 8), (9, 8))
OUTPUTS = 3


class Network(nn.Module):
    """The same function as ``antiphon.music.rhythm.judge``."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(FEATURES, CHANNELS, WIDTH, padding="same")
        self.second = nn.Conv1d(CHANNELS, CHANNELS, WIDTH, padding="same")
        self.out = nn.Linear(CHANNELS, OUTPUTS)

    def forward(self, features: Tensor) -> Tensor:
        """(songs, beats, features) → (songs, beats, OUTPUTS)."""
        hidden = torch.relu(self.first(features.transpose(1, 2)))
        hidden = torch.dropout(hidden, 0.2, self.training)
        hidden = torch.relu(self.second(hidden)).transpose(1, 2)
        said: Tensor = self.out(torch.dropout(hidden, 0.2, self.training))
        return said


def loss_of(said: Tensor, grid: Grid, compound: bool) -> Tensor:
    """Cross entropy of one grid: of bar lines by beat, of the felt level and of compound time by the song's mean."""
    felt = torch.tensor(float(grid.felt))
    loss = 0.7 * cross_entropy(said[:, 1].mean(), felt)
    if grid.felt:
        loss = loss + 0.3 * cross_entropy(said[:, 2].mean(), torch.tensor(float(compound)))
    if grid.down is not None:
        weight = 1.0 if grid.felt else NOT_FELT_WEIGHT
        loss = loss + weight * cross_entropy(said[:, 0], torch.from_numpy(grid.down))
    return loss


def rows(pieces: list[Candidates]) -> list[tuple[Grid, bool]]:
    return [(grid, tuple(piece.known["meter"]) in COMPOUND) for piece in pieces for grid in piece.grids]


def train(found: dict[str, list[Candidates]]) -> dict[str, NDArray[np.float16]]:
    """Trains on ``found["train"]``; the weights that ``found["valid"]`` likes best."""
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    network = Network()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    taught, held = rows(found["train"]), rows(found["valid"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * (len(taught) // BATCH + 1))
    best, kept = np.inf, {}
    for epoch in range(EPOCHS):
        network.train()
        order = rng.permutation(len(taught))
        for first in range(0, len(order), BATCH):
            losses = torch.stack(
                _said_and_lost(network, [taught[place] for place in order[first : first + BATCH]], rng)
            )
            optimiser.zero_grad()
            losses.mean().backward()
            optimiser.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            lost = float(torch.stack(_said_and_lost(network, held, None)).mean())
        print(f"{epoch} {lost:.4f}", flush=True)
        if lost < best:
            best, kept = lost, _exported(network)
    return kept


def _said_and_lost(network: Network, some: list[tuple[Grid, bool]], rng: np.random.Generator | None) -> list[Tensor]:
    """The losses of grids, which go through the network together; ``rng`` hides features."""
    longest = max(len(grid.features) for grid, _ in some)
    batch = np.zeros((len(some), longest, FEATURES), np.float32)
    for row, (grid, _) in zip(batch, some, strict=True):
        row[: len(grid.features)] = grid.features
        if rng is not None:
            row[:, :LOCAL] *= rng.random(LOCAL) >= HIDDEN_FEATURE_SHARE
            if rng.random() < BARE_SHARE:
                row[:, : LOCAL + 2 * len(LAGS)] = 0.0
    said = network(torch.from_numpy(batch))
    return [
        loss_of(one[: len(grid.features)], grid, compound) for one, (grid, compound) in zip(said, some, strict=True)
    ]


def _exported(network: Network) -> dict[str, NDArray[np.float16]]:
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    kernels = {f"{layer}_kernel": state[f"{layer}.weight"].transpose(2, 1, 0) for layer in ("first", "second")}
    kernels["out_kernel"] = state["out.weight"].T
    kernels |= {f"{layer}_bias": state[f"{layer}.bias"] for layer in ("first", "second", "out")}
    return {name: np.ascontiguousarray(value).astype(np.float16) for name, value in kernels.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the judge of bars.")
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    torch.set_num_threads(1)
    weights = train(pickle.loads((work / "candidates.pickle").read_bytes()))
    np.savez(Path(rhythm.__file__).parent / WEIGHTS, allow_pickle=False, **weights)


if __name__ == "__main__":
    main()
