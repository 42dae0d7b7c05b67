"""Learns what chords and keys sound like.

    python -m training.harmony.train WORK

reads ``WORK/<train|valid>/*.npz`` as ``training.rhythm.prepare`` wrote them, writes
``src/antiphon/music/harmony/templates.npz``, and says how often chords and keys of the validation pieces are right.
"""

import argparse
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import antiphon.music.harmony as harmony
from antiphon.music.harmony.chords import states
from antiphon.music.harmony.key import SHARPS, keys
from antiphon.music.harmony.templates import (
    KEY_FEATURES,
    NONE_FEATURES,
    QUALITIES,
    STATES,
    WEIGHTS,
    ToneTemplates,
    chord_scores,
    key_features,
    none_features,
    templates,
    unit_chroma,
)
from antiphon.music.rhythm.features import by_beat
from antiphon.music.rhythm.listening import PITCH_HOP, PITCH_WINDOW
from antiphon.music.rhythm.onsets import SAMPLE_RATE
from antiphon.music.signal.pitchbands import CHROMA, chroma, pitch_power, tones

STEPS, LEARNING_RATE = 600, 0.05
WEIGHT_DECAY = 1e-4
KEY_WEIGHT_DECAY = 3e-4
OF_SUFFIX = {"": "", "maj7": "", "maj9": "", "6": "", "m": "m", "m7": "m", "m9": "m", "mM7": "m", "7": "7", "9": "7"}
"""Our quality for each of the material's; chords of others (fifths, suspensions, diminished ones) teach nothing."""
NOISE_S = 60
MIN_SOUNDING_SHARE = 0.1
"""The least share of a beat in which a tone sounds, for it to have a chord."""
ROOTS = {name: order for order, name in enumerate(SHARPS)} | {"Db": 1, "Eb": 3, "Gb": 6, "Ab": 8, "Bb": 10}
Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """Of each beat the chroma and the state, -1 where none of ours is true; ``key`` by mode and tonic."""

    name: str
    known: dict[str, Any]
    borders: Rows
    harmony: Rows
    states: NDArray[np.intp]
    key: int


def state_of(symbol: str) -> int:
    """The state of a chord's symbol, -1 if it is none of ours."""
    found = re.fullmatch(r"([A-G][#b]?)([^/]*)(/.*)?", symbol)
    quality = OF_SUFFIX.get(found[2]) if found else None
    return -1 if quality is None or not found else QUALITIES.index(quality) * 12 + ROOTS[found[1]]


def read(path: Path) -> Piece:
    body = np.load(path)
    known = json.loads(str(body["known"]))
    heard = tones((10 ** (body["pitches"].astype(np.float32) / 10)).astype(np.float32))
    found = np.concatenate([chroma(heard), heard.level[:, None]], axis=1)
    beats = np.array([time for time, _ in known["beats"]])
    # Time before the first beat and after the last, in which nothing plays.
    borders = np.append(beats, 2 * beats[-1] - beats[-2])
    harmony = by_beat(beats, found)
    starts = np.array([time for time, _ in known["chords"]])
    names = [state_of(name) for _, name in known["chords"]]
    at = np.searchsorted(starts, beats + 0.02) - 1
    wanted = np.array([names[max(place, 0)] for place in at])
    played = np.concatenate(
        [body[f"notes_{stem}"] for stem in ("bass", "other", "vocal") if f"notes_{stem}" in body] or [np.zeros((0, 4))]
    )
    for order, (start, end) in enumerate(pairwise(borders)):
        sounding = np.clip(np.minimum(played[:, 1], end) - np.maximum(played[:, 0], start), 0, None).sum()
        if sounding < MIN_SOUNDING_SHARE * (end - start):
            wanted[order] = STATES - 1
    tonic, mode = known["key"].split()
    return Piece(path.stem, known, borders, harmony, wanted, 12 * (mode == "minor") + ROOTS[tonic])


def quiet(count: int) -> Rows:
    """(count, CHROMA + 1) of what is left where nothing plays."""
    rng = np.random.default_rng(0)
    found = np.abs(rng.normal(0, 1, (count, CHROMA + 1))) * rng.uniform(0, 0.3, (count, 1))
    found[:, -1] = rng.uniform(-60, -12, count)
    return found


def noise(count: int) -> Rows:
    """(count, CHROMA + 1) of beats of white to brown noise."""
    rng = np.random.default_rng(1)
    rows: list[Rows] = []
    while sum(map(len, rows)) < count:
        spectrum = np.fft.rfft(rng.normal(0, 0.1, NOISE_S * SAMPLE_RATE))
        spectrum /= np.maximum(np.arange(len(spectrum)), 500.0) ** rng.uniform(0, 1)
        power = pitch_power(SAMPLE_RATE, PITCH_WINDOW, PITCH_HOP).push(np.fft.irfft(spectrum).astype(np.float32))
        heard = tones(power)
        rows.append(
            by_beat(
                np.arange(0, NOISE_S, rng.uniform(0.3, 1.2)),
                np.concatenate([chroma(heard), heard.level[:, None]], axis=1),
            )
        )
    return np.concatenate(rows)[:count]


def learn_chords(pieces: list[Piece]) -> dict[str, Rows]:
    """Softmax regression over all roots at once."""
    found = np.concatenate([piece.harmony for piece in pieces])
    wanted = np.concatenate([piece.states for piece in pieces])
    # The material has little silence and no noise.
    hiss = np.concatenate([quiet(len(found) // 60), noise(len(found) // 30)])
    found, wanted = np.concatenate([found, hiss]), np.append(wanted, np.full(len(hiss), STATES - 1))
    found, wanted = found[wanted >= 0], wanted[wanted >= 0]
    unit = torch.tensor(unit_chroma(found))
    none = torch.tensor(none_features(found))
    weights = [
        torch.zeros(len(QUALITIES), CHROMA, dtype=torch.float64),
        torch.zeros(len(QUALITIES), dtype=torch.float64),
        torch.zeros(NONE_FEATURES, dtype=torch.float64),
    ]

    def scores() -> Tensor:
        return torch.cat(
            [_all_roots(unit, weights[0]) + weights[1].repeat_interleave(12), none @ weights[2][:, None]], dim=1
        )

    _fit(scores, weights, torch.tensor(wanted), WEIGHT_DECAY)
    return {
        "chords": weights[0].detach().numpy(),
        "chord_biases": weights[1].detach().numpy(),
        "none": weights[2].detach().numpy(),
    }


def learn_keys(pieces: list[Piece], chord_weights: ToneTemplates) -> dict[str, Rows]:
    rows = []
    for piece in pieces:
        found = chord_scores(piece.harmony, chord_weights)
        likely = np.exp(found - found.max(axis=1, keepdims=True))
        rows.append(key_features(piece.harmony, likely / likely.sum(axis=1, keepdims=True)).mean(axis=0))
    features = torch.tensor(np.array(rows))
    weights = [torch.zeros(2, KEY_FEATURES, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)]
    _fit(
        lambda: _all_roots(features, weights[0]) + weights[1].repeat_interleave(12),
        weights,
        torch.tensor([piece.key for piece in pieces]),
        KEY_WEIGHT_DECAY,
    )
    return {"keys": weights[0].detach().numpy(), "key_biases": weights[1].detach().numpy()}


def _all_roots(features: Tensor, kernels: Tensor) -> Tensor:
    """(rows, kernels * 12): each kernel on each root."""
    rolls = [
        torch.roll(kernels.reshape(len(kernels), -1, 12), root, dims=2).reshape(len(kernels), -1) for root in range(12)
    ]
    return torch.einsum("nf,rkf->nkr", features, torch.stack(rolls)).reshape(len(features), -1)


def _fit(scores: Any, weights: list[Tensor], wanted: Tensor, decay: float) -> None:
    for weight in weights:
        weight.requires_grad_()
    optimiser = torch.optim.LBFGS(weights, lr=1.0, max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(scores(), wanted) + decay * sum(
            weight.square().sum() for weight in weights
        )
        loss.backward()
        return loss

    optimiser.step(closure)


def agreement(pieces: list[Piece]) -> tuple[float, float, float]:
    """The shares of beats whose root and mode are right, of those without a chord that are heard so, and of keys."""
    right = total = none_right = none = key_right = 0
    for piece in pieces:
        found = states(piece.harmony)
        known = (piece.states >= 0) & (piece.states < STATES - 1)
        right += int((_majmin(found[known]) == _majmin(piece.states[known])).sum())
        total += int(known.sum())
        silent = piece.states == STATES - 1
        none_right, none = none_right + int((found[silent] == STATES - 1).sum()), none + int(silent.sum())
        named = keys(piece.borders, piece.harmony, range(len(piece.harmony)))
        key_right += bool(named) and 12 * (named[0].mode == "minor") + named[0].tonic == piece.key
    return right / total, none_right / max(none, 1), key_right / len(pieces)


def _majmin(found: NDArray[np.intp]) -> NDArray[np.intp]:
    """Sevenths count as major chords."""
    return np.where((found >= 24) & (found < STATES - 1), found - 24, found)


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn what chords and keys sound like.")
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    torch.set_num_threads(1)
    pieces = {split: [read(path) for path in sorted((work / split).glob("*[0-9].npz"))] for split in ("train", "valid")}
    found = learn_chords(pieces["train"])
    partial = ToneTemplates(**found, keys=np.zeros((2, KEY_FEATURES)), key_biases=np.zeros(2))
    found |= learn_keys(pieces["train"], partial)
    rounded = {name: value.astype(np.float16) for name, value in found.items()}
    np.savez(Path(harmony.__file__).parent / WEIGHTS, allow_pickle=False, **rounded)
    templates.cache_clear()
    for split, some in pieces.items():
        chords, none, key = agreement(some)
        print(f"{split}: {len(some)} pieces, chords {chords:.3f}, none {none:.3f}, keys {key:.3f}")


if __name__ == "__main__":
    main()
