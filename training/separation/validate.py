"""How well the stems of the validation's mixes come out: of the network, in parts, and of the filters of today.

    python -m training.separation.validate WORK --name first

The measure is the signal-to-distortion ratio of the complex spectrogram over an excerpt of 22 s; a figure is the
median over the excerpts that have the stem. For what a stem holds where there is none of it: the energy of the wrong
stem relative to the mix, also a median.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from antiphon.music.separation.rhythm import BASS_HZ
from training.separation import errors
from training.separation.bands import ENERGY
from training.separation.components import BANDS, COMPONENTS, EDGES, GRID, SAMPLE_RATE, STEMS
from training.separation.material import Material, whole
from training.separation.stems import rhythm_shares

HEARD = 3e-3
"""Share of the mix's energy from which a stem counts as there."""
DRUMS, BASS, OTHER, VOCALS = range(4)
PERCUSSIVE, HARMONIC, VOICE = range(3)

Weigh = Callable[[Tensor], Tensor]
"""Statistics to weights (batch, frames, BANDS, COMPONENTS, STEMS)."""


def filters(statistics: Tensor) -> Tensor:
    """What the package does without a network: drums are what is percussive, bass the rest below 180 Hz."""
    weights = torch.zeros(*statistics.shape[:3], len(COMPONENTS), len(STEMS))
    low = torch.from_numpy(EDGES[:-1] * (SAMPLE_RATE / GRID.window) < BASS_HZ).float()
    weights[..., PERCUSSIVE, DRUMS] = 1
    weights[..., HARMONIC, BASS] = low
    weights[..., HARMONIC, OTHER] = 1 - low
    weights[..., VOICE, VOCALS] = 1
    return weights


def of_network(network: torch.nn.Module) -> Weigh:
    def weigh(statistics: Tensor) -> Tensor:
        weights: Tensor = torch.softmax(network(statistics[..., :ENERGY]).float(), dim=-1)
        return weights

    return weigh


def voice_kept(weights: Tensor) -> Tensor:
    """With Spleeter's voice as it is; what the network calls voice in the accompaniment belongs to ``other``."""
    kept = weights.clone()
    kept[..., VOICE, :] = 0
    kept[..., VOICE, VOCALS] = 1
    kept[..., :VOICE, OTHER] += kept[..., :VOICE, VOCALS]
    kept[..., :VOICE, VOCALS] = 0
    return kept


def as_in_package(statistics: Tensor, weights: Tensor) -> Tensor:
    """Drums and bass as the package makes them out of the network's answer."""
    kept = voice_kept(weights)
    known = statistics[0, ..., :ENERGY].numpy()
    rhythm = torch.from_numpy(rhythm_shares(known, weights[0].numpy()))
    kept[0, ..., :VOICE, DRUMS], kept[0, ..., :VOICE, BASS] = rhythm[..., 0], rhythm[..., 1]
    kept[0, ..., :VOICE, OTHER] = 1 - rhythm.sum(dim=-1)
    return kept


def judge(weigh: Weigh, paths: Sequence[Path]) -> dict[str, float]:
    """Medians: ``drums`` … ``vocals`` in dB, ``no_drums`` … ``no_vocals`` in dB of the mix."""
    ratios: dict[str, list[float]] = {}
    with torch.inference_mode():
        for path in paths:
            statistics = torch.from_numpy(whole(path))
            error, true, total = (
                values[0].double().numpy() for values in errors.energies(statistics, weigh(statistics))
            )
            for number, stem in enumerate(STEMS):
                there = true[number] > HEARD * total[0]
                ratio = (true[number] if there else error[number]) / (error[number] if there else total[0])
                ratios.setdefault(stem if there else f"no_{stem}", []).append(float(10 * np.log10(ratio + 1e-9)))
    return {name: round(float(np.median(values)), 2) for name, values in sorted(ratios.items())}


def main() -> None:
    from training.separation.export import averaged

    parser = argparse.ArgumentParser(description="Validate the separation network beside the filters.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="separation")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = Material(arguments.work / "valid").paths
    weigh = of_network(averaged(arguments.work / f"{arguments.name}.pt"))
    rows: dict[str, Weigh] = {
        "filters": filters,
        "network": weigh,
        "network, voice kept": lambda statistics: voice_kept(weigh(statistics)),
        "as in the package": lambda statistics: as_in_package(statistics, weigh(statistics)),
    }
    print(f"{len(paths)} excerpts, {BANDS} bands")
    for name, row in rows.items():
        print(name, judge(row, paths))


if __name__ == "__main__":
    main()
