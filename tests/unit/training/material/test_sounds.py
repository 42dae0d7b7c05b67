"""Synthesised instruments sound at their pitch and onset, and stay tuned when they are detuned.

Only where the material's own environment is: numba and pedalboard are not among the project's requirements.
"""

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("pedalboard")

from training.material import effects, synthesis, voices
from training.material.corpus import PEAK, RATE, Note

PLAYED = {
    **{cls: synthesis.plucked(cls) for cls in ("guitar_acoustic", "guitar_distorted", "bass_slap", "harp")},
    "fm": synthesis.modulated("electric_piano"),
    "deep bass": synthesis.deep_bass,
    "singer": voices.sing,
}


@pytest.mark.parametrize("cents", [0.0, -45.0])
@pytest.mark.parametrize("name", PLAYED)
def test_a_note_sounds_at_its_pitch(name: str, cents: float) -> None:
    pitch = 40 if "bass" in name else 57
    sound = PLAYED[name](np.random.default_rng(3), [Note(0.2, 1.4, pitch, 0.8)], 2 * RATE, cents)
    assert _pitch(sound[round(0.6 * RATE) : round(1.2 * RATE)]) == pytest.approx(pitch + cents / 100, abs=0.25)


@pytest.mark.parametrize("name", PLAYED)
def test_nothing_is_heard_before_the_onset_but_a_consonant(name: str) -> None:
    sound = PLAYED[name](np.random.default_rng(3), [Note(0.5, 1.0, 52, 0.8)], 2 * RATE, 0.0)
    assert not sound[: round(0.35 * RATE)].any()
    assert np.abs(sound[round(0.5 * RATE) : round(0.6 * RATE)]).max() > 0.1 * np.abs(sound).max()


def test_a_limiter_keeps_the_mix_under_the_ceiling_and_leaves_the_quiet_alone() -> None:
    time = np.arange(2 * RATE) / RATE
    loud = np.where(time < 1, 0.1, 3.0) * np.sin(2 * np.pi * 220 * time)
    mix = np.repeat(loud[:, None], 2, axis=1).astype(np.float32)
    gain = effects.limiter_gain(mix, PEAK)
    assert np.abs(mix * gain[:, None]).max() < 1.1 * PEAK
    assert gain[: RATE // 2].min() > 0.99


def test_an_amplifier_adds_harmonics_that_were_not_there() -> None:
    time = np.arange(RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    driven = effects.amplified(np.random.default_rng(0), tone, 20.0)
    assert _level(driven, 660) > _level(driven, 220) * 0.02
    assert _level(tone, 660) < _level(tone, 220) * 1e-3


def _level(sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]], hertz: float) -> float:
    return float(np.abs(np.fft.rfft(sound[:RATE] * np.hanning(RATE)))[round(hertz)])


def _pitch(sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """By the first peak of the autocorrelation that is nearly as high as the highest."""
    spectrum = np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17)
    shape = np.fft.irfft(np.square(np.abs(spectrum)))[: RATE // 40]
    shape[: RATE // 600] = 0
    lag = int(np.argmax(shape > 0.85 * shape.max()))
    while shape[lag + 1] > shape[lag]:
        lag += 1
    return float(69 + 12 * np.log2(RATE / lag / 440))
