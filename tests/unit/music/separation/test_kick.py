"""The low end of a kick goes to the drums, a bass note stays where it is."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.separation.kick import Parts, with_kicks

Samples = NDArray[np.float32]
RATE = 44_100


def stereo(mono: NDArray[np.float64]) -> Samples:
    return np.repeat(mono[:, np.newaxis], 2, axis=1).astype(np.float32)


def scene() -> tuple[Samples, Samples, Samples]:
    """Four seconds of clicks each half second, the low end of a kick under each, and a held bass."""
    time = np.arange(4 * RATE) / RATE
    since = time % 0.5
    click = np.random.default_rng(6).standard_normal(len(time)) * np.exp(-since * 300)
    boom = np.sin(2 * np.pi * 55 * since) * np.exp(-since * 25)
    return stereo(0.3 * click), stereo(0.5 * boom), stereo(0.1 * np.sin(2 * np.pi * 82 * time))


def moved(drums: Samples, bass: Samples, size: int = 50_000) -> tuple[Samples, Samples]:
    rest = np.zeros_like(drums)

    def parts() -> Iterator[Parts]:
        for at in range(0, len(drums), size):
            place = slice(at, at + size)
            yield (drums + bass)[place], rest[place], drums[place], bass[place]

    mix, vocals, hit, deep = (np.concatenate(several) for several in zip(*with_kicks(parts()), strict=True))
    assert np.array_equal(mix, drums + bass)
    assert not vocals.any()
    assert hit + deep == pytest.approx(drums + bass, abs=1e-5)
    return hit, deep


def error(heard: Samples, true: Samples) -> float:
    return float(np.sum((heard - true) ** 2) / np.sum(true**2))


def test_the_low_end_of_a_kick_is_moved_to_the_drums() -> None:
    click, boom, bass = scene()
    hit, deep = moved(click, boom + bass)
    assert error(hit, click + boom) < 0.5 * error(click, click + boom)
    assert error(deep, bass) < 0.25 * error(boom + bass, bass)


def test_a_bass_without_clicks_above_it_is_left_as_it_is() -> None:
    _, boom, bass = scene()
    _, deep = moved(np.zeros_like(bass), boom + bass)
    assert deep == pytest.approx(boom + bass, abs=1e-6)


def test_clicks_over_a_held_bass_take_nothing_from_it() -> None:
    click, _, bass = scene()
    _, deep = moved(click, bass)
    assert error(deep[RATE:], bass[RATE:]) < 0.01


def test_the_size_of_the_blocks_does_not_change_the_result() -> None:
    click, boom, bass = scene()
    for one, other in zip(moved(click, boom + bass, 7_001), moved(click, boom + bass, 200_000), strict=True):
        assert one == pytest.approx(other, abs=1e-5)
