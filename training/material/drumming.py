"""What the drummer and the percussionist play: bars of General MIDI keys."""

from collections.abc import Callable, Mapping

from training.drums import patterns
from training.drums.patterns import Feel
from training.material.theory import Random

KEYS: Mapping[str, tuple[int, ...]] = {
    "kick": (36,),
    "snare": (38,),
    "closed": (42,),
    "pedal": (44,),
    "open": (46,),
    "low": (43, 41),
    "mid": (47, 45),
    "high": (50, 48),
    "crash": (49, 57),
    "ride": (51,),
    "other": (37, 39, 56, 54),
}
Hits = dict[tuple[int, int], float]
"""Velocity by step and key."""


def punk(rng: Random, feel: Feel) -> patterns.Bar:
    """Snare between all kicks, as fast as it goes."""
    bar: patterns.Bar = {}
    hand = str(rng.choice(["closed", "open", "ride", "crash"]))
    half = max(feel.steps // 2, 1)
    for step in range(0, feel.length, half):
        bar[step, hand] = float(rng.uniform(0.75, 1))
    for beat in range(feel.beats):
        fast = feel.steps > 1 and rng.random() < 0.9
        bar[beat * feel.steps, "kick"] = 0.95
        bar[beat * feel.steps + (half if fast else 0), "snare"] = float(rng.uniform(0.85, 1))
    return bar


def one_drop(rng: Random, feel: Feel) -> patterns.Bar:
    """Kick and stick together on the third beat, or steppers."""
    bar: patterns.Bar = {}
    for step in range(0, feel.length, max(feel.steps // 2, 1)):
        bar[step, "closed"] = float(rng.uniform(0.3, 0.8))
    steppers = rng.random() < 0.3
    for beat in range(feel.beats):
        if steppers or beat % 4 == 2:
            bar[beat * feel.steps, "kick"] = 0.9
        if beat % 4 == 2:
            bar[beat * feel.steps, "snare" if rng.random() < 0.5 else "other"] = 0.85
    return bar


def breakbeat(rng: Random, feel: Feel) -> patterns.Bar:
    bar: patterns.Bar = {(0, "kick"): 1.0}
    for beat in range(1, feel.beats, 2):
        bar[beat * feel.steps, "snare"] = float(rng.uniform(0.9, 1))
    for step in range(0, feel.length, max(feel.steps // 2, 1)):
        bar[step, "closed" if rng.random() < 0.85 else "open"] = float(rng.uniform(0.5, 0.9))
    half = feel.length // 2
    for step, chance in ((2, 0.3), (half + 2, 0.8), (half + 3, 0.2), (half - 1, 0.2), (7, 0.2), (10, 0.5)):
        if step < feel.length and rng.random() < chance:
            bar[step, "kick"] = float(rng.uniform(0.8, 1))
    for step in range(feel.length):
        if (step, "snare") not in bar and rng.random() < 0.15:
            bar[step, "snare"] = float(rng.uniform(0.15, 0.45))
    return bar


def boom_bap(rng: Random, feel: Feel) -> patterns.Bar:
    bar: patterns.Bar = {(0, "kick"): 1.0}
    for beat in range(1, feel.beats, 2):
        bar[beat * feel.steps, "snare" if rng.random() < 0.85 else "other"] = float(rng.uniform(0.85, 1))
    for step in range(0, feel.length, max(feel.steps // 2, 1)):
        if rng.random() < 0.9:
            bar[step, "closed"] = float(rng.uniform(0.4, 0.9))
    for step in range(1, feel.length):
        if rng.random() < 0.14:
            bar[step, "kick"] = float(rng.uniform(0.7, 1))
    return bar


def trap(rng: Random, feel: Feel) -> patterns.Bar:
    """Half time, hats in rolls."""
    bar: patterns.Bar = {(0, "kick"): 1.0, (feel.length // 2, "snare"): 0.95}
    if rng.random() < 0.5:
        bar[feel.length // 2, "other"] = 0.9
    for step in range(feel.length):
        if step % max(feel.steps // 2, 1) == 0 or rng.random() < 0.3:
            bar[step, "closed"] = float(rng.uniform(0.4, 0.9))
        if step and rng.random() < 0.12:
            bar[step, "kick"] = float(rng.uniform(0.8, 1))
    if rng.random() < 0.4:
        bar[int(rng.integers(feel.length)), "open"] = 0.7
    return bar


FIGURES: Mapping[str, Callable[[Random, Feel], patterns.Bar]] = {
    "rock": patterns.rock,
    "sixteenths": patterns.sixteenths,
    "four_on_the_floor": patterns.four_on_the_floor,
    "swing": patterns.swing,
    "shuffle": patterns.shuffle,
    "latin": patterns.latin,
    "metal": patterns.metal,
    "ballad": patterns.ballad,
    "tribal": patterns.tribal,
    "brushed": patterns.brushed,
    "punk": punk,
    "one_drop": one_drop,
    "breakbeat": breakbeat,
    "boom_bap": boom_bap,
    "trap": trap,
}


def groove(rng: Random, name: str, feel: Feel) -> patterns.Bar:
    return FIGURES[name](rng, feel)


def keyed(rng: Random, bar: patterns.Bar) -> Hits:
    """A bar of kinds as one of General MIDI keys: which of the toms, cymbals and extras is the same all through it."""
    extra = int(rng.choice(KEYS["other"], p=[0.55, 0.3, 0.08, 0.07]))
    chosen = {kind: int(keys[0] if rng.random() < 0.8 else keys[-1]) for kind, keys in KEYS.items()} | {"other": extra}
    ride = int(rng.choice([51, 51, 51, 59, 53]))
    hits: Hits = {}
    for (step, kind), velocity in bar.items():
        key = ride if kind == "ride" else chosen[kind]
        hits[step, key] = max(velocity, hits.get((step, key), 0.0))
    return hits


def percussion(rng: Random, feel: Feel, hands: tuple[str, ...]) -> Hits:
    """Shakers, tambourines, congas and the like, steady with accents."""
    hits: Hits = {}
    for hand in hands:
        if hand in ("shaker", "tambourine", "cabasa"):
            key = {"shaker": 70, "tambourine": 54, "cabasa": 69}[hand]
            every = 1 if hand != "tambourine" and feel.steps <= 4 else max(feel.steps // 2, 1)
            for step in range(0, feel.length, every):
                accent = step % feel.steps == (max(feel.steps // 2, 1) if hand == "tambourine" else 0)
                hits[step, key] = float(rng.uniform(0.75, 0.95) if accent else rng.uniform(0.3, 0.6))
        elif hand in ("congas", "bongos"):
            low, high, slap = (64, 63, 62) if hand == "congas" else (61, 60, 60)
            for step in range(feel.length):
                if rng.random() < 0.45:
                    hits[step, int(rng.choice([low, high, slap]))] = float(rng.uniform(0.4, 0.95))
        elif hand == "claves":
            for step in (0, 3, 6, 10, 12):
                if step < feel.length:
                    hits[step, 75] = 0.85
        elif hand == "cowbell":
            for beat in range(feel.beats):
                hits[beat * feel.steps, 56] = float(rng.uniform(0.6, 0.9))
        elif hand == "claps":
            for beat in range(1, feel.beats, 2):
                hits[beat * feel.steps, 39] = 0.9
        elif hand == "timpani":
            hits[0, 41] = float(rng.uniform(0.6, 1))
    return hits


HANDS = ("shaker", "tambourine", "cabasa", "congas", "bongos", "claves", "cowbell", "claps")
