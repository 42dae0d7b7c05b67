"""Onset strength of a song over time."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.bands import BandPower

SAMPLE_RATE = 22_050
HOP = 256
WINDOW = 1_024
FRAME_RATE = SAMPLE_RATE / HOP
BLOCK_SAMPLES = 512 * HOP
RISE_LEAD_S = 0.004
"""Seconds by which the steepest rise of a windowed level comes before what is heard as the onset."""
POWER_FLOOR = 1e-3
"""Added to a band's power, so that inaudible changes are no rise."""
REGISTERS_HZ = (150.0, 2_000.0)
"""Where the low bands end and the high ones begin."""
MAX_BELOW_LOUD_DB = 42.0
"""What begins this many dB below the loud passages of a song, such as its hiss, is no onset."""
LOUD_PERCENTILE = 95
ATTACK_FRAMES = 5
"""Frames in which an onset becomes as loud as it gets."""
DRUMS, VOCAL = "drums", "vocal"

Strength = NDArray[np.float32]


class Rises:
    """Mean rise of 32 log-spaced bands in dB, of sound that comes in blocks."""

    def __init__(self) -> None:
        hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
        edges = np.geomspace(30, SAMPLE_RATE / 2, 33)
        bands = np.array([(hertz >= low) & (hertz < high) for low, high in pairwise(edges)])
        used = bands[bands.any(axis=1)]
        middles = np.array([hertz[band].mean() for band in used])
        self._registers = np.array([np.searchsorted(REGISTERS_HZ, middles) == register for register in range(3)])
        self._power = BandPower(used.T.astype(np.float32), HOP)
        self._level = np.full((1, len(used)), 10 * np.log10(POWER_FLOOR), np.float32)
        self._rises: list[Strength] = []
        self._by_register: list[Strength] = []
        self._loudness: list[Strength] = []

    def push(self, block: NDArray[np.float32]) -> None:
        power = self._power.push(block)
        level = 10 * np.log10(power + POWER_FLOOR)
        if len(level):
            self._loudness.append(10 * np.log10(power.sum(axis=1) + POWER_FLOOR))
            level = np.concatenate([self._level, level])
            rises = np.maximum(np.diff(level, axis=0), 0)
            self._rises.append(rises.mean(axis=1))
            self._by_register.append(np.stack([rises[:, own].mean(axis=1) for own in self._registers], axis=1))
            self._level = level[-1:]

    def strength(self) -> Strength:
        """The first frame rises out of silence, but no further than any other."""
        if not self._rises:
            return np.zeros(0, np.float32)
        return self._audible(_from_silence(np.concatenate(self._rises)))

    def by_register(self) -> Strength:
        """The same of the low, middle and high bands alone, (frames, 3)."""
        return self._audible(_from_silence(np.concatenate([np.zeros((0, 3), np.float32), *self._by_register])))

    def _audible(self, strength: Strength) -> Strength:
        """``strength`` (frames, …) without what stays far below the song's loud passages."""
        if len(strength):
            loudness = np.concatenate(self._loudness)
            ahead = np.pad(loudness, (0, ATTACK_FRAMES - 1), constant_values=-np.inf)
            reached = np.lib.stride_tricks.sliding_window_view(ahead, ATTACK_FRAMES).max(axis=1)
            strength[reached < np.percentile(loudness, LOUD_PERCENTILE) - MAX_BELOW_LOUD_DB] = 0.0
        return strength


def _from_silence(strength: Strength) -> Strength:
    if len(strength):
        strength[:2] = np.minimum(strength[:2], strength[2:].max(axis=0, initial=0.0))
    return strength


def salient(strength: Strength) -> NDArray[np.float64]:
    """What stands out of ``strength``: its excess over the mean of the second around, nearly as large in quiet passages
    as in loud ones."""
    excess = np.clip(strength - around(strength, 1.0), 0, None)
    usual = np.sqrt(around(np.square(excess), 16.0))
    overall = np.sqrt(np.square(excess).mean()) if len(excess) else 0.0
    found: NDArray[np.float64] = excess / (np.maximum(usual, 0.3 * overall) + 1e-9)
    return found


def around(values: NDArray[np.floating], seconds: float) -> NDArray[np.float64]:
    """The mean over ``seconds`` around each of ``values`` (frames,)."""
    width = round(seconds * FRAME_RATE / 2)
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    place = np.arange(len(values))
    first, last = np.maximum(place - width, 0), np.minimum(place + width + 1, len(values))
    mean: NDArray[np.float64] = (total[last] - total[first]) / (last - first)
    return mean
