"""Key, chords and sections, heard in songs that are played here."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from tests.unit.music.rhythm import playing
from tests.unit.music.rhythm.playing import KICK, MAJOR, MINOR, RATE, SEVENTH, SNARE, band

from antiphon.music.analysis import MusicAnalysis, analyse
from antiphon.music.harmony import sections
from antiphon.music.signal.pitchbands import tones

Loop = Sequence[tuple[int, tuple[int, ...]]]


def played(
    loop: Loop, *, bars: int = 16, cents: float = 0.0, beat: float = 0.5, silent: range = range(0)
) -> MusicAnalysis:
    """Bars of four, a chord of the ``loop`` in each but the ``silent`` ones, with drums."""
    lines = 0.4 + np.arange(bars + 1) * 4 * beat
    seconds = float(lines[-1]) + 0.5
    chords = [
        (float(start), float(end), *loop[bar % len(loop)])
        for bar, (start, end) in enumerate(itertools.pairwise(lines))
        if bar not in silent
    ]
    struck = [(start + k * beat, start + (k + 1) * beat, r, t) for start, _, r, t in chords for k in range(4)]
    bass = [(start, end, root, (0,)) for start, end, root, _ in chords]
    beats = 0.4 + np.arange(bars * 4) * beat
    hits = {KICK: beats[::2].tolist(), SNARE: beats[1::2].tolist()}
    stems = {
        "drums": playing.drums(hits, seconds),
        "bass": playing.tones(bass, seconds, octave=36, loud=0.25, cents=cents),
        "other": playing.tones(struck, seconds, cents=cents),
    }
    return analyse(playing.of(stems, [playing.drum_notes(hits), playing.bass_notes(bass), playing.chord_notes(struck)]))


def named(found: MusicAnalysis) -> list[str]:
    return [found.chord_name(chord) for chord in found.chords]


@pytest.mark.parametrize("root", range(12))
def test_the_chords_and_the_key_of_a_loop_are_found_on_every_root(root: int) -> None:
    loop = [(root, MAJOR), ((root + 9) % 12, MINOR), ((root + 5) % 12, MAJOR), ((root + 7) % 12, MAJOR)]
    found = played([(pitch % 12, above) for pitch, above in loop], bars=8)
    assert [(chord.root, chord.quality) for chord in found.chords[:4]] == [
        (pitch, "m" if above == MINOR else "") for pitch, above in loop
    ]
    assert [(key.tonic, key.mode) for key in found.keys] == [(root, "major")]


def test_a_minor_key_is_told_from_its_relative_major() -> None:
    found = played([(9, MINOR), (2, MINOR), (4, SEVENTH), (9, MINOR)])
    assert [key.name for key in found.keys] == ["A minor"]
    assert named(found)[:3] == ["Am", "Dm", "E7"]


def test_chords_are_spelled_as_their_key_is() -> None:
    flats = played([(3, MAJOR), (0, MINOR), (8, MAJOR), (10, MAJOR)], bars=8)
    assert flats.key is not None
    assert (flats.key.name, named(flats)[:4]) == ("Eb major", ["Eb", "Cm", "Ab", "Bb"])
    sharps = played([(4, MAJOR), (1, MINOR), (9, MAJOR), (11, MAJOR)], bars=8)
    assert sharps.key is not None
    assert (sharps.key.name, named(sharps)[:4]) == ("E major", ["E", "C#m", "A", "B"])


@pytest.mark.parametrize("cents", [-50.0, -32.0, 20.0, 45.0])
def test_a_song_out_of_tune_has_the_same_chords(cents: float) -> None:
    loop = [(0, MAJOR), (9, MINOR), (5, MAJOR), (7, MAJOR)]
    found = played(loop, bars=8, cents=cents)
    # Half a semitone may as well be the next one.
    shifted = {tuple((root + by) % 12 for root, _ in loop) for by in ((0,) if abs(cents) < 45 else (-1, 0, 1))}
    assert tuple(chord.root for chord in found.chords[:4]) in shifted


@pytest.mark.parametrize("cents", [-40.0, -15.0, 0.0, 25.0, 40.0])
def test_the_tuning_is_heard(cents: float) -> None:
    song = playing.of({"other": playing.tones([(0.0, 8.0, 0, MAJOR)], 8.0, cents=cents)})
    assert song.tones.tuning * 100 == pytest.approx(cents, abs=6)


def test_where_only_drums_play_there_is_no_chord() -> None:
    found = played([(0, MAJOR), (7, MAJOR)], bars=16, silent=range(6, 10))
    start, end = 0.4 + 6 * 2 + 1, 0.4 + 10 * 2 - 0.6
    assert {found.chord_name(one) for one in found.chords if one.start < end and one.end > start} == {"N"}
    assert named(found)[0] == "C"


def test_one_chord_is_one_chord() -> None:
    found = played([(2, MINOR)])
    assert named(found) == ["Dm"]
    assert len(found.sections) == 1


def test_drums_alone_have_bars_and_neither_key_nor_chords() -> None:
    beats = 0.4 + np.arange(48) * 0.5
    hits = {KICK: beats[::2].tolist(), SNARE: beats[1::2].tolist()}
    found = analyse(playing.of({"drums": playing.drums(hits, 25.0)}, [playing.drum_notes(hits)]))
    assert found.rhythm.confidence > 0.1
    assert (found.key, set(named(found)) - {"N"}) == (None, set())


@pytest.mark.parametrize("loud", [0.0, 0.1])
def test_in_silence_and_in_noise_there_is_nothing(loud: float) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 20 * RATE).astype(np.float32) * np.float32(loud)
    found = analyse(playing.of({"other": noise}))
    told = found.described()
    assert (told["meter"], told["tempo"], told["confidence"]) == ("4/4", 120.0, 0.0)
    assert (told["key"], told["chords"], told["sections"], told["beats"]) == (None, [], [], [])


def test_a_change_of_key_is_told_from_the_bar_in_which_it_comes() -> None:
    loop = [(0, MAJOR), (5, MAJOR), (7, SEVENTH), (0, MAJOR)]
    found = played([*loop * 4, *[((root + 3) % 12, above) for root, above in loop * 4]], bars=32)
    assert [key.name for key in found.keys] == ["C major", "Eb major"]
    assert found.keys[1].start in found.rhythm.downbeats
    assert found.keys[1].start == pytest.approx(0.4 + 16 * 2, abs=4.1)


def test_sections_that_are_alike_have_the_same_letter() -> None:
    bars = 8
    rng = np.random.default_rng(0)
    verse, chorus = np.eye(24)[[0, 7, 9, 5]], np.eye(24)[[2, 11, 4, 6]]
    form = [verse, chorus, verse, chorus, chorus]
    harmony = np.concatenate([np.repeat(np.tile(one, (bars // 4, 1)), 4, axis=0) for one in form])
    harmony = harmony + rng.normal(0, 0.02, harmony.shape)
    sound = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0], 4 * bars)[:, None] + rng.normal(0, 0.02, (len(harmony), 3))
    borders = np.linspace(0.0, len(harmony) / 2, len(harmony) + 1)
    found = sections(borders, harmony, sound, range(0, len(harmony), 4))
    assert [(one.start, one.label) for one in found] == [(0.0, "A"), (16.0, "B"), (32.0, "A"), (48.0, "B")]
    assert found[-1].end == borders[-1]


def test_what_is_told_follows_one_another_without_gaps() -> None:
    told = analyse(band(0.4 + np.arange(64) * 0.5)).described()
    for name in ("keys", "chords", "sections"):
        spans = told[name]
        assert spans[0]["start"] == told["beats"][0]
        assert all(before["end"] == after["start"] for before, after in itertools.pairwise(spans))
    assert set(told["downbeats"]) <= set(told["beats"])


def test_no_sound_has_no_tones() -> None:
    found = tones(np.zeros((0, 216), np.float32))
    assert (found.salience.shape, found.tuning) == ((0, 72), 0.0)
