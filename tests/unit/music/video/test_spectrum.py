"""The bars' heights, measured from sounds whose spectrum is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from antiphon.music.video.spectrum import BANDS, RATE_HZ, Spectrum, analyse, band_edges

Floats = NDArray[np.float32]


def sine(hertz: float, seconds: float = 1.0, level: float = 0.5) -> Floats:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def measure(sound: Floats, block: int = RATE_HZ, fps: int = 30) -> Spectrum:
    return analyse((sound[start : start + block] for start in range(0, len(sound), block)), fps)


@pytest.mark.parametrize("hertz", [60, 120, 440, 1500, 5000, 12000])
def test_a_sine_is_tallest_in_its_own_band_or_the_next(hertz: float) -> None:
    band = int(np.searchsorted(band_edges(), hertz)) - 1
    middle = measure(sine(hertz)).levels[15].astype(int)
    assert abs(int(middle.argmax()) - band) <= 1
    far = [level for other, level in enumerate(middle) if abs(other - band) > 12]
    assert max(far) < middle.max() / 3


def test_louder_is_taller_within_a_song() -> None:
    sound = np.concatenate([sine(500, level=0.05), sine(500, level=0.5)])
    levels = measure(sound).levels
    assert 0 < levels[20].max() < levels[50].max()


def test_a_quiet_song_fills_the_bars_as_a_loud_one_does() -> None:
    noise = np.random.default_rng(1).normal(0, 0.2, 2 * RATE_HZ).astype(np.float32)
    loud, quiet = measure(noise).levels, measure(noise * np.float32(0.05)).levels
    assert np.abs(loud.astype(int) - quiet).max() <= 6


def test_silence_stays_at_the_bottom() -> None:
    spectrum = measure(np.zeros(RATE_HZ, np.float32))
    assert spectrum.levels.max() == 0
    assert spectrum.pulse.max() == 0


def test_the_number_of_frames_covers_the_sound_exactly() -> None:
    for samples, frames in ((1, 1), (1469, 1), (1470, 1), (1471, 2), (RATE_HZ, 30)):
        assert measure(np.zeros(samples, np.float32)).levels.shape == (frames, BANDS)
    assert measure(np.zeros(RATE_HZ, np.float32)).duration == 1.0


def test_no_bar_rises_before_its_sound_even_far_into_a_song() -> None:
    """A frame stands at sample index × rate / fps, so nothing adds up."""
    sound = np.zeros(20 * RATE_HZ, np.float32)
    clicks = [RATE_HZ, 10 * RATE_HZ, 19 * RATE_HZ]
    sound[clicks] = 1.0
    rising = np.flatnonzero(np.diff(measure(sound).levels.max(axis=1).astype(int)) > 20) + 1
    assert rising.tolist() == [30, 300, 570]


def test_the_blocks_in_which_the_sound_comes_change_nothing() -> None:
    noise = np.random.default_rng(2).normal(0, 0.2, RATE_HZ).astype(np.float32)
    whole, small = measure(noise), measure(noise, block=777)
    assert np.array_equal(whole.levels, small.levels)
    assert np.array_equal(whole.pulse, small.pulse)


def test_the_pulse_beats_with_the_bass_drum() -> None:
    sound = np.zeros(4 * RATE_HZ, np.float32)
    kick = sine(60, 0.15) * np.linspace(1, 0, round(0.15 * RATE_HZ)).astype(np.float32)
    for beat in range(8):
        sound[beat * RATE_HZ // 2 : beat * RATE_HZ // 2 + len(kick)] += kick
    pulse = measure(sound).pulse
    assert all(pulse[frame : frame + 4].max() > 150 for frame in range(15, 120, 15))
    assert all(pulse[frame - 1] < 60 for frame in range(15, 120, 15))


def test_samples_that_are_not_numbers_are_silence() -> None:
    sound = sine(300)
    sound[5000:5100] = np.nan
    assert measure(sound).levels[15].max() > 100
