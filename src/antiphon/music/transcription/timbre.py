"""How an instrument sounds: what tells an organ from a guitar, measured at the notes of a stem."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.network import HOP, SAMPLE_RATE
from antiphon.music.transcription.notecreation import NoteEvent

WINDOW = 2048
STEP = 2 * HOP
"""Samples from one spectrum to the next: two frames of the network."""
MIN_BAND_HZ, PER_OCTAVE, BANDS = 55.0, 4, 30
"""The bands: the first from so many Hz, so many to the octave, so many; the last ends near 10 kHz."""
AT_ONCE = 64
"""Spectra that are taken in one step, to save memory."""
AFTER, LATER = 2, 13
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
    """The level of each band over time, of sound that comes in blocks."""

    def __init__(self) -> None:
        self._weights = _weights()
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._held = np.zeros(WINDOW // 2, np.float32)
        self._parts = [np.zeros((0, BANDS), np.float16)]

    def push(self, samples: NDArray[np.float32]) -> None:
        """Hears mono ``samples`` (n,) at ``SAMPLE_RATE``."""
        held = np.concatenate([self._held, samples])
        count = max((len(held) - WINDOW) // STEP + 1, 0)
        self._held = held[count * STEP :].copy()
        pieces = np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::STEP] if count else np.zeros((0, WINDOW))
        for first in range(0, count, AT_ONCE):
            spectrum = np.fft.rfft(pieces[first : min(first + AT_ONCE, count)] * self._shape, axis=1)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            self._parts.append((10 * np.log10(power @ self._weights + 1e-9)).astype(np.float16))

    def levels(self) -> NDArray[np.float16]:
        """dB, (spectra, BANDS): 60 bytes a spectrum, 9 MB for an hour."""
        return np.concatenate(self._parts)


def _weights() -> NDArray[np.float32]:
    """(bins, BANDS), 1 where a bin lies in a band."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    band = np.floor(PER_OCTAVE * np.log2(np.maximum(hertz, 1) / MIN_BAND_HZ))
    return np.asarray(band[:, None] == np.arange(BANDS), np.float32)


def timbre(spectra: NDArray[np.float16], events: Sequence[NoteEvent]) -> Timbre | None:
    """How the ``events`` sound; None where there are too few that can be told from what comes before and after."""
    starts = np.array(sorted({event.start for event in events}))
    measures = []
    for event in events:
        first = event.start // 2
        if first + LATER >= len(spectra):
            continue
        near = starts[(starts > event.start + 4) & (starts < event.start + 2 * LATER)]
        alone = not len(near) and event.end - event.start >= 2 * LATER
        measures.append(_measure(spectra[max(first - 3, 0) : first + LATER + 1].astype(np.float64), event.pitch, alone))
    if len(measures) < MIN_NOTES:
        return None
    with_decay = [row for row in measures if not np.isnan(row[0])]
    decay = float(np.median([row[0] for row in with_decay])) if len(with_decay) >= MIN_NOTES else float("nan")
    return Timbre(decay, *(float(value) for value in np.median([row[1:] for row in measures], axis=0)))


def _measure(levels: NDArray[np.float64], pitch: int, alone: bool) -> tuple[float, ...]:
    power = 10 ** (levels / 10)
    full = power[-LATER + AFTER - 1]
    whole = 10 * np.log10(power.sum(axis=1))
    at = len(levels) - LATER - 1 + AFTER
    decay = (whole[at] - whole[-1]) / ((LATER - AFTER) * STEP / SAMPLE_RATE) if alone else float("nan")
    octaves = (np.arange(BANDS) + 0.5) / PER_OCTAVE + np.log2(MIN_BAND_HZ / (440 * 2 ** ((pitch - 69) / 12)))
    above = octaves > -0.3
    share = full[above] / full[above].sum()
    brightness = float((share * octaves[above]).sum())
    decibels = levels[at][above]
    roughness = float(10 ** (decibels.mean() / 10) / full[above].mean())
    apart = octaves[above] - octaves[above].mean()
    fall = -float((apart * decibels).sum() / np.square(apart).sum())
    return decay, float(whole[at] - whole[max(at - AFTER - 1, 0)]), brightness, roughness, fall
