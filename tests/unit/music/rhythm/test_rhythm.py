"""Beats and bars, heard in sound and notes that are made here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.audio import Writer
from antiphon.music.rhythm import Rhythm, analyse
from antiphon.music.rhythm.onsets import FRAME_RATE, RISE_LEAD_S, salient
from antiphon.music.rhythm.song import of_onsets
from antiphon.score.notes import InstrumentPart, Note

RATE = 22_050
KICK, SNARE, HAT, CRASH = 36, 38, 42, 49
Times = NDArray[np.floating[Any]]


def drums(*hits: tuple[int, Sequence[float]]) -> InstrumentPart:
    notes = sorted((time, key) for key, times in hits for time in times)
    return InstrumentPart("Drums", 0, True, tuple(Note(key, time, time + 0.1, 0.8) for time, key in notes))


def chords(changes: Sequence[float], end: float) -> InstrumentPart:
    """A chord held from each change to the next: C, F, G, C …"""
    notes = []
    for order, (start, stop) in enumerate(zip(changes, [*changes[1:], end], strict=True)):
        root = (60, 65, 67)[order % 3]
        notes += [Note(root + tone, start, stop - 0.02, 0.7) for tone in (0, 4, 7)]
    return InstrumentPart("Acoustic Grand Piano", 0, False, tuple(notes))


def strength(
    onsets: Sequence[tuple[Sequence[float], float]], seconds: float, noise: float = 0.01
) -> NDArray[np.float64]:
    """The onset strength of pulses at times, each kind with its loudness, over a little noise."""
    values = np.abs(np.random.default_rng(2).normal(0, noise, round(seconds * FRAME_RATE)))
    for times, loudness in onsets:
        for time in times:
            place = (time - RISE_LEAD_S) * FRAME_RATE
            frames = np.arange(max(round(place) - 2, 0), min(round(place) + 3, len(values)))
            values[frames] += loudness * np.maximum(1 - np.abs(frames - place) / 2, 0)
    return salient(values.astype(np.float32))


def band(beats: Times, *, seconds: float, meter: int = 4, first: int = 0, hats: int = 2) -> Rhythm:
    """A drummer and a pianist on the given beats: bars of ``meter`` begin with beat ``first``, ``hats`` to a beat."""
    place = (np.arange(len(beats)) - first) % meter
    between = np.interp(np.arange(0, len(beats) - 1, 1 / hats), np.arange(len(beats)), beats)
    kicks, snares = beats[np.isin(place, (0, 2) if meter == 4 else (0,))], beats[place % 2 == 1]
    snares = snares if meter == 4 else beats[place > 0]
    found = strength([(kicks.tolist(), 1.0), (snares.tolist(), 1.0), (between.tolist(), 0.6)], seconds)
    notes = [drums((KICK, kicks.tolist()), (SNARE, snares.tolist()), (HAT, between.tolist()))]
    return of_onsets(found, [*notes, chords(beats[place == 0].tolist(), seconds)])


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
    times = np.arange(0.3, 24.0, 0.5)
    early = clicks(tmp_path / "early.flac", times[:20].tolist(), 11.0)
    late = clicks(tmp_path / "late.flac", times[20:].tolist(), 25.0)
    found = analyse({"drums": early, "other": late}, [])
    assert misses(times, found.beats) == 0


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 20.0])
def test_in_silence_bars_of_four_go_by_at_120(tmp_path: Path, seconds: float) -> None:
    with Writer(tmp_path / "silence.flac", RATE, 1, "flac") as writer:
        writer.write(np.zeros((max(round(seconds * RATE), 1), 1), np.float32))
    found = analyse({"other": tmp_path / "silence.flac"}, [])
    assert (found.bpm, found.meter, found.confidence) == (120.0, 4, 0.0)
    assert found.beats[0] == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_no_rhythm(seed: int) -> None:
    values = np.abs(np.random.default_rng(seed).normal(0, 1, 3_000)).astype(np.float32)
    assert of_onsets(salient(values), []).confidence == 0.0


@pytest.mark.parametrize(("bpm", "meter"), [(66, 4), (76, 4), (104, 4), (128, 4), (168, 4), (96, 3), (144, 3)])
def test_the_bars_of_a_band_begin_where_kick_and_harmony_say(bpm: int, meter: int) -> None:
    beats = 0.4 + np.arange(0, 28 * bpm / 60) * 60 / bpm
    found = band(beats, seconds=29.0, meter=meter)
    assert misses(beats, found.beats) == 0
    assert found.meter == meter
    assert misses(beats[::meter], found.downbeats) == 0


def test_quick_hats_do_not_double_the_tempo() -> None:
    beats = 0.3 + np.arange(50) * 60 / 98
    assert band(beats, seconds=31.0, hats=4).bpm == pytest.approx(98, rel=0.005)


@pytest.mark.parametrize("pickup", [1, 2, 3])
def test_a_song_may_begin_before_its_first_bar(pickup: int) -> None:
    beats = 0.2 + np.arange(56) * 0.5
    found = band(beats, seconds=29.0, first=pickup)
    assert found.positions[0] == 5 - pickup
    assert misses(beats[pickup::4], found.downbeats) == 0


def test_players_who_hurry_and_drag_are_followed() -> None:
    pace = 0.5 * (1 + 0.08 * np.sin(np.arange(80) / 12))
    beats = 0.4 + np.cumsum(pace) + np.random.default_rng(3).normal(0, 0.008, 80)
    found = band(beats, seconds=42.0)
    assert misses(beats, found.beats) == 0
    assert misses(beats[::4], found.downbeats) == 0


def test_a_change_of_tempo_is_followed_within_a_bar() -> None:
    beats = 0.4 + np.concatenate([[0], np.cumsum([60 / 90] * 40 + [60 / 126] * 60)])
    found = band(beats, seconds=float(beats[-1]) + 1)
    assert misses(beats, found.beats) <= 4
    assert 60 / np.median(np.diff(found.beats[:30])) == pytest.approx(90, rel=0.01)
    assert 60 / np.median(np.diff(found.beats[-40:])) == pytest.approx(126, rel=0.01)


def test_a_short_bar_is_counted_as_one() -> None:
    beats = 0.4 + np.arange(70) * 0.5
    place = np.concatenate([np.arange(32) % 4, [0, 1], np.arange(36) % 4])
    kicks, snares = beats[(place == 0) | (place == 2)].tolist(), beats[place % 2 == 1].tolist()
    bars = beats[place == 0].tolist()
    found = of_onsets(
        strength([(kicks, 1.0), (snares, 1.0)], 36.0),
        [drums((KICK, bars), (SNARE, snares), (CRASH, bars)), chords(bars, 36.0)],
    )
    assert misses(np.array(bars), found.downbeats) == 0


def test_beats_begin_with_the_music_and_end_with_it() -> None:
    beats = 7.0 + np.arange(30) * 0.5
    found = band(beats, seconds=40.0)
    assert found.beats[0] == pytest.approx(7.0, abs=0.02)
    assert found.beats[-1] == pytest.approx(beats[-1], abs=0.02)
