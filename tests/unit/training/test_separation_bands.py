"""The band statistics that the separation network is trained on."""

import numpy as np
import pytest
from training.separation import bands
from training.separation.bands import COMPONENTS, CROSS, ENERGY, FIELDS, GRAM, LEVEL, PAIRS, STEMS, Mixture

from antiphon.music.separation.spectra import Frames

COUNT = 40


def spectrum(seed: int) -> Frames:
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, COUNT, 2, bands.GRID.bins), np.float32)
    slope = np.linspace(1, 0.01, bands.GRID.bins, dtype=np.float32)
    return np.asarray((parts[0] + 1j * parts[1]) * slope, np.complex64)


def test_every_bin_belongs_to_one_band() -> None:
    assert bands.EDGES[0] == 0
    assert bands.EDGES[-1] == bands.GRID.bins
    assert len(bands.EDGES) == bands.BANDS + 1
    assert (np.diff(bands.EDGES) > 0).all()


def test_the_components_of_a_mixture_sum_to_it() -> None:
    frames = spectrum(1)
    voice = np.random.default_rng(2).random(frames.shape, np.float32)
    assert Mixture.split(frames, voice).shares.sum(axis=0) == pytest.approx(1.0, abs=1e-5)


def test_the_error_out_of_the_statistics_is_that_of_the_spectrogram() -> None:
    stems = tuple(spectrum(seed) for seed in range(len(STEMS)))
    mix = np.asarray(sum(stems), np.complex64)
    rng = np.random.default_rng(9)
    mixture = Mixture.split(mix, rng.random(mix.shape, np.float32))
    weights = rng.random((COUNT, bands.BANDS, len(COMPONENTS), len(STEMS)), np.float32)
    statistics = mixture.statistics(stems).astype(np.float64)
    assert statistics.shape == (COUNT, bands.BANDS, FIELDS)
    for number, stem in enumerate(stems):
        masks = [bands.spread(weights[:, :, c, number])[:, None] * mixture.shares[c] for c in range(len(COMPONENTS))]
        wrong = stem - mix * np.sum(masks, axis=0)
        direct = bands.summed((np.abs(wrong) ** 2).sum(axis=1))
        error = statistics[..., ENERGY + number].copy()
        for c in range(len(COMPONENTS)):
            error -= 2 * weights[:, :, c, number] * statistics[..., CROSS + number * len(COMPONENTS) + c]
        for field, (one, other) in enumerate(PAIRS):
            product = weights[:, :, one, number] * weights[:, :, other, number] * statistics[..., GRAM + field]
            error += product if one == other else 2 * product
        assert (error * 10 ** statistics[..., LEVEL]).sum() == pytest.approx(direct.sum(), rel=0.01)


def test_a_steady_tone_is_harmonic_and_a_click_percussive() -> None:
    magnitude = np.full((60, bands.GRID.bins), 1e-3, np.float32)
    magnitude[:, 200] = 1.0
    magnitude[30, :] = 1.0
    share = bands.percussive_share(magnitude)
    assert share[10, 200] < 0.01
    assert share[30, 1000] > 0.99
