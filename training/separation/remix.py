"""Random mixes out of pieces: other balances, other sounds, parts of other pieces, and the way to a record.

Each mix is the exact sum of its four stems: what bends the mix, as a limiter does, is applied to them as a gain.
"""

from dataclasses import dataclass

import numpy as np
import soxr

from training.separation import effects
from training.separation.components import STEMS, Floats
from training.separation.effects import Random, gain
from training.separation.pieces import Part, Pool

BALANCE = {"drums": 2.5, "bass": 0.0, "other": 2.0, "vocals": 1.0}
"""Loudness in dB, where it sounds, around which a stem's loudness is drawn."""
CABINETS = {"bass": (50.0, 3500.0), "guitar": (90.0, 4500.0)}
_FULL_PARTS = 6
"""So many parts of ``other`` at most: more sound like none."""


@dataclass(frozen=True)
class Manner:
    """How far a mix may stray from the piece it is made of, which has amplifiers and rooms already; shares are
    probabilities."""

    foreign: float = 0.25
    """that a stem comes from another piece"""
    dropped: float = 0.1
    """that a stem is silent"""
    amplified: float = 0.15
    """that a bass or guitar goes through an overdriven amplifier"""
    looped: float = 0.08
    """that the drums are a recorded loop"""
    mono: float = 0.5
    balance: float = 4.0
    """standard deviation of a stem's loudness, dB"""
    colour: float = 3.0
    """standard deviation of the equalisers' bands, dB"""


TRAINING = Manner()
HARD = Manner(foreign=0.1, dropped=0.05, amplified=0.25, mono=0.5, balance=3.0, colour=4.0)
"""For validation: balances as they are published, sounds that are harder to tell apart than in the training."""


def remix(rng: Random, pool: Pool, length: int, manner: Manner) -> dict[str, Floats]:
    """The stems of a mix of ``length`` samples, (length, 2) each."""
    pitch = float(rng.normal(0, 0.35) if rng.random() < 0.5 else rng.uniform(-3, 3))
    needed = round(length * 2 ** (pitch / 12)) + 64
    base = pool.draw()
    start = int(rng.integers(max(base.length - needed // 2, 1)))
    stems = {}
    for name in STEMS:
        piece, first = base, start
        if rng.random() < manner.foreign:
            piece = pool.draw()
            first = int(rng.integers(max(piece.length - needed // 2, 1)))
        silent = rng.random() < manner.dropped * (2 if name == "vocals" else 1)
        looped = name == "drums" and pool.loops and rng.random() < manner.looped
        parts = [] if silent else [pool.draw_loop()] if looped else piece.of(name)
        stems[name] = _stem(rng, parts, first, needed, manner)
        if parts:
            stems[name] *= gain(BALANCE[name] + rng.normal(0, manner.balance))
    if rng.random() < manner.mono:
        stems = {name: effects.narrowed(sound, 0.0) for name, sound in stems.items()}
    return _mastered(rng, _tuned(stems, needed, length), manner)


def _stem(rng: Random, parts: list[Part], start: int, length: int, manner: Manner) -> Floats:
    """``parts`` through effects, together at a loudness of −20 dB where all of them sound."""
    total = np.zeros((length, 2), np.float32)
    kept = [part for part in parts if part.loudness and rng.random() < 0.85] or [p for p in parts if p.loudness][:1]
    if len(kept) > _FULL_PARTS:
        kept = [kept[int(number)] for number in rng.choice(len(kept), _FULL_PARTS, replace=False)]
    power = 0.0
    for part in kept:
        level = gain(rng.normal(0, 3))
        power += float(level * part.loudness) ** 2
        sound = part.window(start, length)
        if float(np.abs(sound).max()) > 1e-4:
            total += level * _produced(rng, part.family, sound, manner)
    if not total.any():
        return total
    sound = total * np.float32(0.1 / (np.sqrt(power) + 1e-9))
    if rng.random() < 0.3:
        sound = sound * effects.compression(rng, sound, depth=rng.uniform(3, 14))
    return sound


def _produced(rng: Random, family: str, sound: Floats, manner: Manner) -> Floats:
    """One part as it would be recorded, about as loud as before."""
    loudness = effects.rms(sound)
    if family in CABINETS and rng.random() < manner.amplified:
        sound = effects.amplified(rng, sound, cabinet=CABINETS[family])
    elif family in ("drums", "synth", "keyboard", "organ") and rng.random() < 0.12:
        sound = sound * effects.saturation(sound, effects.log_uniform(rng, 1, 8))
    if rng.random() < 0.7:
        lowest = float(rng.choice([0.0, effects.log_uniform(rng, 30, 150)])) if family != "bass" else 0.0
        sound = effects.shaped(sound, effects.equaliser(rng, manner.colour), lowest=lowest)
    if rng.random() < 0.25:
        sound = sound * effects.compression(rng, sound, depth=rng.uniform(4, 18))
    if rng.random() < 0.15:
        sound = effects.in_a_room(rng, sound)
    if rng.random() < 0.5 and family not in ("drums", "bass", "voice"):
        sound = effects.panned(sound, float(rng.uniform(-1, 1)))
    return sound * np.float32(min(loudness / effects.rms(sound), 30.0))


def _tuned(stems: dict[str, Floats], length: int, wanted: int) -> dict[str, Floats]:
    """All stems slower or faster, lower or higher together, so that ``length`` samples become ``wanted``."""
    together = np.concatenate([stems[name] for name in STEMS], axis=1)
    changed = soxr.resample(together, length, wanted, quality="MQ")[:wanted]
    changed = np.pad(changed, ((0, wanted - len(changed)), (0, 0)))
    return {name: np.ascontiguousarray(changed[:, 2 * i : 2 * i + 2]) for i, name in enumerate(STEMS)}


def _mastered(rng: Random, stems: dict[str, Floats], manner: Manner) -> dict[str, Floats]:
    """With the equaliser, compressor, tape, limiter, codec and level of a record."""
    if rng.random() < 0.25:
        mix = _sum(stems)
        noise = effects.shaped(rng.standard_normal(mix.shape, np.float32), effects.equaliser(rng, 6))
        if not np.any(mix[:, 0] - mix[:, 1]):
            noise = effects.narrowed(noise, 0.0)
        stems["other"] = stems["other"] + noise * (gain(rng.uniform(-75, -40)) * effects.rms(mix) / effects.rms(noise))
    if rng.random() < 0.6:
        curve = effects.equaliser(rng, manner.colour / 2)
        highest = effects.log_uniform(rng, 6_000, 18_000) if rng.random() < 0.4 else 0.0
        stems = {name: effects.shaped(sound, curve, highest=highest) for name, sound in stems.items()}
    if rng.random() < 0.5:
        stems = _scaled(stems, effects.compression(rng, _sum(stems), depth=rng.uniform(2, 10)))
    if rng.random() < 0.4:
        stems = _scaled(stems, effects.saturation(_sum(stems), effects.log_uniform(rng, 0.7, 4)))
    peak = float(np.abs(_sum(stems)).max()) + 1e-6
    level = rng.uniform(-50, -12) if rng.random() < 0.15 else rng.uniform(-12, 0)
    return _scaled(stems, gain(level) / np.float32(peak))


def _sum(stems: dict[str, Floats]) -> Floats:
    return np.asarray(sum(stems.values()), np.float32)


def _scaled(stems: dict[str, Floats], by: Floats | np.float32) -> dict[str, Floats]:
    return {name: sound * by for name, sound in stems.items()}
