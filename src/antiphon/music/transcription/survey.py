"""What is found out about a song before its notes are listened to: how loud it is, and how it is tuned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.transcription.sound import Samples, Sound
from antiphon.music.transcription.tuning import SAMPLE_RATE, TuningMeter

BLOCK_SAMPLES = 10 * SAMPLE_RATE
LOUDNESS_SAMPLES = SAMPLE_RATE // 10
LOUD_PERCENTILE = 95.0
"""The 100 ms blocks that are a song's loud passages."""
TARGET_LOUD_DB = -18.0
"""RMS level re full scale to which a song's loud passages are brought before anything listens to it."""
SILENT_DB = -90.0
"""RMS level of loud passages under which a song is the noise of 16 bits, and stays as quiet as it is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """``gain`` brings the song to the loudness at which it is listened to, ``levels_db`` are the RMS levels that its
    stems have then, and ``tuning_cents`` is how far it is tuned over A = 440 Hz."""

    gain: float
    tuning_cents: float
    levels_db: Mapping[str, float]

    @property
    def gain_db(self) -> float:
        return 20 * float(np.log10(self.gain))

    def level_db(self, stems: Iterable[str]) -> float:
        """RMS level of stems together, as far as they do not sound alike."""
        return 10 * float(np.log10(sum(10 ** (self.levels_db[stem] / 10) for stem in stems) + 1e-20))

    def sound(self, paths: Iterable[Path], duration: float) -> Sound:
        """The sum of some of the song's files, as it is listened to."""
        return Sound(tuple(paths), self.gain, self.tuning_cents, duration)


def survey(stems: Mapping[str, Path]) -> Survey:
    """Listens to the sum of a song's stems once. The drums do not count for the tuning.

    Raises:
        NotAudio: A file cannot be decoded.
    """
    names = sorted(stems)
    streams = [audio.stream(stems[name], sample_rate=SAMPLE_RATE, channels=1, block=BLOCK_SAMPLES) for name in names]
    meter, powers, energies, total = TuningMeter(), [np.zeros(0)], dict.fromkeys(names, 0.0), 0
    for blocks in zip_longest(*streams):
        length = max(len(block) for block in blocks if block is not None)
        pitched, drums = np.zeros(length, np.float32), np.zeros(length, np.float32)
        for name, block in zip(names, blocks, strict=True):
            if block is not None:
                energies[name] += float(np.square(block, dtype=np.float64).sum())
                (drums if name == "drums" else pitched)[: len(block)] += block[:, 0]
        total += length
        meter.push(pitched)
        powers.append(_powers(pitched + drums))
    gain = _gain(np.concatenate(powers))
    levels = {name: 10 * float(np.log10(gain**2 * one / max(total, 1) + 1e-20)) for name, one in energies.items()}
    return Survey(gain, meter.cents(), levels)


def _powers(samples: Samples) -> NDArray[np.float64]:
    """Mean power of the sound's 100 ms; what is left of them at the end counts as one."""
    samples = samples - samples.mean()
    starts = np.arange(0, len(samples), LOUDNESS_SAMPLES)
    sums = np.add.reduceat(np.square(samples, dtype=np.float64), starts)
    return np.asarray(sums / np.minimum(len(samples) - starts, LOUDNESS_SAMPLES))


def _gain(powers: NDArray[np.float64]) -> float:
    loud = 10 * np.log10(np.percentile(powers, LOUD_PERCENTILE) + 1e-20) if len(powers) else -200.0
    return 1.0 if loud < SILENT_DB else float(10 ** ((TARGET_LOUD_DB - loud) / 20))
