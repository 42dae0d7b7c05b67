"""Where bar lines fall."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.score.tempomap import MIN_LEAD_BEATS, TICKS_PER_BEAT, TOLERANCE_S, Meter, Signature, TempoMap


def counted(beats: int, first: int = 1, meter: int = 4) -> list[int]:
    return [(first - 1 + order) % meter + 1 for order in range(beats)]


def even(first: float, period: float, count: int = 40) -> list[float]:
    return [first + order * period for order in range(count)]


def lines(tempo_map: TempoMap, end: float) -> list[float]:
    return list(tempo_map.bar_lines(end))


def test_a_steady_song_has_one_tempo_and_one_signature() -> None:
    made = TempoMap.of_beats(even(0.0, 0.5), counted(40))
    assert [(pace.tick, pace.beat) for pace in made.paces] == [(0, 500_000)]
    assert made.signatures == (Signature(0, 4, 4),)
    assert lines(made, 6.1) == pytest.approx([0, 2, 4, 6])


def test_players_a_little_uneven_share_one_tempo() -> None:
    beats = [beat + (0.009 if order % 3 == 0 else -0.007) for order, beat in enumerate(even(0.01, 0.5))]
    assert len(TempoMap.of_beats(beats, counted(40)).paces) == 1


def test_three_beats_make_a_bar_where_the_music_has_three() -> None:
    made = TempoMap.of_beats(even(0.0, 0.4), counted(40, meter=3))
    assert made.signatures == (Signature(0, 3, 4),)
    assert lines(made, 3.7) == pytest.approx([0, 1.2, 2.4, 3.6], abs=1e-3)


@pytest.mark.parametrize(
    ("first", "position", "signature", "bar"),
    [
        (0.0, 4, (1, 4), 0.5),
        (0.0, 3, (2, 4), 1.0),
        (0.5, 1, (1, 4), 0.5),
        (0.25, 1, (1, 8), 0.25),
        (0.25, 2, (7, 8), 1.75),
        (0.4, 1, (1, 4), 0.4),
        (0.07, 4, (1, 4), 0.57),
    ],
)
def test_what_comes_before_the_first_bar_line_is_a_bar_of_its_own(
    first: float, position: int, signature: tuple[int, int], bar: float
) -> None:
    made = TempoMap.of_beats(even(first, 0.5), counted(40, position))
    assert (made.signatures[0].numerator, made.signatures[0].denominator) == signature
    assert made.signatures[1] == Signature(made.first_bar, 4, 4)
    assert lines(made, 10)[:3] == pytest.approx([0, bar, bar + 2], abs=TOLERANCE_S)


def test_seconds_before_the_first_beat_are_whole_bars_where_they_nearly_are() -> None:
    made = TempoMap.of_beats(even(3.8, 0.5), counted(40))
    assert made.signatures == (Signature(0, 4, 4),)
    assert lines(made, 8) == pytest.approx([0, 1.9, 3.8, 5.8, 7.8], abs=TOLERANCE_S)


@pytest.mark.parametrize("first", [0.02, 0.07, 0.17])
def test_a_beat_soon_after_the_start_stands_at_the_start(first: float) -> None:
    made = TempoMap.of_beats(even(first, 0.5), counted(40))
    assert made.signatures == (Signature(0, 4, 4),)
    assert lines(made, 7)[1:3] == pytest.approx([first + 2, first + 4], abs=TOLERANCE_S)


@pytest.mark.parametrize("first", [0.0, 0.03, 0.07, 0.13, 0.2, 0.25, 0.32, 0.4, 0.49, 0.6, 0.9, 1.3, 2.2, 3.7])
@pytest.mark.parametrize("position", [1, 2, 4])
def test_no_tempo_and_no_bar_before_the_first_beat_is_absurd(first: float, position: int) -> None:
    made = TempoMap.of_beats(even(first, 0.5), counted(40, position))
    assert all(1 / 1.45 < pace.beat / 500_000 < 1.45 for pace in made.paces)
    assert all(one.bar(TICKS_PER_BEAT) >= TICKS_PER_BEAT / 2 for one in made.signatures)


@pytest.mark.parametrize(
    ("meter", "beat"),
    [
        (Meter(6, 8, 2), 0.9),
        (Meter(12, 8, 4), 0.9),
        (Meter(7, 8, 7), 0.3),
        (Meter(5, 4, 5), 0.5),
        (Meter(3, 4, 3), 0.4),
    ],
)
def test_a_beat_is_as_long_as_the_meter_has_it(meter: Meter, beat: float) -> None:
    made = TempoMap.of_beats(even(0.0, beat, 43), counted(43, meter=meter.beats), meter)
    assert made.signatures == (Signature(0, meter.numerator, meter.denominator),)
    assert made.paces[0].beat == pytest.approx(1e6 * beat * TICKS_PER_BEAT / meter.beat_ticks, abs=1)
    assert lines(made, beat * meter.beats * 2.5) == pytest.approx([0, beat * meter.beats, 2 * beat * meter.beats])


def test_a_pick_up_of_a_compound_meter_counts_its_eighths() -> None:
    made = TempoMap.of_beats(even(0.0, 0.9), counted(40, 2, meter=2), Meter(6, 8, 2))
    assert [(one.tick, one.numerator, one.denominator) for one in made.signatures] == [(0, 3, 8), (1440, 6, 8)]


def test_a_short_bar_gets_a_signature_of_its_own() -> None:
    positions = [*counted(8), 1, 2, *counted(12)]
    made = TempoMap.of_beats(even(0.0, 0.5, 22), positions)
    assert [(one.tick // TICKS_PER_BEAT, one.numerator) for one in made.signatures] == [(0, 4), (8, 2), (10, 4)]
    assert lines(made, 8) == pytest.approx([0, 2, 4, 5, 7])


def test_the_tempo_changes_where_the_music_does() -> None:
    beats = [*even(0.0, 0.5, 20), *even(10.0, 0.6, 20)]
    made = TempoMap.of_beats(beats, counted(40))
    assert [(pace.tick // TICKS_PER_BEAT, pace.beat) for pace in made.paces] == [(0, 500_000), (20, 600_000)]


def test_bars_go_on_after_the_last_beat() -> None:
    assert lines(TempoMap.of_beats(even(0.0, 0.5, 6), counted(6)), 7) == pytest.approx([0, 2, 4, 6])


@pytest.mark.parametrize("beats", [[], [1.0]])
def test_without_beats_there_are_bars_of_four_at_120(beats: list[float]) -> None:
    assert TempoMap.of_beats(beats, [1] * len(beats)) == TempoMap.steady(120)


@st.composite
def performances(draw: st.DrawFn) -> tuple[list[float], list[int]]:
    """Beats from 40 to 240 a minute, no two as fast, counted in bars of any length."""
    period = draw(st.floats(0.25, 1.5))
    factors = draw(st.lists(st.floats(0.7, 1.4), min_size=2, max_size=60))
    beats = [draw(st.floats(0, 4))]
    for factor in factors:
        beats.append(beats[-1] + period * factor)
    meter = draw(st.sampled_from([3, 4, 5]))
    return beats, counted(len(beats), draw(st.integers(1, meter)), meter)


@given(performances())
def test_every_bar_line_is_on_its_beat(performance: tuple[list[float], list[int]]) -> None:
    beats, positions = performance
    made = TempoMap.of_beats(beats, positions)
    bars = lines(made, beats[-1] + TOLERANCE_S + 1e-3)
    at_start = MIN_LEAD_BEATS * 1.5 * 1.4
    for beat, position in zip(beats, positions, strict=True):
        if position == 1 and beat > at_start:
            assert min(abs(bar - beat) for bar in bars) < TOLERANCE_S + 1e-3
    assert all(before < after for before, after in pairwise(bars))
    assert all(pace.beat > 0 for pace in made.paces)
    for before, after in pairwise(made.signatures):
        assert (after.tick - before.tick) % before.bar(TICKS_PER_BEAT) == 0


@given(performances(), st.floats(0, 100))
def test_ticks_and_seconds_are_two_ways_to_say_the_same(
    performance: tuple[list[float], list[int]], second: float
) -> None:
    made = TempoMap.of_beats(*performance)
    assert made.second(made.tick(second)) == pytest.approx(second, abs=1e-6)
