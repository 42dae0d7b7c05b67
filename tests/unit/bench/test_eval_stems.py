"""The measures of the stems' evaluation."""

from pathlib import Path

import numpy as np
import pytest
from bench.eval_separation import sdr
from bench.eval_stems import Sound, Stems, presence, reduced, si_sdr

from antiphon.music.audio import Writer, decode
from antiphon.music.separation import SAMPLE_RATE


def noise(seed: int, level: float = 0.1) -> Sound:
    return np.random.default_rng(seed).standard_normal((SAMPLE_RATE, 2)).astype(np.float32) * np.float32(level)


def test_a_wrong_level_costs_sdr_and_not_si_sdr() -> None:
    true, other = noise(1), noise(2, 0.01)
    assert sdr(true, true * 0.5 + other) == pytest.approx(5.7, abs=0.3)
    assert si_sdr(true, true * 0.5 + other) == pytest.approx(14.0, abs=0.3)


def test_a_piece_is_heard_whole_and_without_each_of_drums_bass_and_singer() -> None:
    stems = {"drums": noise(1), "bass": noise(2), "other": noise(3)}
    assert [set(one) for one in reduced(stems)] == [
        {"drums", "bass", "other"},
        {"bass", "other"},
        {"drums", "other"},
    ]


def test_a_stem_of_what_does_not_play_is_a_false_one_and_a_faint_one_is_none(tmp_path: Path) -> None:
    for name, seed in (("drums", 1), ("other", 2)):
        with Writer(tmp_path / f"{name}.flac", SAMPLE_RATE, 2) as writer:
            writer.write(noise(seed))

    def engine(mix: Path) -> Stems:
        whole = decode(mix, sample_rate=SAMPLE_RATE, channels=2)
        return {"drums": whole * 0.5, "bass": whole * 0.2, "other": whole * 0.3, "vocals": whole * 0.01}

    counts = presence([tmp_path], engine)
    assert (counts.right, counts.false, counts.missed) == (3, 3, 0)
    assert counts.basses == (2, 2)
    assert counts.f1 == pytest.approx(6 / 9)
