"""A bar as players see it, and their strokes on its grid of steps.

A figure is a function of a bar and of a random generator that is the same whenever the section comes again, so that a
verse's riff returns with the verse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from training.material.theory import Chord, Key, Random


class Stroke(NamedTuple):
    """``step`` and ``length`` in steps of the bar, ``late`` in seconds (strums)."""

    step: float
    length: float
    pitch: int
    velocity: float
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar as its players see it: ``beats`` of ``steps`` each; ``place`` is its number in the section, ``energy``
    0–1 how much the section asks for, ``kicks`` and ``snares`` the steps of the drums."""

    chord: Chord
    following: Chord
    key: Key
    beats: int
    steps: int
    place: int = 0
    last: bool = False
    energy: float = 0.7
    kicks: tuple[int, ...] = ()
    snares: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        return self.beats * self.steps

    @property
    def half(self) -> int:
        """Steps of half a beat, or of one where a beat has three."""
        return max(self.steps // 2, 1)


@dataclass(slots=True)
class Player:
    """``low`` to ``high`` is the range; ``hand`` what was played last, for voice leading; ``habit`` a number 0–1 that
    stays the same through the piece."""

    low: int
    high: int
    habit: float
    line: int = 60
    hand: list[int] = field(default_factory=list)
    motifs: dict[int, list[tuple[float, float]]] = field(default_factory=dict)


Figure = Callable[[Random, Bar, Player], list[Stroke]]


def root(bar: Bar, player: Player, pitch_class: int | None = None) -> int:
    """The lowest pitch of the chord's bass within the range."""
    wanted = bar.chord.bass if pitch_class is None else pitch_class
    return player.low + (wanted - player.low) % 12


def tones(bar: Bar) -> list[int]:
    """Semitones of the chord's tones above its bass."""
    return sorted({(bar.chord.root + tone - bar.chord.bass) % 12 for tone in bar.chord.tones})


def approach(rng: Random, bar: Bar, player: Player) -> int:
    """A pitch that leads to the next bar's bass."""
    aim = root(bar, player, bar.following.bass)
    return max(aim + int(rng.choice([-1, 1, -2, 2, -5, 7])), player.low - 1)


def spans(steps: Sequence[int], length: int, *, longest: float = 99.0, held: float = 0.95) -> list[tuple[int, float]]:
    """Each of ``steps`` with its length up to the next one, at most ``longest``."""
    ends = [*steps, length][1:]
    return [(step, min((end - step) * held, longest)) for step, end in zip(steps, ends, strict=True)]
