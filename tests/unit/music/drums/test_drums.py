"""Hits on drums that a test has made itself, and on a recorded kit where the evaluation data is at hand."""

from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev

import mir_eval
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.paths import EVALUATION_SONGS

from antiphon.music import drums
from antiphon.music.audio import Writer
from antiphon.music.drums.features import BANDS, HOP, MelLevels, gain, scaled
from antiphon.music.drums.network import DrumModel, listen
from antiphon.music.drums.onsets import HitActivations, hits, peaks
from antiphon.music.progress import silent
from antiphon.score.notes import Note

RATE = 44_100
DATA = EVALUATION_SONGS / "mdb"
Samples = NDArray[np.float64]


def kick() -> Samples:
    time = np.arange(round(0.3 * RATE)) / RATE
    body = np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-time * 40)))) * np.exp(-time * 18)
    click = np.random.default_rng(5).normal(0, 1, len(time)) * np.exp(-time * 500)
    return np.asarray(body + 0.3 * click)


def noise(low: float, high: float, seconds: float, seed: int, decay: float = 4) -> Samples:
    length = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, length))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum *= np.clip(hertz / low, 0, 1) ** 2 * np.clip(high / np.maximum(hertz, 1), 0, 1) ** 2
    wave = np.fft.irfft(spectrum, length)
    return np.asarray(wave / np.abs(wave).max() * np.exp(-np.arange(length) * decay / length))


def snare() -> Samples:
    time = np.arange(round(0.25 * RATE)) / RATE
    skin = np.sin(2 * np.pi * 190 * time) * np.exp(-time * 25)
    return np.asarray(0.5 * skin + 0.6 * noise(900, 5_000, 0.25, 1))


SOUNDS = {
    drums.KICK: kick(),
    drums.SNARE: snare(),
    drums.HIHAT: 0.25 * noise(9_000, 18_000, 0.1, 2, decay=6),
}


def play(path: Path, hits: list[tuple[int, float, float]], seconds: float) -> Path:
    samples = np.random.default_rng(0).normal(0, 1e-5, round(seconds * RATE))
    for key, time, strength in hits:
        piece = SOUNDS[key] * strength
        samples[round(time * RATE) :][: len(piece)] += piece
    return write(path, samples * 0.5)


def write(path: Path, samples: Samples) -> Path:
    with Writer(path, RATE, 1, "flac") as writer:
        writer.write(samples.astype(np.float32)[:, None])
    return path


def heard(path: Path) -> list[Note]:
    return drums.detect(path, duration=10, progress=silent)


def times(notes: list[Note], key: int) -> list[float]:
    return [note.start for note in notes if note.pitch == key]


def rock(bars: int) -> list[tuple[int, float, float]]:
    """Eighths on the hi-hat, kick and snare in turn, at 120 beats a minute from 0.25 s on."""
    hits = [(drums.HIHAT, 0.25 + 0.25 * step, 1.0) for step in range(8 * bars)]
    hits += [(drums.KICK, 0.25 + step, 1.0) for step in range(2 * bars)]
    return hits + [(drums.SNARE, 0.75 + step, 1.0) for step in range(2 * bars)]


def test_a_rock_beat_is_written_down_hit_by_hit(tmp_path: Path) -> None:
    hits = rock(4)
    notes = heard(play(tmp_path / "drums.flac", hits, 9.0))
    assert notes == sorted(notes, key=lambda note: (note.start, note.pitch))
    for key in (drums.KICK, drums.SNARE, drums.HIHAT):
        expected = [time for other, time, _ in sorted(hits, key=lambda hit: hit[1]) if other == key]
        assert times(notes, key) == pytest.approx(expected, abs=0.015), f"key {key}"


def test_kick_and_hat_struck_together_are_both_heard(tmp_path: Path) -> None:
    hits = [(key, 0.5 + 0.5 * step, 1.0) for step in range(6) for key in (drums.KICK, drums.HIHAT)]
    notes = heard(play(tmp_path / "drums.flac", hits, 4.0))
    assert {note.pitch for note in notes} == {drums.KICK, drums.HIHAT}
    assert len(notes) == 12


def test_a_constant_part_has_a_constant_velocity(tmp_path: Path) -> None:
    notes = heard(play(tmp_path / "drums.flac", rock(4), 9.0))
    for key in (drums.KICK, drums.SNARE, drums.HIHAT):
        assert pstdev(note.velocity for note in notes if note.pitch == key) < 0.06, f"key {key}"


def test_a_harder_hit_has_more_velocity(tmp_path: Path) -> None:
    hits = [(drums.SNARE, 0.5 + 0.5 * step, 1.0 if step % 2 == 0 else 0.25) for step in range(8)]
    notes = [note for note in heard(play(tmp_path / "drums.flac", hits, 5.0)) if note.pitch == drums.SNARE]
    loud, soft = [note.velocity for note in notes[::2]], [note.velocity for note in notes[1::2]]
    assert len(notes) == 8
    assert 0 < max(soft) < min(loud) <= 1
    assert fmean(loud) - fmean(soft) > 0.15


def test_a_quiet_file_is_heard_like_a_loud_one(tmp_path: Path) -> None:
    hits = rock(2)
    loud = heard(play(tmp_path / "loud.flac", hits, 5.0))
    quiet = heard(play(tmp_path / "quiet.flac", [(key, time, 0.1 * strength) for key, time, strength in hits], 5.0))
    assert [note.pitch for note in quiet] == [note.pitch for note in loud]


@pytest.mark.parametrize("seconds", [0.0001, 0.05, 3.0])
def test_silence_has_no_hits(tmp_path: Path, seconds: float) -> None:
    assert heard(write(tmp_path / "silence.flac", np.zeros(max(round(seconds * RATE), 1)))) == []


def test_steady_sounds_have_no_hits(tmp_path: Path) -> None:
    time = np.arange(8 * RATE) / RATE
    fade = np.clip(np.minimum(time, 8 - time) / 0.5, 0, 1)
    rng = np.random.default_rng(0)
    for name, sound in (
        ("noise", 0.1 * rng.normal(0, 1, len(time))),
        ("faint noise", 1e-4 * rng.normal(0, 1, len(time))),
        ("tone", 0.5 * np.sin(2 * np.pi * 220 * time)),
        ("deep tone", 0.5 * np.sin(2 * np.pi * 55 * time)),
        ("offset", np.full(len(time), 0.3)),
    ):
        notes = heard(write(tmp_path / "steady.flac", sound * fade))
        assert len(notes) <= 1, f"{name}: {notes}"


def test_hits_end_before_the_next_of_their_key_and_with_the_song(tmp_path: Path) -> None:
    notes = heard(play(tmp_path / "rock.wav", rock(2), 6.0))
    assert notes
    for key in {note.pitch for note in notes}:
        own = [note for note in notes if note.pitch == key]
        assert all(note.end <= following.start for note, following in pairwise(own))
    assert max(note.end for note in notes) <= 6.01


def test_a_file_that_is_cut_while_it_sounds_does_not_end_with_a_hit(tmp_path: Path) -> None:
    time = np.arange(3 * 44_100) / 44_100
    chord = sum(np.sin(2 * np.pi * hertz * time + 1) for hertz in (110.0, 220.0, 331.0, 447.0))
    notes = heard(write(tmp_path / "cut.wav", np.asarray(0.2 * chord, np.float32)))
    assert [note for note in notes if note.start > 2.9] == []


def test_levels_do_not_depend_on_the_blocks_they_are_read_in() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 30_000).astype(np.float32)
    whole, parts = MelLevels(), MelLevels()
    expected = np.concatenate([whole.push(sound), whole.finish()])
    blocks = [parts.push(sound[at : at + 777]) for at in range(0, len(sound), 777)]
    assert np.concatenate([*blocks, parts.finish()]) == pytest.approx(expected, abs=1e-3)
    assert expected.shape == (len(sound) // HOP + 1, BANDS)


def test_the_borders_of_pieces_are_not_heard(tmp_path: Path) -> None:
    song = listen(play(tmp_path / "drums.flac", rock(6), 13.0), duration=13, progress=silent)
    whole = DrumModel()(scaled(song, gain(song)))
    pieces = DrumModel(piece=150).activations(song, silent)
    assert np.abs(pieces.onsets - whole[:, :5]).max() < 0.01


def test_peaks_stand_apart() -> None:
    onset = np.zeros(50, np.float32)
    onset[10:13] = 0.4, 0.9, 0.7
    onset[14] = 0.8
    onset[30] = 0.2
    frames = peaks(onset, 0.3)
    assert frames.tolist() == [11]
    assert peaks(onset[:0], 0.3).tolist() == []


def test_details_choose_the_key() -> None:
    onsets, details = np.zeros((100, 5), np.float32), np.zeros((100, 5), np.float32)
    onsets[10, 2] = onsets[30, 3] = onsets[50, 4] = 1
    details[9:12, 0] = 0.9
    details[29:32, 1:4] = 0.2, 0.3, 0.4
    details[49:52, 4] = 0.8
    notes = hits(HitActivations(onsets, onsets, details), np.full((100, BANDS), -30, np.float16))
    assert [(note.pitch, note.start) for note in notes] == [(46, 0.1), (50, 0.3), (51, 0.5)]


@pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation data is not here")
def test_a_recorded_kit_is_heard_well_enough() -> None:
    song = DATA / "Zeppelin"
    notes = heard(song / "drums_only.flac")
    lines = [line.split() for line in (song / "drums.txt").read_text().splitlines() if line.strip()]
    for keys, kind, least in (((36,), "KD", 0.9), ((38,), "SD", 0.8), ((42, 46), "HH", 0.85)):
        truth = np.array(sorted(float(time) for time, name in lines if name == kind))
        found = np.array(sorted(time for key in keys for time in times(notes, key)))
        score, _, _ = mir_eval.onset.f_measure(truth, found, window=0.05)
        assert score > least, f"{kind}: {score:.2f}"
