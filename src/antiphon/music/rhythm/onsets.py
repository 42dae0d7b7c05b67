"""How strongly something begins at each moment of a song."""

from collections.abc import Mapping
from itertools import pairwise, zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio

SAMPLE_RATE = 22_050
HOP = 256
WINDOW = 1_024
FRAME_RATE = SAMPLE_RATE / HOP
BLOCK = 512 * HOP
EARLY = 0.004
"""Seconds by which the steepest rise of a windowed level comes before what is heard as the onset."""
POWER_FLOOR = 1e-3
"""Added to a band's power, so that what nobody hears does not rise."""
DRUMS, VOCAL = "drums", "vocal"

Strength = NDArray[np.float32]


def onset_strength(stems: Mapping[str, Path]) -> NDArray[np.float64]:
    """What begins in the song whose ``stems`` (file by name) these are, ``FRAME_RATE`` times a second, shape (frames,):
    that of all stems together, and again that of the drums if they are apart. Singers, who keep the beat least, are
    heard only where nobody else is. The audio is streamed."""
    heard = {name: path for name, path in stems.items() if name != VOCAL} or stems
    whole, drums = _Rises(), _Rises()
    streams = [audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK) for path in heard.values()]
    for blocks in zip_longest(*streams):
        together = np.zeros(max(len(block) for block in blocks if block is not None), np.float32)
        for name, block in zip(heard, blocks, strict=True):
            if block is None:
                continue
            together[: len(block)] += block[:, 0]
            if name == DRUMS and len(heard) > 1:
                drums.push(block[:, 0])
        whole.push(together)
    strength = salient(whole.strength())
    beaten = salient(drums.strength())
    strength[: len(beaten)] += beaten[: len(strength)]
    return strength


class _Rises:
    """Mean rise of 32 log-spaced bands in dB, of sound that comes in blocks."""

    def __init__(self) -> None:
        hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
        edges = np.geomspace(30, SAMPLE_RATE / 2, 33)
        bands = np.array([(hertz >= low) & (hertz < high) for low, high in pairwise(edges)])
        self._bands = bands[bands.any(axis=1)].T.astype(np.float32)
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._held = np.zeros(WINDOW // 2, np.float32)
        self._level = np.full((1, self._bands.shape[1]), 10 * np.log10(POWER_FLOOR), np.float32)
        self._rises: list[Strength] = []

    def push(self, block: NDArray[np.float32]) -> None:
        held = np.concatenate([self._held, block])
        count = max((len(held) - WINDOW) // HOP + 1, 0)
        self._held = held[count * HOP :]
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::HOP][:count] * self._shape
            power = np.square(np.abs(np.fft.rfft(frames, axis=1))).astype(np.float32) @ self._bands
            level = 10 * np.log10(power + POWER_FLOOR)
            level = np.concatenate([self._level, level])
            self._rises.append(np.maximum(np.diff(level, axis=0), 0).mean(axis=1))
            self._level = level[-1:]

    def strength(self) -> Strength:
        """The first frame rises out of silence, but no further than any other."""
        if not self._rises:
            return np.zeros(0, np.float32)
        strength = np.concatenate(self._rises)
        strength[:2] = np.minimum(strength[:2], strength[2:].max(initial=0.0))
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
