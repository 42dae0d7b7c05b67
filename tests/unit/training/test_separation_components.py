"""A mix as three components in bands."""

from itertools import pairwise

import numpy as np
import pytest
from training.separation.components import BANDS, EDGES, GRID, LEVEL, Mixture, mixtures, percussive_share

from antiphon.music.separation.spectra import Frames


def spectrum(seed: int) -> Frames:
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((2, 40, 2, GRID.bins), np.float32)
    slope = np.linspace(1, 0.01, GRID.bins, dtype=np.float32)
    return np.asarray((parts[0] + 1j * parts[1]) * slope, np.complex64)


def test_every_bin_belongs_to_one_band() -> None:
    assert EDGES[0] == 0
    assert EDGES[-1] == GRID.bins
    assert len(EDGES) == BANDS + 1
    assert (np.diff(EDGES) > 0).all()


def test_the_components_of_a_mixture_sum_to_it() -> None:
    frames = spectrum(1)
    voice = np.random.default_rng(2).random(frames.shape, np.float32)
    assert np.sum(Mixture.split(frames, voice).shares(), axis=0) == pytest.approx(1.0, abs=1e-5)


def test_a_steady_tone_is_harmonic_and_a_click_percussive() -> None:
    magnitude = np.full((60, GRID.bins), 1e-3, np.float32)
    magnitude[:, 200] = 1.0
    magnitude[30, :] = 1.0
    frames = np.repeat(magnitude[:, np.newaxis], 2, axis=1).astype(np.complex64)
    share = percussive_share(frames, np.zeros(frames.shape, np.float32))
    assert share[10, 0, 200] < 0.01
    assert share[30, 0, 1000] > 0.99


def test_a_mixture_that_comes_in_pieces_is_split_like_a_whole_one() -> None:
    frames = spectrum(3)
    voice = np.random.default_rng(4).random(frames.shape, np.float32)
    whole = Mixture.split(frames, voice)
    cuts = (0, 3, 4, 25, 25, 39, len(frames))
    pieces = list(mixtures((frames[a:b], voice[a:b]) for a, b in pairwise(cuts)))
    assert sum(len(piece) for piece in pieces) == len(frames)
    for name in ("frames", "voice", "percussive"):
        assert np.array_equal(np.concatenate([getattr(piece, name) for piece in pieces]), getattr(whole, name))


def test_what_the_network_sees_does_not_depend_on_the_level_but_for_the_level() -> None:
    frames = spectrum(5)
    voice = np.random.default_rng(6).random(frames.shape, np.float32)
    loud, quiet = Mixture.split(frames, voice).known(), Mixture.split(frames * np.float32(0.01), voice).known()
    assert loud[..., 1:] == pytest.approx(quiet[..., 1:], abs=1e-3)
    assert loud[..., LEVEL] - quiet[..., LEVEL] == pytest.approx(4.0, abs=1e-3)
