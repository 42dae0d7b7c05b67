"""Melodies, their doublings and harmonies, counter-melodies, and parts for voices that lead on their own."""

from collections.abc import Sequence

import numpy as np

from training.material.bars import Bar, Player, Stroke
from training.material.theory import Random

RHYTHMS = (
    (1, 1, 1, 1),
    (1.5, 0.5, 1, 1),
    (0.5, 0.5, 1, 2),
    (2, 1, 1),
    (1, 0.5, 0.5, 2),
    (0.5, 0.5, 0.5, 0.5, 1, 1),
    (3, 1),
    (4,),
    (1.5, 1.5, 1),
    (0.75, 0.75, 0.5, 2),
    (0.5, 1, 0.5, 1, 1),
    (-1, 1, 1, 1),
    (-0.5, 0.5, 1, 1, 1),
    (-2, 1, 1),
)
FAST = (
    (0.5,) * 8,
    (0.25,) * 16,
    (0.5, 0.25, 0.25) * 4,
    (0.25, 0.25, 0.5) * 4,
    (0.75, 0.25) * 4,
    (1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 1),
    (0.5, 0.5, 0.25, 0.25, 0.5, 2),
)
"""Beats; negative ones are rests."""


def _rhythm(rng: Random, bar: Bar, *, busy: float, rests: bool = True) -> list[tuple[float, float]]:
    """Starts and lengths in beats that fill the bar."""
    table = FAST if rng.random() < busy else RHYTHMS
    cell = table[int(rng.integers(len(table)))]
    at, places = 0.0, []
    for beats in cell:
        if at >= bar.beats - 1e-6:
            break
        length = min(abs(beats), bar.beats - at)
        if beats > 0 or not rests:
            places.append((at, length))
        at += abs(beats)
    if at < bar.beats - 1e-6:
        places.append((at, bar.beats - at))
    if bar.steps == 3:
        places = [(round(start * 3) / 3, max(length, 1 / 3)) for start, length in places]
    return places


def _walk(rng: Random, bar: Bar, player: Player, places: Sequence[tuple[float, float]]) -> list[Stroke]:
    low, high = player.low, player.high
    now = player.line if low <= player.line <= high else (low + high) // 2
    aim = float(rng.uniform(low + 0.3 * (high - low), low + 0.8 * (high - low)))
    strokes = []
    for start, length in places:
        leap = int(rng.choice([-4, -3, -2, -1, -1, -1, 0, 0, 1, 1, 1, 2, 3, 4, 5]))
        if abs(now - aim) > 5:
            leap = abs(leap) if now < aim else -abs(leap)
        now = bar.key.step(now, leap)
        if start % 1 == 0 and (start % 2 == 0 or length >= 1.5):
            now = min(
                (pitch for pitch in range(now - 3, now + 4) if pitch % 12 in bar.chord.classes),
                key=lambda pitch: (abs(pitch - now), pitch),
                default=now,
            )
        while now > high:
            now -= 12
        while now < low:
            now += 12
        strength = 0.84 if start % 1 == 0 else 0.74
        strokes.append(
            Stroke(start * bar.steps, length * bar.steps * 0.96, now, float(strength + rng.uniform(-0.08, 0.08)))
        )
    player.line = now
    return strokes


def melody(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Phrases of two bars: motifs come again, the phrase's end is longer and a breath follows."""
    number = bar.place % 4
    same = number == 2 and rng.random() < 0.7
    places = player.motifs.get(0) if same and 0 in player.motifs else _rhythm(rng, bar, busy=0.12 + 0.3 * bar.energy)
    assert places is not None
    if number == 0:
        player.motifs[0] = places
    if number == 3 or (number == 1 and rng.random() < 0.5):
        kept = [place for place in places if place[0] < bar.beats / 2]
        places = (
            [*kept[:-1], (kept[-1][0], max(bar.beats - kept[-1][0] - rng.choice([0.5, 1.0, 1.5]), 0.5))] if kept else []
        )
    strokes = _walk(rng, bar, player, places)
    return _ornamented(rng, bar, strokes)


def solo(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Fast runs and some held notes."""
    return _ornamented(rng, bar, _walk(rng, bar, player, _rhythm(rng, bar, busy=0.7)))


def counter(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Long notes that move where the tune rests."""
    places = [(0.0, float(bar.beats))] if rng.random() < 0.5 else _rhythm(rng, bar, busy=0.0, rests=False)
    return [stroke._replace(velocity=0.66) for stroke in _walk(rng, bar, player, places)]


def moving(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A part of chamber music: quarters and eighths without rests."""
    return _walk(rng, bar, player, _rhythm(rng, bar, busy=0.35, rests=bool(rng.random() < 0.2)))


def chorale(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Slow notes of the chord with a passing note now and then."""
    halves = [(0.0, float(bar.beats))] if rng.random() < 0.4 else [(0.0, bar.beats / 2), (bar.beats / 2, bar.beats / 2)]
    strokes = []
    for start, length in halves:
        centre = player.line if player.low <= player.line <= player.high else (player.low + player.high) // 2
        pool = [pitch for pitch in range(player.low, player.high + 1) if pitch % 12 in bar.chord.classes]
        now = min(pool, key=lambda pitch: abs(pitch - centre) + rng.uniform(0, 3), default=centre)
        player.line = now
        if length > 1 and rng.random() < 0.3:
            strokes.append(Stroke(start * bar.steps, (length - 0.5) * bar.steps, now, 0.7))
            step = bar.key.step(now, int(rng.choice([-1, 1])))
            strokes.append(Stroke((start + length - 0.5) * bar.steps, 0.5 * bar.steps, step, 0.62))
        else:
            strokes.append(Stroke(start * bar.steps, length * bar.steps * 0.98, now, 0.7))
    return strokes


def tremolo(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A held trill or a fast repetition."""
    pool = [pitch for pitch in range(player.low + 5, player.high) if pitch % 12 in bar.chord.classes]
    first = pool[int(rng.integers(len(pool)))] if pool else player.low + 12
    second = bar.key.step(first, 1) if rng.random() < 0.6 else first
    return [
        Stroke(step * 0.5, 0.5, first if step % 2 == 0 else second, 0.65 + 0.1 * (step == 0))
        for step in range(2 * bar.length)
    ]


def _ornamented(rng: Random, bar: Bar, strokes: list[Stroke]) -> list[Stroke]:
    """Now and then a trill on a long note, or a grace note before one."""
    made: list[Stroke] = []
    for stroke in strokes:
        beats = stroke.length / bar.steps
        if beats >= 1.5 and rng.random() < 0.05:
            count = int(stroke.length / (bar.steps / 4))
            other = bar.key.step(stroke.pitch, 1)
            size = stroke.length / count
            made += [
                Stroke(
                    stroke.step + size * order, size * 0.98, other if order % 2 else stroke.pitch, stroke.velocity * 0.9
                )
                for order in range(count)
            ]
        elif rng.random() < 0.04 and stroke.step > 0.5:
            made += [stroke._replace(step=stroke.step - 0.3, length=0.3, pitch=stroke.pitch - 1, velocity=0.6), stroke]
        else:
            made.append(stroke)
    return made


def doubled(strokes: Sequence[Stroke], semitones: int) -> list[Stroke]:
    return [stroke._replace(pitch=stroke.pitch + semitones) for stroke in strokes]


def harmonised(bar: Bar, strokes: Sequence[Stroke], degrees: int) -> list[Stroke]:
    """The same line some degrees of the scale above or below."""
    return [
        stroke._replace(pitch=bar.key.step(stroke.pitch, degrees), velocity=stroke.velocity * 0.9) for stroke in strokes
    ]


def oohs(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Two or three voices that hold the chord."""
    pool = [pitch for pitch in range(player.low, player.high + 1) if pitch % 12 in bar.chord.classes]
    centre = player.line if player.low < player.line < player.high else (player.low + player.high) // 2
    near = sorted(pool, key=lambda pitch: abs(pitch - centre))[: int(rng.choice([2, 3, 3]))]
    player.line = int(np.mean(near)) if near else centre
    return [Stroke(0, bar.length * 0.97, pitch, 0.65) for pitch in sorted(near)]


def rap(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Syllables in sixteenths on hardly more than one pitch."""
    base = (player.low + player.high) // 2 - 5
    steps = [step for step in range(bar.length) if rng.random() < 0.62]
    return [
        Stroke(step, 0.85, base + int(rng.choice([0, 0, 0, 1, 2, -2])), float(rng.uniform(0.65, 0.9))) for step in steps
    ]


LINES = {
    "rap": rap,
    "melody": melody,
    "solo": solo,
    "counter": counter,
    "moving": moving,
    "chorale": chorale,
    "tremolo": tremolo,
    "oohs": oohs,
}
