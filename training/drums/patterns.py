"""Invents what a drummer plays: bars of many styles, with fills, ghost notes, flams and loose timing.

A bar is a grid of steps; a style says how probable each drum is on each step. Nothing here is taken from recordings.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

Random = np.random.Generator


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A stroke at ``time`` seconds on a drum of ``samples.KINDS`` with ``velocity`` 0–1."""

    time: float
    kind: str
    velocity: float


@dataclass(frozen=True, slots=True)
class Feel:
    """How a piece is played: ``beats`` in a bar, ``steps`` in a beat, ``swing`` as the delay of every second step
    in steps, the deviation ``loose`` of each stroke in seconds, and how much strokes differ in strength."""

    tempo: float
    beats: int
    steps: int
    swing: float
    loose: float
    uneven: float

    @property
    def step(self) -> float:
        return 60 / self.tempo / self.steps

    @property
    def length(self) -> int:
        return self.beats * self.steps


Bar = dict[tuple[int, str], float]
"""Velocity by step and kind."""


def _hands(bar: Bar, kind: str, feel: Feel, every: int, strong: float, weak: float, *, start: int = 0) -> None:
    """A cymbal kept going every ``every`` steps, accented on the beats."""
    for step in range(start, feel.length, every):
        bar[step, kind] = strong if step % feel.steps == 0 else weak


def _scatter(rng: Random, bar: Bar, kind: str, chances: dict[int, float], velocity: float) -> None:
    for step, chance in chances.items():
        if rng.random() < chance:
            bar[step, kind] = velocity * rng.uniform(0.85, 1)


def _backbeat(rng: Random, bar: Bar, feel: Feel, kind: str = "snare", *, half: bool = False) -> None:
    beats = range(2, feel.beats, 4) if half else range(1, feel.beats, 2)
    for beat in beats:
        bar[beat * feel.steps, kind] = rng.uniform(0.85, 1)


def rock(rng: Random, feel: Feel) -> Bar:
    """Straight eighths, backbeat, kicks between."""
    bar: Bar = {}
    hand = rng.choice(["closed", "closed", "closed", "open", "ride", "crash"])
    every = max(int(rng.choice([1, 2, 2, 2, 4])) * feel.steps // 4, 1)
    _hands(bar, str(hand), feel, every, rng.uniform(0.6, 1), rng.uniform(0.3, 0.9))
    _backbeat(rng, bar, feel, half=bool(rng.random() < 0.1))
    bar[0, "kick"] = 0.95
    busy = rng.uniform(0.05, 0.5)
    even = {step: busy if step % max(feel.steps // 2, 1) == 0 else busy * 0.4 for step in range(1, feel.length)}
    _scatter(rng, bar, "kick", even, 0.9)
    if rng.random() < 0.4:
        ghosts = {step: rng.uniform(0, 0.35) for step in range(feel.length) if (step, "snare") not in bar}
        _scatter(rng, bar, "snare", ghosts, rng.uniform(0.15, 0.4))
    if hand == "closed" and rng.random() < 0.35:
        step = int(rng.integers(feel.length // max(every, 1))) * every
        bar.pop((step, "closed"), None)
        bar[step, "open"] = rng.uniform(0.6, 1)
    return bar


def sixteenths(rng: Random, feel: Feel) -> Bar:
    """Funk and disco: busy hats, ghost notes, syncopated kicks."""
    bar: Bar = {}
    for step in range(feel.length):
        if rng.random() < 0.93:
            bar[step, "closed"] = rng.uniform(0.6, 1) if step % feel.steps == 0 else rng.uniform(0.2, 0.7)
    _backbeat(rng, bar, feel)
    bar[0, "kick"] = 1.0
    _scatter(rng, bar, "kick", {step: rng.uniform(0, 0.5) for step in range(feel.length)}, 0.85)
    _scatter(rng, bar, "snare", {step: rng.uniform(0, 0.4) for step in range(feel.length)}, rng.uniform(0.15, 0.4))
    _backbeat(rng, bar, feel)
    for step in rng.choice(feel.length, int(rng.integers(0, 4)), replace=False).tolist():
        bar.pop((step, "closed"), None)
        bar[step, "open"] = rng.uniform(0.5, 1)
    return bar


def four_on_the_floor(rng: Random, feel: Feel) -> Bar:
    """House, techno, disco: kick on each beat, open hats between."""
    bar: Bar = {(beat * feel.steps, "kick"): rng.uniform(0.9, 1) for beat in range(feel.beats)}
    between = max(feel.steps // 2, 1)
    for beat in range(feel.beats):
        bar[min(beat * feel.steps + between, feel.length - 1), "open"] = rng.uniform(0.6, 1)
    if rng.random() < 0.6:
        for step in range(feel.length):
            if (step, "open") not in bar and rng.random() < 0.8:
                bar[step, "closed"] = rng.uniform(0.3, 0.9)
    if rng.random() < 0.8:
        _backbeat(rng, bar, feel, str(rng.choice(["snare", "snare", "other"])))
    return bar


def swing(rng: Random, feel: Feel) -> Bar:
    """Jazz: ride pattern, pedalled hats on two and four, comping."""
    bar: Bar = {}
    hand = str(rng.choice(["ride", "ride", "ride", "closed", "open"]))
    last = feel.steps - 1
    for beat in range(feel.beats):
        bar[beat * feel.steps, hand] = rng.uniform(0.6, 1)
        if beat % 2 == 1 or rng.random() < 0.15:
            bar[beat * feel.steps + last, hand] = rng.uniform(0.4, 0.8)
        if beat % 2 == 1 and hand == "ride" and rng.random() < 0.85:
            bar[beat * feel.steps, "pedal"] = rng.uniform(0.4, 0.9)
    _scatter(rng, bar, "snare", {step: rng.uniform(0, 0.35) for step in range(feel.length)}, rng.uniform(0.2, 0.8))
    _scatter(rng, bar, "kick", {step: rng.uniform(0, 0.3) for step in range(feel.length)}, rng.uniform(0.3, 0.9))
    if rng.random() < 0.35:
        for beat in range(feel.beats):
            bar[beat * feel.steps, "kick"] = rng.uniform(0.2, 0.6)
    if rng.random() < 0.3:
        _backbeat(rng, bar, feel)
    return bar


def shuffle(rng: Random, feel: Feel) -> Bar:
    """Blues: triplets with the middle left out, or all of them in twelve eight."""
    bar: Bar = {}
    hand = str(rng.choice(["closed", "closed", "ride", "open"]))
    full = rng.random() < 0.25
    for beat in range(feel.beats):
        for part in range(feel.steps):
            if part in (0, feel.steps - 1) or full:
                bar[beat * feel.steps + part, hand] = rng.uniform(0.7, 1) if part == 0 else rng.uniform(0.3, 0.8)
        if rng.random() < 0.7:
            bar[beat * feel.steps, "kick"] = rng.uniform(0.7, 1)
    _scatter(rng, bar, "kick", dict.fromkeys(range(feel.length), 0.12), 0.8)
    if rng.random() < 0.3:
        _scatter(rng, bar, "snare", dict.fromkeys(range(feel.length), 0.5), 0.3)
    _backbeat(rng, bar, feel)
    return bar


def latin(rng: Random, feel: Feel) -> Bar:
    """Bossa and the like: even hats or ride, dotted kicks, cross-stick or snare in a clave."""
    bar: Bar = {}
    hand = str(rng.choice(["closed", "ride", "other"]))
    _hands(bar, hand, feel, max(feel.steps // 2, 1), 0.8, rng.uniform(0.4, 0.8))
    for beat in range(feel.beats):
        if beat % 2 == 0:
            bar[beat * feel.steps, "kick"] = rng.uniform(0.6, 0.9)
        if beat % 2 == 1 and feel.steps > 1:
            bar[beat * feel.steps + feel.steps - 1, "kick"] = rng.uniform(0.5, 0.8)
            bar[beat * feel.steps, "pedal"] = rng.uniform(0.4, 0.8)
    voice = str(rng.choice(["other", "snare", "high", "mid"]))
    _scatter(rng, bar, voice, dict.fromkeys(range(0, feel.length), 0.3), 0.8)
    return bar


def metal(rng: Random, feel: Feel) -> Bar:
    """Double kick, blast beats, cymbals on the beat."""
    bar: Bar = {}
    run = rng.uniform(0.5, 1)
    _scatter(rng, bar, "kick", dict.fromkeys(range(feel.length), run), 0.95)
    hand = str(rng.choice(["crash", "ride", "open", "closed"]))
    _hands(bar, hand, feel, int(rng.choice([feel.steps, max(feel.steps // 2, 1)])), 0.9, 0.8)
    if rng.random() < 0.25:
        _hands(bar, "snare", feel, max(feel.steps // 2, 1), 0.9, 0.85, start=feel.steps // 2)
    else:
        _backbeat(rng, bar, feel)
    return bar


def ballad(rng: Random, feel: Feel) -> Bar:
    """Little: few kicks, cross-stick or snare, soft hats; or hardly anything."""
    bar: Bar = {}
    if rng.random() < 0.85:
        _hands(bar, str(rng.choice(["closed", "ride"])), feel, max(feel.steps // 2, 1), 0.6, rng.uniform(0.2, 0.5))
    _backbeat(rng, bar, feel, str(rng.choice(["snare", "snare", "other"])), half=bool(rng.random() < 0.5))
    bar[0, "kick"] = 0.8
    _scatter(rng, bar, "kick", dict.fromkeys(range(1, feel.length), 0.1), 0.7)
    return bar


def tribal(rng: Random, feel: Feel) -> Bar:
    """Toms instead of a cymbal."""
    bar: Bar = {}
    for step in range(feel.length):
        if rng.random() < 0.55:
            bar[step, str(rng.choice(["low", "low", "mid", "high"]))] = rng.uniform(0.4, 1)
    if rng.random() < 0.6:
        _hands(bar, "pedal", feel, feel.steps, 0.6, 0.6)
    _backbeat(rng, bar, feel)
    bar[0, "kick"] = 0.9
    _scatter(rng, bar, "kick", dict.fromkeys(range(feel.length), 0.2), 0.9)
    return bar


def brushed(rng: Random, feel: Feel) -> Bar:
    """Quiet snare strokes on every step or two, as a train beat."""
    bar: Bar = {}
    for step in range(feel.length):
        if rng.random() < 0.9:
            bar[step, "snare"] = (
                rng.uniform(0.7, 0.95) if step % (2 * feel.steps) == feel.steps else rng.uniform(0.15, 0.5)
            )
    for beat in range(feel.beats):
        if rng.random() < 0.7:
            bar[beat * feel.steps, "kick"] = rng.uniform(0.5, 0.9)
        if beat % 2 == 1 and rng.random() < 0.6:
            bar[beat * feel.steps, "pedal"] = rng.uniform(0.4, 0.8)
    return bar


def chaos(rng: Random, feel: Feel) -> Bar:
    """Anything anywhere, so that the network does not learn to expect."""
    bar: Bar = {}
    kinds = ["kick", "snare", "closed", "pedal", "open", "low", "mid", "high", "crash", "ride", "other"]
    weights = rng.dirichlet(np.full(len(kinds), 0.7))
    for step in range(feel.length):
        for kind in rng.choice(kinds, int(rng.choice([0, 1, 1, 2, 3])), p=weights).tolist():
            bar[step, kind] = rng.uniform(0.2, 1)
    return bar


Style = Callable[[Random, Feel], Bar]
STRAIGHT: tuple[Style, ...] = (
    rock,
    rock,
    rock,
    rock,
    sixteenths,
    sixteenths,
    four_on_the_floor,
    latin,
    metal,
    ballad,
    tribal,
    brushed,
    chaos,
)
TRIPLET: tuple[Style, ...] = (swing, swing, swing, shuffle, shuffle, rock, ballad, tribal, chaos)


def fill(rng: Random, feel: Feel, bar: Bar) -> Bar:
    """``bar`` with its end replaced by a run over snare and toms."""
    start = feel.length - int(rng.integers(1, max(feel.length // 2, 2)))
    kept = {at: velocity for at, velocity in bar.items() if at[0] < start}
    path = _path(rng)
    steps = range(start, feel.length)
    for order, step in enumerate(steps):
        kind = path[order * len(path) // len(steps)]
        if rng.random() < 0.85:
            kept[step, kind] = rng.uniform(0.55, 1)
        if rng.random() < 0.2:
            kept[step, "kick"] = rng.uniform(0.6, 1)
    return kept


def _path(rng: Random) -> list[str]:
    paths = (
        ["snare"],
        ["snare", "high", "mid", "low"],
        ["high", "mid", "low"],
        ["low"],
        ["snare", "low"],
        ["high", "snare", "low"],
    )
    return paths[int(rng.integers(len(paths)))]


def piece(rng: Random, seconds: float, *, tempo: float | None = None, chance: bool = True) -> list[Hit]:
    """About ``seconds`` of drumming in one style, in order of time. ``chance`` allows for strokes by pure chance."""
    feel = _feel(rng, tempo)
    styles = [style for style in (TRIPLET if feel.steps == 3 else STRAIGHT) if chance or style is not chaos]
    style = styles[int(rng.integers(len(styles)))]
    verse, chorus = style(rng, feel), style(rng, feel)
    hits: list[Hit] = []
    at, number, crash = 0.0, 0, False
    while at < seconds:
        bar = verse if number // 4 % 2 == 0 else chorus
        if rng.random() < 0.2:
            bar = style(rng, feel)
        filled = rng.random() < (0.5 if number % 4 == 3 else 0.05)
        bar = fill(rng, feel, bar) if filled else bar
        if crash and rng.random() < 0.7:
            bar = {place: velocity for place, velocity in bar.items() if place not in ((0, "closed"), (0, "ride"))}
            bar[0, "crash"] = rng.uniform(0.7, 1)
            bar[0, "kick"] = rng.uniform(0.8, 1)
        crash = filled or (number % 8 == 7 and rng.random() < 0.5)
        hits += _played(rng, feel, bar, at)
        at += feel.length * feel.step
        number += 1
    return sorted(hit for hit in hits if 0 <= hit.time < seconds)


def _feel(rng: Random, tempo: float | None) -> Feel:
    steps = int(rng.choice([4, 4, 4, 3, 3, 2]))
    tempo = tempo or float(np.exp(rng.uniform(np.log(60), np.log(200))))
    if steps == 4 and tempo > 150 and rng.random() < 0.6:
        steps = 2
    return Feel(
        tempo=tempo,
        beats=int(rng.choice([4, 4, 4, 4, 4, 3, 5, 6, 7])),
        steps=steps,
        swing=float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0.05, 0.35)])) if steps != 3 else 0.0,
        loose=float(rng.uniform(0.001, 0.014)),
        uneven=float(rng.uniform(0.02, 0.15)),
    )


def _played(rng: Random, feel: Feel, bar: Bar, start: float) -> list[Hit]:
    """The strokes of one bar as a person would play them."""
    hits = []
    for (step, kind), velocity in bar.items():
        late = feel.swing * feel.step if step % 2 == 1 else 0.0
        time = start + step * feel.step + late + float(rng.normal(0, feel.loose))
        velocity = min(max(velocity + float(rng.normal(0, feel.uneven)), 0.1), 1.0)
        hit = Hit(time, kind, velocity)
        hits.append(hit)
        if kind in ("snare", "low", "mid") and rng.random() < 0.02:
            hits.append(replace(hit, time=time - rng.uniform(0.02, 0.04), velocity=velocity * rng.uniform(0.3, 0.7)))
        if kind in ("snare", "kick", "closed", "low") and rng.random() < 0.01:
            apart = rng.uniform(0.06, 0.12)
            softer = velocity * rng.uniform(0.3, 0.9)
            hits += [
                replace(hit, time=time - apart * order, velocity=softer) for order in range(1, int(rng.integers(2, 5)))
            ]
    return hits
