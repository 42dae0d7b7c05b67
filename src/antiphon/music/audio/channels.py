"""Down-mix of any speaker layout to mono or stereo."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio.source import Samples

_HALF_POWER = float(np.sqrt(0.5))
_FULL = {"FL": (1.0, 0.0), "FR": (0.0, 1.0), "DL": (1.0, 0.0), "DR": (0.0, 1.0)}


def fold(samples: Samples, layout: tuple[str, ...], channels: int) -> Samples:
    """``samples`` (n, len(layout)) as (n, channels), ``channels`` being 1 or 2.

    Mono is doubled; centre and surround speakers go into left and right 3 dB down and the low-frequency
    channel is left out, as ITU-R BS.775-3 annex 4 has it, scaled so that nothing clips; mono is their mean.
    """
    if len(layout) == channels <= 2:
        return samples
    if len(layout) == 1:
        return np.repeat(samples, channels, axis=1)
    folded: Samples = samples @ _matrix(layout, channels)
    return folded


@lru_cache(maxsize=32)
def _matrix(layout: tuple[str, ...], channels: int) -> NDArray[np.float32]:
    stereo = np.eye(2) if len(layout) == 2 else np.array([_gains(name) for name in layout])
    if not stereo.any():
        stereo[:] = 1.0
    stereo = stereo / np.maximum(stereo.sum(axis=0), 1.0)
    matrix = stereo if channels == 2 else stereo.mean(axis=1, keepdims=True)
    return np.ascontiguousarray(matrix, dtype=np.float32)


def _gains(name: str) -> tuple[float, float]:
    """Gains of one speaker into left and right, by FFmpeg's channel name."""
    if name in _FULL:
        return _FULL[name]
    if name.startswith("LFE"):
        return 0.0, 0.0
    if name.endswith("L"):
        return _HALF_POWER, 0.0
    if name.endswith("R"):
        return 0.0, _HALF_POWER
    return _HALF_POWER, _HALF_POWER
