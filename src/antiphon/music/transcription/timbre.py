"""Timbre of a stem, measured at its notes: what tells an organ from a guitar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.bands import BandPower
from antiphon.music.transcription.levels import HOP, SAMPLE_RATE
from antiphon.music.transcription.notecreation import NoteEvent

WINDOW = 2048
STEP_SAMPLES = 2 * HOP
"""Samples from one spectrum to the next: two frames of the network."""
MIN_BAND_HZ, BANDS_PER_OCTAVE, BANDS = 55.0, 4, 30
"""The bands: the first from so many Hz, so many to the octave, so many; the last ends near 10 kHz."""
FULL_SOUND_STEPS, LATER_STEPS = 2, 13
"""Spectra from a note's start to where it is in full sound (46 ms), and to where what dies away is fainter (0.3 s)."""
MIN_NOTES = 5
"""Notes that are needed to know a sound by them."""


@dataclass(frozen=True, slots=True)
class Timbre:
    """Medians over a stem's notes. ``decay`` is by how many dB a second it falls (NaN: no note is held alone for long
    enough), ``attack`` by how many dB it rises when one begins, ``brightness`` how many octaves the centre of its
    spectrum lies over its pitch, ``roughness`` 0–1 how evenly its bands are filled, ``fall`` by how many dB its
    spectrum falls in an octave."""

    decay: float
    attack: float
    brightness: float
    roughness: float
    fall: float


class Spectra:
    """Levels of the bands over time, of mono sound that comes in blocks."""

    def __init__(self) -> None:
        self._power = BandPower(_weights(), STEP_SAMPLES)
        self._parts = [np.zeros((0, BANDS), np.float16)]

    def push(self, samples: NDArray[np.float32]) -> None:
        """Hears mono ``samples`` (n,) at ``SAMPLE_RATE``."""
        self._parts.append((10 * np.log10(self._power.push(samples) + 1e-9)).astype(np.float16))

    def levels(self) -> NDArray[np.float16]:
        """dB, (spectra, BANDS): 60 bytes a spectrum, 9 MB for an hour."""
        return np.concatenate(self._parts)


def _weights() -> NDArray[np.float32]:
    """(bins, BANDS), 1 where a bin lies in a band."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    band = np.floor(BANDS_PER_OCTAVE * np.log2(np.maximum(hertz, 1) / MIN_BAND_HZ))
    return np.asarray(band[:, None] == np.arange(BANDS), np.float32)


def timbre(spectra: NDArray[np.float16], events: Sequence[NoteEvent]) -> Timbre | None:
    """How the ``events`` sound; None where there are too few that can be told from what comes before and after."""
    starts = np.array(sorted({event.start for event in events}))
    measures = []
    for event in events:
        first = event.start // 2
        if first + LATER_STEPS >= len(spectra):
            continue
        near = starts[(starts > event.start + 4) & (starts < event.start + 2 * LATER_STEPS)]
        alone = not len(near) and event.end - event.start >= 2 * LATER_STEPS
        levels = spectra[max(first - 3, 0) : first + LATER_STEPS + 1].astype(np.float64)
        measures.append(_measure(levels, event.pitch, alone))
    if len(measures) < MIN_NOTES:
        return None
    with_decay = [row for row in measures if not np.isnan(row[0])]
    decay = float(np.median([row[0] for row in with_decay])) if len(with_decay) >= MIN_NOTES else float("nan")
    return Timbre(decay, *(float(value) for value in np.median([row[1:] for row in measures], axis=0)))


def _measure(levels: NDArray[np.float64], pitch: int, alone: bool) -> tuple[float, ...]:
    power = 10 ** (levels / 10)
    full = power[-LATER_STEPS + FULL_SOUND_STEPS - 1]
    whole = 10 * np.log10(power.sum(axis=1))
    at = len(levels) - LATER_STEPS - 1 + FULL_SOUND_STEPS
    seconds = (LATER_STEPS - FULL_SOUND_STEPS) * STEP_SAMPLES / SAMPLE_RATE
    decay = (whole[at] - whole[-1]) / seconds if alone else float("nan")
    octaves = (np.arange(BANDS) + 0.5) / BANDS_PER_OCTAVE + np.log2(MIN_BAND_HZ / (440 * 2 ** ((pitch - 69) / 12)))
    above = octaves > -0.3
    share = full[above] / full[above].sum()
    brightness = float((share * octaves[above]).sum())
    decibels = levels[at][above]
    roughness = float(10 ** (decibels.mean() / 10) / full[above].mean())
    apart = octaves[above] - octaves[above].mean()
    fall = -float((apart * decibels).sum() / np.square(apart).sum())
    return decay, float(whole[at] - whole[max(at - FULL_SOUND_STEPS - 1, 0)]), brightness, roughness, fall
