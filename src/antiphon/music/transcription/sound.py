"""A sound to listen to: the sum of files, brought to one loudness."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.signal.framing import summed

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """The sum of the files ``paths``, ``gain`` times as loud, of music that is tuned ``tuning_cents`` over A = 440 Hz
    and lasts about ``duration`` seconds."""

    paths: tuple[Path, ...]
    gain: float = 1.0
    tuning_cents: float = 0.0
    duration: float = 0.0

    def blocks(self, sample_rate: int, block: int) -> Iterator[Samples]:
        """Mono blocks (n,) in order, ``block`` samples but for the last; as long as the longest of the files.

        Raises:
            NotAudio: A file cannot be decoded.
        """
        streams = [audio.stream(path, sample_rate=sample_rate, channels=1, block=block) for path in self.paths]
        for blocks in zip_longest(*streams):
            yield summed([one[:, 0] for one in blocks if one is not None]) * np.float32(self.gain)


def joined(sounds: Sequence[Sound]) -> Sound:
    """The sum of sounds of one song."""
    return replace(sounds[0], paths=tuple(path for sound in sounds for path in sound.paths))


def in_db(level: Samples) -> Samples:
    """RMS amplitudes in dB re full scale."""
    decibels: Samples = 20 * np.log10(level + 1e-10)
    return decibels


def loud_db(level: Samples, silent: float = -60.0) -> float:
    """Level in dB of the loud passages of a sound of RMS amplitude ``level`` (frames,): the 95th percentile of the
    frames that are not ``silent``."""
    decibels = in_db(level)
    sounding = decibels[decibels >= silent]
    return float(np.percentile(sounding, 95)) if len(sounding) else silent
