"""Power of streamed sound in frequency bands."""

import numpy as np
import pytest

from antiphon.music.signal.bands import BATCH_FRAMES, BandPower

WINDOW, HOP, RATE = 256, 100, 8_000
BINS = WINDOW // 2 + 1
WEIGHTS = np.random.default_rng(2).random((BINS, 5)).astype(np.float32)


def noise(count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(1).normal(0, 0.3, count).astype(np.float32)


def test_a_frame_is_the_power_of_the_window_centred_on_its_sample() -> None:
    sound = noise((BATCH_FRAMES + 9) * HOP)
    power = BandPower(WEIGHTS, HOP)
    found = np.concatenate([power.push(sound), power.finish()])
    assert len(found) == len(sound) // HOP + 1
    padded = np.pad(sound.astype(np.float64), WINDOW // 2)
    for frame in (0, 1, BATCH_FRAMES, len(found) - 1):
        window = padded[frame * HOP : frame * HOP + WINDOW] * np.hanning(WINDOW)
        assert found[frame] == pytest.approx(np.abs(np.fft.rfft(window)) ** 2 @ WEIGHTS, rel=1e-4)


def test_a_tone_is_in_its_band_alone() -> None:
    tone = np.sin(2 * np.pi * 1_500 * np.arange(4_000) / RATE).astype(np.float32)
    hertz = np.fft.rfftfreq(WINDOW, 1 / RATE)
    octaves = np.stack([(hertz >= low) & (hertz < 2 * low) for low in (500, 1_000, 2_000)], axis=1)
    power = BandPower(octaves.astype(np.float32), HOP).push(tone)[5]
    assert power.argmax() == 1
    assert np.sort(power)[-2] < 1e-4 * power.max()


def test_power_does_not_depend_on_the_blocks_it_comes_in() -> None:
    sound = noise(30_000)
    parts = BandPower(WEIGHTS, HOP)
    found = np.concatenate([parts.push(sound[at : at + 777]) for at in range(0, len(sound), 777)])
    assert found == pytest.approx(BandPower(WEIGHTS, HOP).push(sound), rel=1e-5)


def test_too_little_sound_for_a_window_gives_no_frame() -> None:
    assert BandPower(WEIGHTS, HOP).push(noise(WINDOW // 2 - 1)).shape == (0, 5)
