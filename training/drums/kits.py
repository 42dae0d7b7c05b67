"""Puts kits together out of articulations, and invents electronic ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from training.drums.augment import equalised
from training.drums.patterns import Random
from training.drums.samples import KINDS, RATE, Articulation, Mono

BALANCE: Mapping[str, tuple[float, float]] = {
    "kick": (0.0, 4.0),
    "snare": (-1.0, 4.0),
    "closed": (-13.0, 6.0),
    "pedal": (-15.0, 5.0),
    "open": (-12.0, 5.0),
    "low": (-3.0, 4.0),
    "mid": (-3.0, 4.0),
    "high": (-4.0, 4.0),
    "crash": (-8.0, 5.0),
    "ride": (-13.0, 5.0),
    "other": (-9.0, 6.0),
}
"""Peak level in dB of each kind in a kit: mean and standard deviation."""
HATS = ("closed", "pedal", "open")


@dataclass(frozen=True, slots=True)
class Voice:
    """A drum as one kit has it: strokes from soft to hard, each peaking at 1, with the velocities 0–1 they stand for,
    and its ``gain``."""

    layers: tuple[Mono, ...]
    strengths: tuple[float, ...]
    gain: float

    def stroke(self, rng: Random, velocity: float) -> Mono:
        """The recording that fits ``velocity``, or a neighbour of it."""
        nearest = int(np.argmin([abs(strength - velocity) for strength in self.strengths]))
        nearest = min(max(nearest + int(rng.choice([-1, 0, 0, 0, 1])), 0), len(self.layers) - 1)
        return self.layers[nearest]


Kit = Mapping[str, Sequence[Voice]]


def assemble(rng: Random, bank: Sequence[Articulation]) -> Kit:
    """A kit for one piece: mostly the drums of one set, at times each from another, tuned and balanced at random."""
    sets = sorted({one.kit for one in bank if one.kind == "snare"})
    weights = np.array([len({one.kind for one in bank if one.kit == name}) ** 1.5 for name in sets])
    main = str(rng.choice(sets, p=weights / weights.sum()))
    own = rng.random() < 0.6
    tune = float(rng.normal(0, 0.06))
    kit: dict[str, list[Voice]] = {}
    for kind in KINDS:
        candidates = [one for one in bank if one.kind == kind]
        at_home = [one for one in candidates if one.kit == main]
        chosen = at_home if at_home and own else candidates
        gain = 10 ** (float(rng.normal(*BALANCE[kind])) / 20)
        count = 1 + int(rng.random() < (0.6 if kind in ("other", "crash") else 0.15))
        kit[kind] = [_voice(rng, kind, chosen, candidates, tune, gain) for _ in range(count)]
    return kit


def _voice(
    rng: Random, kind: str, chosen: Sequence[Articulation], others: Sequence[Articulation], tune: float, gain: float
) -> Voice:
    if kind in ("kick", "snare", "closed", "open", "low", "mid", "high") and rng.random() < 0.06:
        return Voice((synthetic(rng, kind),), (1.0,), gain)
    # Every set of samples as often as any other, however many sounds it has.
    sets = sorted({one.kit for one in chosen})
    name = sets[int(rng.integers(len(sets)))]
    pool = [one for one in chosen if one.kit == name]
    picked = pool[int(rng.integers(len(pool)))]
    spread = 0.14 if kind in ("low", "mid", "high", "snare") else 0.09
    ratio = float(np.exp(tune + rng.normal(0, spread)))
    layers = [_resampled(layer, ratio) for layer in picked.layers]
    if rng.random() < 0.15:
        layers = _blended(rng, layers, others[int(rng.integers(len(others)))].layers[-1])
    if rng.random() < 0.35:
        layers = [_damped(layer, float(np.exp(rng.uniform(np.log(0.04), np.log(0.8))))) for layer in layers]
    if rng.random() < 0.5:
        depth, seed = float(rng.uniform(2, 6)), int(rng.integers(2**31))
        layers = [equalised(np.random.default_rng(seed), layer, depth=depth) for layer in layers]
    return Voice(tuple(_peaked(layer) for layer in layers), picked.strengths, gain)


def _resampled(samples: Mono, ratio: float) -> Mono:
    """Higher and shorter by ``ratio``."""
    played: Mono = soxr.resample(samples, RATE * ratio, RATE, quality="LQ")
    return played


def _blended(rng: Random, layers: Sequence[Mono], other: Mono) -> list[Mono]:
    """Each layer with ``other`` under it."""
    share = np.float32(rng.uniform(0.1, 0.6))
    mixed = []
    for layer in layers:
        length = max(len(layer), len(other))
        mixed.append(np.pad(layer, (0, length - len(layer))) + share * np.pad(other, (0, length - len(other))))
    return mixed


def _damped(samples: Mono, seconds: float) -> Mono:
    """Fading faster, by a factor e each ``seconds``."""
    decay = np.exp(-np.arange(len(samples)) / (seconds * RATE))
    return (samples * decay).astype(np.float32)


def _peaked(samples: Mono) -> Mono:
    return (samples / max(float(np.abs(samples).max()), 1e-6)).astype(np.float32)


def synthetic(rng: Random, kind: str) -> Mono:
    """A drum machine's sound: a falling sine with a click, tuned noise, or a cluster of square waves."""
    seconds = {"kick": 0.5, "snare": 0.35, "closed": 0.12, "open": 0.6}.get(kind, 0.5)
    time = np.arange(round(seconds * RATE)) / RATE
    noise = rng.normal(0, 1, len(time))
    if kind in ("closed", "open"):
        partials = rng.uniform(2_000, 9_000, 6)
        metal = np.sign(np.sin(2 * np.pi * partials[:, None] * time)).sum(axis=0)
        sharp = np.diff(np.diff(metal * rng.uniform(0, 0.5) + noise * rng.uniform(0.3, 1.5), prepend=0), prepend=0)
        rate = rng.uniform(20, 90) if kind == "closed" else rng.uniform(4, 14)
        return _peaked((sharp * np.exp(-time * rate)).astype(np.float32))
    base = {"kick": (38, 70), "snare": (140, 240), "low": (60, 110), "mid": (100, 160), "high": (140, 240)}[kind]
    low = float(rng.uniform(*base))
    sweep = rng.uniform(0.5, 6) * (1 - np.exp(-time * rng.uniform(20, 120))) / rng.uniform(20, 60)
    body = np.sin(2 * np.pi * low * (time + sweep)) * np.exp(-time * rng.uniform(6, 25))
    rattle = noise * np.exp(-time * (rng.uniform(10, 30) if kind == "snare" else rng.uniform(80, 400)))
    share = rng.uniform(0.4, 2) if kind == "snare" else rng.uniform(0, 0.3)
    return _peaked((body + share * rattle).astype(np.float32))
