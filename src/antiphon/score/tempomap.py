"""Tempo map and time signatures: the beats and bar lines of a Standard MIDI File."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import log
from statistics import median, mode

TICKS_PER_BEAT = 960
DEFAULT_TEMPO_BPM = 120.0
MAX_BEAT_US = 0xFFFFFF
"""Microseconds of the longest beat that a MIDI file can hold."""

TOLERANCE_S = 0.02
"""Seconds by which a beat of the map may miss the beat that was heard: as many beats as that allows share a tempo."""
MIN_LEAD_BEATS = 0.36
"""A first beat that comes within this share of a beat stands at the very start, and lasts that much longer; what comes
before a later one is a bar of half beats at least."""
WHOLE_BEAT_PREFERENCE = 0.1
"""By how much, as a logarithm, the tempo before the first beat may be further from the song's for it to be whole
beats."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature whose bars have ``beats`` beats. In 6/8 the beat is a dotted quarter."""

    numerator: int
    denominator: int
    beats: int

    @property
    def name(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    @property
    def units_per_beat(self) -> int:
        """How many of the signature's notes make a beat."""
        return self.numerator // self.beats

    @property
    def beat_ticks(self) -> int:
        return self.units_per_beat * 4 * TICKS_PER_BEAT // self.denominator


COMMON_TIME = Meter(4, 4, 4)


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
    def of_beats(cls, beats: Sequence[float], positions: Sequence[int], meter: Meter = COMMON_TIME) -> "TempoMap":
        """A map whose beats are at ``beats``, ascending in seconds, give or take ``TOLERANCE_S``, with a bar line at
        each whose position in the bar is 1.

        Beats go on to the start and the end as fast as the nearest ones; what comes before the first bar line is a
        short bar, a pick-up. A beat right at the start stands at the start."""
        if len(beats) < 2:
            return cls.steady()
        period = median(after - before for before, after in pairwise(beats[:9]))
        beats, positions, lead = _from_the_start(beats, positions, period)
        ticks = meter.beat_ticks
        first = round(lead * ticks)
        points = [(first + ticks * order, beat) for order, beat in enumerate(beats)]
        return cls(tuple(_paces(points)), tuple(_signatures(first, positions, meter)))

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
) -> tuple[Sequence[float], Sequence[int], float]:
    """``beats`` and ``positions`` with those before them, back to the start, in bars as long as most are; and the beats
    before the first of them, 0 or a half."""
    lines = [order for order, position in enumerate(positions) if position == 1]
    meter = mode([after - before for before, after in pairwise(lines)] or [max(positions)])
    missing = sum(beat < 0 for beat in beats)
    beats, positions = beats[missing:], positions[missing:]
    lead = _lead(beats[0] / period)
    before = int(lead)
    if not lead:
        return [0.0, *beats[1:]], positions, 0.0
    share = beats[0] / lead
    early = [beats[0] - share * back for back in range(before, 0, -1)]
    counted = [(positions[0] - 1 - back) % meter + 1 for back in range(before, 0, -1)]
    return [*early, *beats], [*counted, *positions], lead - before


def _lead(natural: float) -> float:
    """How many beats are counted before the first one, which comes after ``natural`` beats of the song's tempo: whole
    beats, or whole and a half where those are much nearer."""
    if natural < MIN_LEAD_BEATS:
        return 0.0
    whole, half = max(round(natural), 1), int(natural) + 0.5
    apart = abs(log(whole / natural)) - abs(log(half / natural))
    return whole if apart <= WHOLE_BEAT_PREFERENCE else half


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


def _signatures(lead: int, positions: Sequence[int], meter: Meter) -> Iterator[Signature]:
    """One for the pick-up, then one wherever bars change their length; the last bar may be incomplete."""
    lines = [order for order, position in enumerate(positions) if position == 1] or [0]
    lengths = [after - before for before, after in pairwise(lines)] or [meter.beats]
    pickup = lead + meter.beat_ticks * lines[0]
    last = (0, 0)
    if pickup:
        yield (opening := _shortest(pickup, meter))
        last = opening.numerator, opening.denominator
    for line, length in zip(lines, lengths, strict=False):
        signature = length * meter.units_per_beat, meter.denominator
        if signature != last:
            yield Signature(lead + meter.beat_ticks * line, *signature)
        last = signature


def _shortest(ticks: int, meter: Meter) -> Signature:
    """A bar of so many ticks, in the notes of the ``meter`` or in shorter ones."""
    denominator = meter.denominator
    while ticks * denominator % (4 * TICKS_PER_BEAT):
        denominator *= 2
    return Signature(0, ticks * denominator // (4 * TICKS_PER_BEAT), denominator)
