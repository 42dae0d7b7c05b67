"""Tempo map and time signatures: the beats and bar lines of a Standard MIDI File."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import gcd
from statistics import median, mode

TICKS_PER_BEAT = 960
DEFAULT_TEMPO_BPM = 120.0
MAX_BEAT_US = 0xFFFFFF
"""Microseconds of the longest beat that a MIDI file can hold."""

TOLERANCE_S = 0.02
"""Seconds by which a beat of the map may miss the beat that was heard: as many beats as that allows share a tempo."""
MIN_LEAD_S = 0.03
"""A first beat that comes within so many seconds stands at the very start."""


@dataclass(frozen=True, slots=True)
class Pace:
    """From ``tick``, which is at ``second``, a beat (a quarter) takes ``beat`` microseconds."""

    tick: int
    second: float
    beat: int


@dataclass(frozen=True, slots=True)
class Signature:
    """From ``tick``, where a bar begins, bars are of ``numerator`` times 1/``denominator``."""

    tick: int
    numerator: int
    denominator: int

    def bar(self, resolution: int) -> int:
        """Ticks of a bar, with ``resolution`` ticks to a quarter."""
        return max(self.numerator * 4 * resolution // self.denominator, 1)


@dataclass(frozen=True, slots=True)
class TempoMap:
    """Changes of tempo and of time signature, each in order and the first at tick 0, which is at second 0.
    ``resolution`` is in ticks to a quarter."""

    paces: tuple[Pace, ...]
    signatures: tuple[Signature, ...]
    resolution: int = TICKS_PER_BEAT

    @classmethod
    def steady(cls, tempo: float = DEFAULT_TEMPO_BPM) -> "TempoMap":
        """Bars of four at ``tempo`` beats a minute."""
        return cls((Pace(0, 0.0, _microseconds(60 / tempo)),), (Signature(0, 4, 4),))

    @classmethod
    def of_beats(cls, beats: Sequence[float], positions: Sequence[int]) -> "TempoMap":
        """The map of beats that were found in a recording.

        Beats go on to the start and the end as fast as the nearest ones; what comes before the first bar line is a bar
        of its own, a pick-up, as long as it takes.

        Args:
            beats: Their times in seconds, ascending; the map keeps them within ``TOLERANCE_S``.
            positions: The place of each beat in its bar, from 1; a bar line stands at each 1.
        """
        if len(beats) < 2:
            return cls.steady()
        period = median(after - before for before, after in pairwise(beats[:9]))
        beats, positions = _from_the_start(beats, positions, period)
        lead = _lead(beats[0], period, pickup=positions[0] != 1)
        points = [(lead + TICKS_PER_BEAT * order, beat) for order, beat in enumerate(beats)]
        return cls(tuple(_paces(points)), tuple(_signatures(lead, positions)))

    def tick(self, second: float) -> float:
        """The tick, with its fraction, at a time in seconds."""
        pace = self.paces[max(bisect_right(self.paces, second, key=_second) - 1, 0)]
        return pace.tick + (second - pace.second) * 1_000_000 / pace.beat * self.resolution

    def second(self, tick: float) -> float:
        """The time in seconds of a tick."""
        pace = self.paces[max(bisect_right(self.paces, tick, key=_tick) - 1, 0)]
        return pace.second + (tick - pace.tick) * pace.beat / 1_000_000 / self.resolution

    @property
    def first_bar(self) -> int:
        """The tick of the first bar line after a pick-up, from which beats are counted."""
        return self.signatures[1].tick if len(self.signatures) > 1 else 0

    def bar_lines(self, end: float) -> Iterator[float]:
        """The seconds of all bar lines before ``end``, the start of the first bar included."""
        for signature, following in zip(self.signatures, (*self.signatures[1:], None), strict=True):
            tick = signature.tick
            while following is None or tick < following.tick:
                if (second := self.second(tick)) >= end:
                    return
                yield second
                tick += signature.bar(self.resolution)


def _second(pace: Pace) -> float:
    return pace.second


def _tick(pace: Pace) -> int:
    return pace.tick


def _microseconds(beat: float) -> int:
    return min(max(round(beat * 1_000_000), 1), MAX_BEAT_US)


def _from_the_start(
    beats: Sequence[float], positions: Sequence[int], period: float
) -> tuple[Sequence[float], Sequence[int]]:
    """``beats`` and ``positions`` with those before them, back to the start, in bars as long as most are."""
    lines = [order for order, position in enumerate(positions) if position == 1]
    meter = mode([after - before for before, after in pairwise(lines)] or [max(positions)])
    before = max(int(beats[0] / period), 0)
    missing = sum(beat < 0 for beat in beats)
    lead = [beats[0] - period * back for back in range(before, 0, -1)]
    counted = [(positions[0] - 1 - back) % meter + 1 for back in range(before, 0, -1)]
    return [*lead, *beats[missing:]], [*counted, *positions[missing:]]


def _lead(first: float, period: float, *, pickup: bool) -> int:
    """Ticks before the first beat, which comes at ``first`` seconds: as many sixteenths as come nearest to the song's
    tempo, rather a whole or half a beat than one or three quarters. Where more beats of a pick-up follow, those take up
    what is little."""
    share = first / period
    if first < MIN_LEAD_S or (pickup and share < 0.15):
        return 0
    whole = round(share)
    if whole and abs(share - whole) <= 0.15:
        sixteenths = 4 * whole
    else:
        sixteenths = 2 * round(2 * share) if abs(share % 1 - 0.5) <= 0.15 else round(4 * share)
    return max(sixteenths, 1) * TICKS_PER_BEAT // 4


def _paces(points: Sequence[tuple[int, float]]) -> Iterator[Pace]:
    """Few changes of tempo that lead past all ``points`` (tick and second) within the tolerance."""
    tick, second = 0, 0.0
    begin = 1
    if points[0][0] > 0:
        yield (pace := _pace(0, 0.0, points[0][1] / points[0][0]))
        tick, second = points[0][0], _reached(pace, points[0][0])
    while begin < len(points):
        ahead = ((ticks - tick, seconds - second) for ticks, seconds in islice(points, begin, None))
        slope, passed = _straight(ahead)
        yield (pace := _pace(tick, second, slope))
        begin += passed
        tick, second = points[begin - 1][0], _reached(pace, points[begin - 1][0])


def _straight(spans: Iterable[tuple[int, float]]) -> tuple[float, int]:
    """A tempo in seconds a tick, and how many beats it holds for. ``spans`` are ticks and seconds from where it begins.

    Only some tempi pass by every beat so far, until none does: then it is the one that meets the last beat that any of
    them meets, so that the next tempo begins on a beat. One that lasts to the end is as near as can be to all."""
    low, high = 0.0, float("inf")
    slope, passed, order = 0.0, 1, 0
    crossed, squared = 0.0, 0
    for order, (ticks, seconds) in enumerate(spans, start=1):
        low, high = max(low, (seconds - TOLERANCE_S) / ticks), min(high, (seconds + TOLERANCE_S) / ticks)
        if low > high:
            return slope, passed
        if order == 1 or low <= seconds / ticks <= high:
            slope, passed = seconds / ticks, order
        crossed, squared = crossed + ticks * seconds, squared + ticks * ticks
    return min(max(crossed / squared, low), high), order


def _pace(tick: int, second: float, seconds_per_tick: float) -> Pace:
    return Pace(tick, second, _microseconds(seconds_per_tick * TICKS_PER_BEAT))


def _reached(pace: Pace, tick: int) -> float:
    return pace.second + (tick - pace.tick) * pace.beat / 1_000_000 / TICKS_PER_BEAT


def _signatures(lead: int, positions: Sequence[int]) -> Iterator[Signature]:
    """One for the pick-up, then one wherever bars change their length; the last bar may be incomplete."""
    lines = [order for order, position in enumerate(positions) if position == 1] or [0]
    lengths = [after - before for before, after in pairwise(lines)] or [max(positions)]
    pickup = lead + TICKS_PER_BEAT * lines[0]
    last = (0, 0)
    if pickup:
        yield (opening := _shortest(pickup))
        last = opening.numerator, opening.denominator
    for line, length in zip(lines, lengths, strict=False):
        if (length, 4) != last:
            yield Signature(lead + TICKS_PER_BEAT * line, length, 4)
        last = length, 4


def _shortest(ticks: int) -> Signature:
    """A bar of so many ticks, a multiple of a sixteenth, in the longest notes that it can be counted in."""
    sixteenths = ticks * 4 // TICKS_PER_BEAT
    share = gcd(sixteenths, 4)
    return Signature(0, sixteenths // share, 16 // share)
