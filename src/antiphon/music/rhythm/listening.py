"""What a song's rhythm and harmony are found in, heard in one pass over its stems."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.rhythm.onsets import BLOCK_SAMPLES, DRUMS, HOP, SAMPLE_RATE, VOCAL, Rises, salient
from antiphon.music.signal.framing import summed
from antiphon.music.signal.pitchbands import pitch_power

PITCH_WINDOW, PITCH_HOP = 8_192, 8 * HOP
PITCH_FRAME_RATE = SAMPLE_RATE / PITCH_HOP

Frames = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Listened:
    """``strength`` (frames,): onset strength, as ``onset_strength`` has it. ``accents`` (frames, 6): that of the low,
    middle and high bands, of all and of the drums alone. ``pitches`` (slow frames, bands): power by pitch of all
    stems but the drums, ``PITCH_FRAME_RATE`` times a second."""

    strength: Frames
    accents: NDArray[np.float32]
    pitches: NDArray[np.float32]


def listen(stems: Mapping[str, Path]) -> Listened:
    """Listens to the stems, which are streamed. Singers, who keep the beat least, count for the rhythm only where
    there is no other stem.

    Args:
        stems: File by name of the stem.

    Raises:
        NotAudio: A file cannot be opened.
    """
    streams = [audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK_SAMPLES) for path in stems.values()]
    listener = RhythmListener(list(stems))
    for blocks in zip_longest(*streams):
        listener.push({name: block[:, 0] for name, block in zip(stems, blocks, strict=True) if block is not None})
    return listener.finish()


class RhythmListener:
    """Hears stems that come in blocks.

    Args:
        names: Names of the stems.
    """

    def __init__(self, names: list[str]) -> None:
        self._struck = [name for name in names if name != VOCAL] or names
        self._tonal = [name for name in names if name != DRUMS]
        self._whole, self._drums = Rises(), Rises()
        self._pitch = pitch_power(SAMPLE_RATE, PITCH_WINDOW, PITCH_HOP)
        self._power: list[NDArray[np.float32]] = []

    def push(self, blocks: Mapping[str, NDArray[np.float32]]) -> None:
        """The next block (n,) of each stem that goes on, at ``SAMPLE_RATE``."""
        struck = summed([blocks[name] for name in self._struck if name in blocks])
        self._whole.push(struck)
        if DRUMS in blocks and len(self._struck) > 1:
            self._drums.push(blocks[DRUMS])
        self._power.append(self._pitch.push(summed([blocks[name] for name in self._tonal if name in blocks])))

    def finish(self) -> Listened:
        strength = salient(self._whole.strength())
        beaten = salient(self._drums.strength())
        strength[: len(beaten)] += beaten[: len(strength)]
        accents = np.zeros((len(strength), 6), np.float32)
        for first, rises in ((0, self._whole), (3, self._drums)):
            for column, one in enumerate(rises.by_register().T, start=first):
                accents[: len(one), column] = salient(one)[: len(accents)]
        return Listened(strength, accents, np.concatenate([*self._power, self._pitch.finish()]))
