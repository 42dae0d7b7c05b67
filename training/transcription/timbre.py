"""What a note sounds like: the levels of its harmonics around its onset, and the instruments that are told apart by it.

numpy alone, as ``features`` is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.levels import BINS, BINS_PER_SEMITONE, HOP, MIN_PITCH, PITCHES, SAMPLE_RATE, Floats

INSTRUMENTS = (
    *("piano", "electric piano", "organ", "acoustic guitar", "clean guitar", "overdriven guitar", "bass", "strings"),
    *("brass", "woodwinds", "synth", "mallets", "voice"),
)
"""What is told apart."""
_BY_CLASS = {
    "piano": "piano",
    **dict.fromkeys(("electric_piano", "harpsichord", "clavinet"), "electric piano"),
    **dict.fromkeys(("guitar_acoustic", "guitar_nylon", "banjo", "harp"), "acoustic guitar"),
    **dict.fromkeys(("guitar_clean", "guitar_jazz", "guitar_muted"), "clean guitar"),
    **dict.fromkeys(("guitar_overdriven", "guitar_distorted"), "overdriven guitar"),
}
_BY_FAMILY = {"keyboard": "piano", "guitar": "clean guitar", "backing_voice": "voice"}

HARMONICS = 20
BEFORE, AFTER = 6, 19
"""Frames before a note's onset, and from it on."""
FRAMES = BEFORE + AFTER
MAPS = 3
"""Levels of the harmonics by long windows and by short ones, and of what lies between harmonics."""


def instrument(cls: str, family: str) -> int:
    """The place in ``INSTRUMENTS`` of a class of the material."""
    return INSTRUMENTS.index(_BY_CLASS.get(cls) or _BY_FAMILY.get(family, family))


def harmonic_bins(pitch: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bins of the harmonics of a MIDI pitch, and those between each and the next; too high ones are ``BINS``."""
    orders = np.arange(1, HARMONICS + 1)
    bins = [
        np.rint((pitch - MIN_PITCH + 12 * np.log2(order)) * BINS_PER_SEMITONE + 1).astype(np.intp)
        for order in (orders, orders + 0.5)
    ]
    return np.minimum(bins[0], BINS), np.minimum(bins[1], BINS)


def patches(level: Floats, onsets: Sequence[float], pitches: Sequence[int]) -> tuple[Floats, Floats]:
    """Scaled levels (CHANNELS, frames, BINS) around notes: (notes, MAPS, FRAMES, HARMONICS), re the loudest of
    them, and the notes' pitches from 0 to 1. What lies outside is silence."""
    padded = np.pad(level, ((0, 0), (BEFORE, AFTER), (0, 1)))
    out = np.zeros((len(onsets), MAPS, FRAMES, HARMONICS), np.float32)
    for number, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        first = int(np.clip(round(onset * SAMPLE_RATE / HOP), 0, level.shape[1] - 1))
        harmonics, between = harmonic_bins(pitch)
        window = padded[:, first : first + FRAMES]
        out[number, :2] = window[:, :, harmonics]
        out[number, 2] = window[0][:, between]
        out[number] -= out[number, 0].max()
    relative = np.maximum(out + 1, 0)
    return relative, np.asarray([(pitch - MIN_PITCH) / PITCHES for pitch in pitches], np.float32)
