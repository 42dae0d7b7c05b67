"""The band statistics that the separation network is trained on."""

import numpy as np
import pytest
from training.separation import bands
from training.separation.bands import CROSS, ENERGY, FIELDS
from training.separation.components import (
    BANDS,
    COMPONENTS,
    GRAM,
    GRID,
    LEVEL,
    PAIRS,
    STEMS,
    Mixture,
    spread,
    summed,
)

from antiphon.music.separation.spectra import Frames

COUNT = 40


def spectrum(seed: int) -> Frames:
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, COUNT, 2, GRID.bins), np.float32)
    slope = np.linspace(1, 0.01, GRID.bins, dtype=np.float32)
    return np.asarray((parts[0] + 1j * parts[1]) * slope, np.complex64)


def test_the_error_out_of_the_statistics_is_that_of_the_spectrogram() -> None:
    stems = tuple(spectrum(seed) for seed in range(len(STEMS)))
    mix = np.asarray(sum(stems), np.complex64)
    rng = np.random.default_rng(9)
    mixture = Mixture.split(mix, rng.random(mix.shape, np.float32))
    weights = rng.random((COUNT, BANDS, len(COMPONENTS), len(STEMS)), np.float32)
    statistics = bands.statistics(mixture, stems).astype(np.float64)
    assert statistics.shape == (COUNT, BANDS, FIELDS)
    for number, stem in enumerate(stems):
        masks = [spread(weights[:, :, c, number])[:, None] * mixture.shares()[c] for c in range(len(COMPONENTS))]
        wrong = stem - mix * np.sum(masks, axis=0)
        direct = summed((np.abs(wrong) ** 2).sum(axis=1))
        error = statistics[..., ENERGY + number].copy()
        for c in range(len(COMPONENTS)):
            error -= 2 * weights[:, :, c, number] * statistics[..., CROSS + number * len(COMPONENTS) + c]
        for field, (one, other) in enumerate(PAIRS):
            product = weights[:, :, one, number] * weights[:, :, other, number] * statistics[..., GRAM + field]
            error += product if one == other else 2 * product
        assert (error * 10 ** statistics[..., LEVEL]).sum() == pytest.approx(direct.sum(), rel=0.01)
