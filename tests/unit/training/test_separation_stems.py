"""Drums and bass by a network's answer, as a stream."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from training.separation.components import BANDS, COMPONENTS, KNOWN, LEVEL, SAMPLE_RATE, STEMS, Floats
from training.separation.stems import Shares, StemNetwork, rhythm_shares, split_stems

from antiphon.music.separation.spectra import Frames
from antiphon.music.separation.vocals import Mask, VocalMask

Samples = NDArray[np.float32]


class NoVoice(VocalMask):
    """A vocal network that hears no voice."""

    def __init__(self) -> None:
        pass

    def __call__(self, frames: Frames) -> Mask:
        return np.zeros(frames.shape, np.float32)


class EvenNetwork(StemNetwork):
    """A network that gives each stem the same."""

    def __init__(self) -> None:
        pass

    def __call__(self, known: Floats) -> Shares:
        return np.full((*known.shape[:2], len(COMPONENTS), len(STEMS)), 1 / len(STEMS), np.float32)


@pytest.fixture(scope="module")
def network() -> StemNetwork:
    return EvenNetwork()


def split(samples: Samples, network: StemNetwork, size: int = 100_000) -> list[Samples]:
    """Mix, vocals, drums, bass."""

    def blocks() -> Iterator[Samples]:
        for start in range(0, len(samples), size):
            yield samples[start : start + size]

    return [np.concatenate(part) for part in zip(*split_stems(blocks(), NoVoice(), network), strict=True)]


def parts(seconds: float) -> tuple[Samples, Samples, Samples]:
    """Clicks, a walking low line and a chord, (n, 2) each."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    click = np.random.default_rng(0).normal(size=len(time)) * np.exp(-(time % 0.5) * 60)
    pitch = np.array([55.0, 65.4, 73.4, 82.4])[(time * 2).astype(int) % 4]
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    line = np.sum([np.sin(order * phase) / order**1.5 for order in range(1, 6)], axis=0) * np.exp(-(time % 0.5) * 2)
    chord = np.sum([np.sin(2 * np.pi * hertz * time) for hertz in (440, 554, 659, 880)], axis=0) * 0.4
    return _stereo(click), _stereo(line), _stereo(chord)


def _stereo(part: NDArray[np.float64]) -> Samples:
    return np.stack([part, part], axis=1).astype(np.float32) * np.float32(0.2)


def test_the_level_of_a_song_changes_nothing_but_the_level(network: StemNetwork) -> None:
    song = np.sum(parts(4.0), axis=0)
    for loud, quiet in zip(split(song, network), split(song * np.float32(0.01), network), strict=True):
        assert quiet * 100 == pytest.approx(loud, abs=5e-3)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 14.0])
def test_the_size_of_the_blocks_does_not_change_the_result(network: StemNetwork, seconds: float) -> None:
    song = np.sum(parts(seconds), axis=0)
    for small, large in zip(split(song, network, 15_000), split(song, network, 10**7), strict=True):
        assert small.shape == song.shape
        assert small == pytest.approx(large, abs=1e-5)


def test_silence_stays_silent(network: StemNetwork) -> None:
    assert all(not np.any(part) for part in split(np.zeros((SAMPLE_RATE, 2), np.float32), network))


def test_drums_and_bass_never_ask_for_more_than_there_is() -> None:
    rng = np.random.default_rng(2)
    known = rng.random((30, BANDS, KNOWN), np.float32)
    known[..., LEVEL] = rng.uniform(-8, 2, (30, BANDS))
    shares = rng.dirichlet(np.ones(len(STEMS)), (30, BANDS, len(COMPONENTS))).astype(np.float32)
    rhythm = rhythm_shares(known, shares)
    assert rhythm.shape == (30, BANDS, 2, 2)
    assert (rhythm >= 0).all()
    assert (rhythm.sum(axis=-1) <= 1 + 1e-5).all()
