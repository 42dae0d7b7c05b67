"""Hits on drums that a test has made itself, and on a recorded kit where the evaluation data is at hand."""

from pathlib import Path

import mir_eval
import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music import drums
from antiphon.music.audio import Writer
from antiphon.music.progress import silent
from antiphon.score.notes import Note

RATE = 44_100
DATA = Path(__file__).parents[4] / "shared" / "data" / "mdb"
Samples = NDArray[np.float64]


def kick() -> Samples:
    time = np.arange(round(0.3 * RATE)) / RATE
    return np.asarray(np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-time * 40)))) * np.exp(-time * 18))


def noise(low: float, high: float, seconds: float, seed: int) -> Samples:
    length = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(0, 1, length))
    hertz = np.fft.rfftfreq(length, 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    wave = np.fft.irfft(spectrum, length)
    return np.asarray(wave / np.abs(wave).max() * np.exp(-np.arange(length) * 4 / length))


SOUNDS = {
    drums.KICK: kick(),
    drums.SNARE: 0.7 * noise(180, 9_000, 0.25, 1),
    drums.HIHAT: 0.25 * noise(7_000, 18_000, 0.1, 2),
}


def play(path: Path, hits: list[tuple[int, float, float]], seconds: float) -> Path:
    samples = np.random.default_rng(0).normal(0, 1e-5, round(seconds * RATE))
    for key, time, strength in hits:
        piece = SOUNDS[key] * strength
        samples[round(time * RATE) :][: len(piece)] += piece
    with Writer(path, RATE, 1, "flac") as writer:
        writer.write((samples * 0.5).astype(np.float32)[:, None])
    return path


def heard(path: Path) -> list[Note]:
    return drums.detect(path, duration=10, progress=silent)


def times(notes: list[Note], key: int) -> list[float]:
    return [note.start for note in notes if note.pitch == key]


def test_a_rock_beat_is_written_down_hit_by_hit(tmp_path: Path) -> None:
    hits = [(drums.HIHAT, 0.25 + 0.25 * step, 1.0) for step in range(32)]
    hits += [(drums.KICK, 0.25 + step, 1.0) for step in range(8)]
    hits += [(drums.SNARE, 0.75 + step, 1.0) for step in range(8)]
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


def test_a_harder_hit_has_more_velocity(tmp_path: Path) -> None:
    hits = [(drums.SNARE, 0.5 + 0.5 * step, 1.0 if step % 2 == 0 else 0.5) for step in range(8)]
    notes = heard(play(tmp_path / "drums.flac", hits, 5.0))
    loud, soft = [note.velocity for note in notes[::2]], [note.velocity for note in notes[1::2]]
    assert len(notes) == 8
    assert 0 < max(soft) < min(loud) <= 1


@pytest.mark.parametrize("seconds", [0.0001, 0.05, 3.0])
def test_silence_has_no_hits(tmp_path: Path, seconds: float) -> None:
    with Writer(tmp_path / "silence.flac", RATE, 1, "flac") as writer:
        writer.write(np.zeros((max(round(seconds * RATE), 1), 1), np.float32))
    assert heard(tmp_path / "silence.flac") == []


@pytest.mark.skipif(not DATA.is_dir(), reason="the evaluation data is not here")
def test_a_recorded_kit_is_heard_well_enough() -> None:
    song = DATA / "Zeppelin"
    notes = heard(song / "drums_only.flac")
    lines = [line.split() for line in (song / "drums.txt").read_text().splitlines() if line.strip()]
    for key, kind, least in ((drums.KICK, "KD", 0.9), (drums.SNARE, "SD", 0.8), (drums.HIHAT, "HH", 0.8)):
        truth = np.array(sorted(float(time) for time, name in lines if name == kind))
        score, _, _ = mir_eval.onset.f_measure(truth, np.array(times(notes, key)), window=0.05)
        assert score > least, f"{kind}: {score:.2f}"
