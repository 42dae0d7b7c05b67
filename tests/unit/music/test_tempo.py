"""How fast, and where the beats are."""

from pathlib import Path

import numpy as np
import pytest

from antiphon.music import tempo
from antiphon.music.audio import Writer

RATE = 22_050


def clicks(path: Path, bpm: float, first: float, seconds: float = 20.0) -> Path:
    samples = np.random.default_rng(0).normal(0, 1e-3, round(seconds * RATE)).astype(np.float32)
    click = np.exp(-np.arange(1_500) / 200) * np.random.default_rng(1).uniform(-0.8, 0.8, 1_500)
    for beat, time in enumerate(np.arange(first, seconds - 0.1, 60 / bpm)):
        samples[round(time * RATE) :][: len(click)] += (click * (1 if beat % 4 == 0 else 0.6)).astype(np.float32)
    with Writer(path, RATE, 1, "flac") as writer:
        writer.write(samples[:, None])
    return path


@pytest.mark.parametrize("bpm", [72.0, 90.5, 120.0, 133.3, 168.0])
def test_a_steady_beat_is_measured_to_a_tenth_of_a_percent_or_so(tmp_path: Path, bpm: float) -> None:
    found = tempo.analyse(clicks(tmp_path / "clicks.flac", bpm, 0.25))
    assert found.bpm == pytest.approx(bpm, rel=0.002)
    grid = found.phase + np.arange(60) * 60 / found.bpm
    assert np.abs(grid - 0.25).min() < 0.02
    assert found.confidence > 0.3


@pytest.mark.parametrize("seconds", [0.01, 1.0, 20.0])
def test_silence_counts_as_120_with_no_confidence(tmp_path: Path, seconds: float) -> None:
    with Writer(tmp_path / "silence.flac", RATE, 1, "flac") as writer:
        writer.write(np.zeros((round(seconds * RATE), 1), np.float32))
    assert tempo.analyse(tmp_path / "silence.flac") == tempo.Tempo(120.0, 0.0, 0.0)
    assert tempo.estimate(tmp_path / "silence.flac") == 120.0
