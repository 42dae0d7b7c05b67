"""Beats and bars, heard in songs that are played here."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.music.rhythm import playing
from tests.unit.music.rhythm.playing import CRASH, KICK, MAJOR, RATE, SNARE, band

from antiphon.music.audio import Writer
from antiphon.music.rhythm import analyse, of_song
from antiphon.music.rhythm.bars import count
from antiphon.music.rhythm.features import FEATURES, features
from antiphon.music.rhythm.judge import BeatVerdict, judge

Times = NDArray[np.floating[Any]]


def even(bpm: float, seconds: float = 28.0, first: float = 0.4) -> Times:
    return first + np.arange(0, seconds * bpm / 60) * 60 / bpm


def misses(true: Times, found: Sequence[float]) -> int:
    """Of ``true`` and ``found`` together, those that lie further than 40 ms from every one of the others."""
    apart = np.abs(true[:, None] - np.array(found)[None, :])
    return int((apart.min(axis=0) > 0.04).sum() + (apart.min(axis=1) > 0.04).sum())


def clicks(path: Path, times: Sequence[float], seconds: float) -> Path:
    samples = np.random.default_rng(0).normal(0, 1e-3, round(seconds * RATE)).astype(np.float32)
    click = np.exp(-np.arange(1_500) / 200) * np.random.default_rng(1).uniform(-0.8, 0.8, 1_500)
    for time in times:
        samples[round(time * RATE) :][: len(click)] += click.astype(np.float32)[: len(samples) - round(time * RATE)]
    with Writer(path, RATE, 1, "flac") as writer:
        writer.write(samples[:, None])
    return path


@pytest.mark.parametrize("bpm", [72.0, 90.5, 120.0, 133.3, 150.0])
def test_beats_of_a_click_track_are_where_the_clicks_are(tmp_path: Path, bpm: float) -> None:
    times = np.arange(0.25, 19.9, 60 / bpm)
    found = analyse({"other": clicks(tmp_path / "clicks.flac", times.tolist(), 20.0)}, [])
    assert found.bpm == pytest.approx(bpm, rel=0.002)
    assert misses(times, found.beats) == 0
    assert max(min(abs(beat - time) for time in times) for beat in found.beats) < 0.01
    assert found.confidence > 0.3


def test_stems_are_heard_together_also_when_one_is_shorter(tmp_path: Path) -> None:
    beats, seconds = even(120, 24.0), 25.0
    hits = {KICK: beats[:24:2].tolist(), SNARE: beats[1:24:2].tolist()}
    chords = [(float(start), float(start) + 0.5, (0, 9, 5, 7)[bar // 4 % 4], MAJOR) for bar, start in enumerate(beats)]
    stems = {"drums": playing.drums(hits, 12.5), "other": playing.tones(chords, seconds)}
    for name, sound in stems.items():
        with Writer(tmp_path / f"{name}.flac", RATE, 1, "flac") as writer:
            writer.write(sound[:, None])
    found = analyse({name: tmp_path / f"{name}.flac" for name in stems}, [playing.drum_notes(hits)])
    assert misses(beats, found.beats) == 0


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 20.0])
def test_in_silence_bars_of_four_go_by_at_120(tmp_path: Path, seconds: float) -> None:
    with Writer(tmp_path / "silence.flac", RATE, 1, "flac") as writer:
        writer.write(np.zeros((max(round(seconds * RATE), 1), 1), np.float32))
    found = analyse({"other": tmp_path / "silence.flac"}, [])
    assert (found.bpm, found.meter.name, found.confidence) == (120.0, "4/4", 0.0)
    assert found.beats[0] == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_no_rhythm(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, 25 * RATE).astype(np.float32)
    assert of_song(playing.of({"other": noise})).confidence == 0.0


@pytest.mark.parametrize(
    ("name", "bpm", "meter", "parts"),
    [
        *[("4/4", bpm, 4, 2) for bpm in (66, 76, 104, 128, 168)],
        *[("3/4", bpm, 3, 2) for bpm in (96, 144)],
        *[("6/8", bpm, 2, 3) for bpm in (60, 80)],
        ("12/8", 66, 4, 3),
        ("5/4", 140, 5, 2),
        ("7/8", 200, 7, 1),
    ],
)
def test_bars_of_a_band_are_found_in_any_metre(name: str, bpm: int, meter: int, parts: int) -> None:
    beats = even(bpm)
    found = of_song(band(beats, meter=meter, parts=parts))
    assert misses(beats, found.beats) == 0
    assert misses(beats[::meter], found.downbeats) == 0
    assert found.meter.name == name
    assert found.bpm == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize(
    ("name", "bpm", "meter", "parts"), [("4/4", 120, 4, 2), ("3/4", 96, 3, 2), ("6/8", 60, 2, 3), ("5/4", 140, 5, 2)]
)
def test_bars_are_found_without_drums(name: str, bpm: int, meter: int, parts: int) -> None:
    beats = even(bpm)
    found = of_song(band(beats, meter=meter, parts=parts, drummer=False))
    assert found.meter.name == name
    assert misses(beats[::meter], found.downbeats) == 0


def test_quick_hats_do_not_double_the_tempo() -> None:
    assert of_song(band(even(98), parts=4)).bpm == pytest.approx(98, rel=0.005)


@pytest.mark.parametrize("pickup", [1, 2, 3])
def test_a_song_may_begin_before_its_first_bar(pickup: int) -> None:
    beats = even(120, first=0.2)
    found = of_song(band(beats, first=pickup))
    assert found.positions[0] == 5 - pickup
    assert misses(beats[pickup::4], found.downbeats) == 0


def test_players_who_hurry_and_drag_are_followed() -> None:
    pace = 0.5 * (1 + 0.08 * np.sin(np.arange(80) / 12))
    beats = 0.4 + np.cumsum(pace) + np.random.default_rng(3).normal(0, 0.008, 80)
    found = of_song(band(beats))
    assert misses(beats, found.beats) == 0
    assert misses(beats[::4], found.downbeats) == 0


def test_a_change_of_tempo_is_followed_within_a_bar() -> None:
    beats = 0.4 + np.concatenate([[0], np.cumsum([60 / 90] * 40 + [60 / 126] * 60)])
    found = of_song(band(beats))
    assert misses(beats, found.beats) <= 4
    assert 60 / np.median(np.diff(found.beats[:30])) == pytest.approx(90, rel=0.01)
    assert 60 / np.median(np.diff(found.beats[-40:])) == pytest.approx(126, rel=0.01)


def test_a_short_bar_is_counted_as_one() -> None:
    beats = 0.4 + np.arange(70) * 0.5
    place = np.concatenate([np.arange(32) % 4, [0, 1], np.arange(36) % 4])
    bars = beats[place == 0].tolist()
    hits = {KICK: beats[place % 2 == 0].tolist(), SNARE: beats[place % 2 == 1].tolist(), CRASH: bars}
    lines = [*bars, 36.0]
    chords = [
        (start, end, (0, 9, 5, 7)[bar % 4], playing.MAJOR) for bar, (start, end) in enumerate(itertools.pairwise(lines))
    ]
    stems = {"drums": playing.drums(hits, 36.0), "other": playing.tones(chords, 36.0)}
    found = of_song(playing.of(stems, [playing.drum_notes(hits), playing.chord_notes(chords)]))
    assert misses(np.array(bars), found.downbeats) == 0


def test_beats_begin_with_the_music_and_end_with_it() -> None:
    beats = 7.0 + np.arange(30) * 0.5
    found = of_song(band(beats, seconds=30.0))
    assert found.beats[0] == pytest.approx(7.0, abs=0.03)
    assert found.beats[-1] == pytest.approx(beats[-1], abs=0.05)


def test_a_quiet_song_has_the_bars_of_the_loud_one() -> None:
    beats = even(100)
    found = of_song(band(beats, decibels=-44.0))
    assert found.meter.name == "4/4"
    assert misses(beats[::4], found.downbeats) == 0


def logits(length: int, beats: int, sure: float = 3.0) -> NDArray[np.float64]:
    return np.where(np.arange(beats) % length == 0, sure, -sure)


def test_one_doubtful_bar_line_does_not_move_the_others() -> None:
    down = logits(4, 64)
    down[30], down[32] = 1.0, -1.0
    found = count(BeatVerdict(down, felt=4.0, compound=-4.0), 120.0)
    assert (found.positions == np.arange(64) % 4).all()


def test_bars_may_change_their_length_for_long() -> None:
    down = np.concatenate([logits(4, 32), logits(3, 48)])
    found = count(BeatVerdict(down, felt=4.0, compound=-4.0), 120.0)
    assert (found.positions == [*(np.arange(32) % 4), *(np.arange(48) % 3)]).all()
    assert found.meter.name == "3/4"


@pytest.mark.parametrize(
    ("length", "compound", "bpm", "name"),
    [
        *[(2, 4.0, 60.0, "6/8"), (4, 4.0, 60.0, "12/8"), (4, -4.0, 60.0, "4/4"), (3, -4.0, 150.0, "3/4")],
        *[(7, -4.0, 200.0, "7/8"), (7, -4.0, 120.0, "7/4"), (6, -4.0, 180.0, "6/8"), (5, -4.0, 150.0, "5/4")],
    ],
)
def test_the_time_signature_follows_from_bars_beats_and_tempo(
    length: int, compound: float, bpm: float, name: str
) -> None:
    assert count(BeatVerdict(logits(length, 84), 4.0, compound), bpm).meter.name == name


def test_the_judge_is_told_numbers_even_where_nothing_sounds() -> None:
    song = playing.of({"other": np.zeros(10 * RATE, np.float32)})
    told = features(np.arange(0, 9, 0.5), song)
    assert told.shape == (18, FEATURES)
    assert np.isfinite(told).all()
    assert np.isfinite(judge(told).down).all()
