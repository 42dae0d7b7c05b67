"""Power of sound in bands of a third of a semitone, the tuning that they show, and chroma in that tuning."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.bands import BandPower

LOWEST_PITCH, PITCHES = 24, 72
"""The MIDI pitch of the lowest semitone, and how many there are."""
BANDS_PER_SEMITONE = 3
MIN_TUNING_PITCH = 55
"""The lowest pitch whose bands are told apart well enough to show a tuning."""
MAX_BELOW_LOUDEST_DB = 50.0
"""What is this many dB quieter than the loudest moments of a song does not sound."""
STANDING_SEMITONES = 6
"""Semitones on either side that a tone must stand out of."""
BLOCK_FRAMES = 2048
REGISTER_STARTS = (52, 72, 24)
"""The MIDI pitches at which the registers of a chroma begin: the middle, the treble, the bass."""
REGISTER_ENDS = (72, 96, 52)
CHROMA = 12 * len(REGISTER_STARTS)

Power = NDArray[np.float32]
Frames = NDArray[np.float64]


def pitch_power(sample_rate: int, window: int, hop: int) -> BandPower:
    """Power in ``PITCHES * BANDS_PER_SEMITONE`` bands: each a bell a third of a semitone wide, or as wide as the
    window tells apart."""
    hertz = np.fft.rfftfreq(window, 1 / sample_rate)
    steps = (np.arange(PITCHES * BANDS_PER_SEMITONE) - 1) / BANDS_PER_SEMITONE
    centres = 440 * 2 ** ((LOWEST_PITCH + steps - 69) / 12)
    widths = np.maximum(centres * (2 ** (0.2 / 12) - 1), 0.6 * sample_rate / window)
    bells = np.exp(-0.5 * np.square((hertz[:, None] - centres) / widths))
    bells[bells < 1e-3] = 0
    return BandPower(bells.astype(np.float32), hop)


@dataclass(frozen=True, slots=True)
class Tones:
    """``salience`` (frames, PITCHES): how far each semitone stands out of those around it, 0 to about 1; ``level``
    (frames,) in dB below the loudest moments; ``tuning`` in semitones from A = 440 Hz, -0.5 to 0.5."""

    salience: Frames
    level: Frames
    tuning: float


def tones(power: Power) -> Tones:
    """The semitones in the ``power`` of a song's bands, (frames, PITCHES * BANDS_PER_SEMITONE). Looked at block by
    block, to save memory."""
    if not len(power) or not float(power.max(initial=0.0)):
        return Tones(np.zeros((len(power), PITCHES)), np.full(len(power), -200.0), 0.0)
    level = 10 * np.log10(power.sum(axis=1, dtype=np.float64) + 1e-20)
    top = float(np.percentile(10 * np.log10(power.max(axis=1).astype(np.float64) + 1e-20), 95))
    blocks = [power[first : first + BLOCK_FRAMES] for first in range(0, len(power), BLOCK_FRAMES)]
    tuning = _tuning(np.sum([_shown(_loudness(block, top)) for block in blocks], axis=0))
    # The middle band of each semitone, moved by the tuning, between the bands on both sides.
    places = np.arange(PITCHES) * BANDS_PER_SEMITONE + 1 + tuning * BANDS_PER_SEMITONE
    left = np.clip(np.floor(places).astype(int), 0, power.shape[1] - 2)
    share = np.clip(places - left, 0, 1)
    salience = []
    for block in blocks:
        loud = _loudness(block, top)
        salience.append(_standing_out(loud[:, left] * (1 - share) + loud[:, left + 1] * share, STANDING_SEMITONES))
    return Tones(np.concatenate(salience), level - float(np.percentile(level, 95)), tuning)


def _loudness(power: Power, top: float) -> Frames:
    """The bands of ``power``, 1 at ``top`` dB and 0 where nothing is heard."""
    decibels = 10 * np.log10(power.astype(np.float64) + 1e-20)
    found: Frames = np.clip((decibels - top) / MAX_BELOW_LOUDEST_DB + 1, 0, None)
    return found


def _shown(loud: Frames) -> Frames:
    """How much stands out in each band of a semitone, (BANDS_PER_SEMITONE,)."""
    standing = _standing_out(loud, STANDING_SEMITONES * BANDS_PER_SEMITONE)
    first = (MIN_TUNING_PITCH - LOWEST_PITCH) * BANDS_PER_SEMITONE
    weights: Frames = np.square(standing[:, first:]).sum(axis=0).reshape(-1, BANDS_PER_SEMITONE).sum(axis=0)
    return weights


def _standing_out(values: Frames, reach: int) -> Frames:
    """``values`` (frames, bands) over their mean in the bands within ``reach``, and not under 0."""
    total = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
    band = np.arange(values.shape[1])
    first, last = np.maximum(band - reach, 0), np.minimum(band + reach + 1, values.shape[1])
    found: Frames = np.clip(values - (total[:, last] - total[:, first]) / (last - first), 0, None)
    return found


def _tuning(weights: Frames) -> float:
    """The offset, in semitones, at which most stands out, as an angle around the semitone (Dressler and Streich
    2007)."""
    turned = np.exp(2j * np.pi * (np.arange(BANDS_PER_SEMITONE) - 1) / BANDS_PER_SEMITONE)
    return float(np.angle((weights * turned).sum()) / (2 * np.pi)) if weights.sum() else 0.0


def chroma(found: Tones) -> Frames:
    """Pitch classes in the middle, in the treble and in the bass, (frames, CHROMA)."""
    classes = np.zeros((len(found.salience), CHROMA))
    for register, (start, end) in enumerate(zip(REGISTER_STARTS, REGISTER_ENDS, strict=True)):
        for pitch in range(start, end):
            classes[:, 12 * register + pitch % 12] += found.salience[:, pitch - LOWEST_PITCH]
    return classes
