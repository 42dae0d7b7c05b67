"""How an instrument sounds: what tells an organ from a guitar, measured at the notes of a stem."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.transcription.network import HOP, SAMPLE_RATE
from antiphon.music.transcription.notecreation import Event

WINDOW = 2048
STEP = 2 * HOP
"""Samples from one spectrum to the next: two frames of the network."""
BLOCK = 200 * STEP
LOWEST, PER_OCTAVE, BANDS = 55.0, 4, 30
"""The bands: the first from so many Hz, so many to the octave, so many; the last ends near 10 kHz."""
AFTER, LATER = 2, 13
"""Spectra from a note's start to where it is in full sound (46 ms), and to where what dies away is fainter (0.3 s)."""
FEW = 5
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


def listen_timbre(path: Path) -> NDArray[np.float16]:
    """Level in dB of each band over time, (spectra, BANDS): 60 bytes a spectrum, 9 MB for an hour."""
    weights = _weights()
    window = np.hanning(WINDOW).astype(np.float32)
    held = np.zeros(WINDOW // 2, np.float32)
    parts = [np.zeros((0, BANDS), np.float16)]
    for block in audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK):
        held = np.concatenate([held, block[:, 0]])
        count = (len(held) - WINDOW) // STEP + 1
        if count > 0:
            pieces = np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::STEP][:count]
            power = np.square(np.abs(np.fft.rfft(pieces * window, axis=1))).astype(np.float32)
            parts.append((10 * np.log10(power @ weights + 1e-9)).astype(np.float16))
            held = held[count * STEP :]
    return np.concatenate(parts)


def _weights() -> NDArray[np.float32]:
    """(bins, BANDS), 1 where a bin lies in a band."""
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    band = np.floor(PER_OCTAVE * np.log2(np.maximum(hertz, 1) / LOWEST))
    return np.asarray(band[:, None] == np.arange(BANDS), np.float32)


def timbre(spectra: NDArray[np.float16], events: Sequence[Event]) -> Timbre | None:
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
    if len(measures) < FEW:
        return None
    with_decay = [row for row in measures if not np.isnan(row[0])]
    decay = float(np.median([row[0] for row in with_decay])) if len(with_decay) >= FEW else float("nan")
    return Timbre(decay, *(float(value) for value in np.median([row[1:] for row in measures], axis=0)))


def _measure(levels: NDArray[np.float64], pitch: int, alone: bool) -> tuple[float, ...]:
    power = 10 ** (levels / 10)
    full = power[-LATER + AFTER - 1]
    whole = 10 * np.log10(power.sum(axis=1))
    at = len(levels) - LATER - 1 + AFTER
    decay = (whole[at] - whole[-1]) / ((LATER - AFTER) * STEP / SAMPLE_RATE) if alone else float("nan")
    octaves = (np.arange(BANDS) + 0.5) / PER_OCTAVE + np.log2(LOWEST / (440 * 2 ** ((pitch - 69) / 12)))
    above = octaves > -0.3
    share = full[above] / full[above].sum()
    brightness = float((share * octaves[above]).sum())
    decibels = levels[at][above]
    roughness = float(10 ** (decibels.mean() / 10) / full[above].mean())
    fall = -float(np.polyfit(octaves[above], decibels, 1)[0])
    return decay, float(whole[at] - whole[max(at - AFTER - 1, 0)]), brightness, roughness, fall
