"""The short-time Fourier transform and its inverse."""

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.signal.stft import Analysis, Grid, Synthesis, frames_of

GRID = Grid(window=4096, hop=1024)


def noise(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(length, 2)).astype(np.float32)


@pytest.mark.parametrize("length", [1, 100, 1023, 4096, 50_001])
@pytest.mark.parametrize("size", [7_000, 100_000])
def test_a_spectrum_turned_back_is_the_sound(length: int, size: int) -> None:
    samples = noise(length)
    blocks = (samples[start : start + size] for start in range(0, length, size))
    synthesis = Synthesis(GRID, 2)
    whole = np.concatenate([synthesis.push(frames) for _, frames in frames_of(blocks, GRID, 2)])
    assert length <= len(whole) < length + 1024
    assert whole[:length] == pytest.approx(samples, abs=1e-5)


def test_a_frame_is_the_spectrum_under_a_periodic_hann_window() -> None:
    samples = noise(20_000)
    frames = Analysis(GRID, 2).push(samples)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4096) / 4096)
    start = 5 * 1024 - GRID.lead
    expected = np.fft.rfft(samples[start : start + 4096].T * hann)
    assert frames.shape[1:] == (2, GRID.bins)
    assert frames[5] == pytest.approx(expected, abs=1e-2)


def test_a_block_too_short_for_a_frame_gives_none() -> None:
    analysis, synthesis = Analysis(GRID, 2), Synthesis(GRID, 2)
    frames = analysis.push(noise(1_000))
    assert frames.shape == (0, 2, GRID.bins)
    assert synthesis.push(frames).shape == (0, 2)


@pytest.mark.parametrize(("window", "hop"), [(4096, 1000), (4096, 2048)])
def test_a_grid_that_could_not_be_turned_back_is_refused(window: int, hop: int) -> None:
    with pytest.raises(ValueError, match="hop must divide window at least 4 times"):
        Grid(window, hop)
