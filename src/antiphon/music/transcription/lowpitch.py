"""How much each low pitch sounds, by its harmonics.

A separated bass has lost what lies above its band, and the network takes its second or third harmonic for the note. The
rest of the song still has those harmonics: this sums them, with what is between them held against the pitch, so that
the octave below, which has every other harmonic too, does not win (harmonic summation: Hermes, "Measurement of
pitch by subharmonic summation", JASA 1988).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.transcription.network import HOP
from antiphon.music.transcription.network import SAMPLE_RATE as NETWORK_RATE

SAMPLE_RATE = 2756
MIN_PITCH, MAX_PITCH = 28, 60
"""MIDI pitches, both included: from the lowest string of a bass to the twelfth fret of its highest."""
HARMONICS = {harmonic: 0.8 ** (harmonic - 1) for harmonic in range(1, 9)}
BETWEEN = {1.5: 0.3, 2.5: 0.3, 3.5: 0.3, 4 / 3: 0.2, 5 / 3: 0.2}
"""Weights of multiples of the fundamental, for a pitch and against it."""
OWN, AGAINST = sum(HARMONICS.values()), sum(BETWEEN.values())
LONG, SHORT = 1024, 256
"""Samples of the windows that tell pitches apart (0.37 s) and attacks (0.09 s)."""
BINS = 4096
SEMITONES = 0.35
"""Width (standard deviation) of what counts as a harmonic."""
TOP = 690.0
"""Hertz up to which harmonics tell an attack."""
BLOCK = 60 * SAMPLE_RATE

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class LowPitches:
    """Over the network's frames, (frames, 33) float16 each, from MIDI pitch 28: ``salience`` of a pitch; ``purity``
    -1 to 1, how far its harmonics stand out of what is between them; ``body`` and ``hit``, the log energy of its
    harmonics in short windows, of the notes alone and with the drums."""

    salience: NDArray[np.float16]
    purity: NDArray[np.float16]
    body: NDArray[np.float16]
    hit: NDArray[np.float16]


def listen_low(notes: Sequence[Path], strokes: Sequence[Path], *, frames: int, loud: float) -> LowPitches:
    """Listens to the sum of the files ``notes``, and for attacks to the sum of these and ``strokes``. ``loud`` is the
    amplitude of the bass's loud passages, ``frames`` how many frames are wanted. Memory: 264 bytes a frame."""
    templates = _Templates()
    parts: list[tuple[NDArray[np.float16], ...]] = []
    first = 0
    for harmonic, whole, count in _frames(_summed(notes, strokes), frames):
        starts = _sample(first + np.arange(count)) - _sample(first)
        parts.append(templates.measured(harmonic, whole, starts, loud))
        first += count
    if not parts:
        nothing = np.zeros((0, MAX_PITCH - MIN_PITCH + 1), np.float16)
        return LowPitches(nothing, nothing, nothing, nothing)
    return LowPitches(*(np.concatenate(several) for several in zip(*parts, strict=True)))


def _sample(frame: NDArray[np.intp] | int) -> NDArray[np.intp]:
    """The sample on which a frame of the network is centred; exact, so that nothing drifts over an hour."""
    return np.asarray((np.asarray(frame) * HOP * SAMPLE_RATE + NETWORK_RATE // 2) // NETWORK_RATE, np.intp)


def _summed(notes: Sequence[Path], strokes: Sequence[Path]) -> Iterator[Samples]:
    """Blocks (2, n) of the sum of the files ``notes``, and of all files; as long as the longest of them."""
    streams = [audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK) for path in (*notes, *strokes)]
    for blocks in zip_longest(*streams):
        total = np.zeros((2, max(len(block) for block in blocks if block is not None)), np.float32)
        for order, block in enumerate(blocks):
            if block is not None:
                total[0 if order < len(notes) else 1 :, : len(block)] += block[:, 0]
        yield total


def _frames(blocks: Iterator[Samples], frames: int) -> Iterator[tuple[Samples, Samples, int]]:
    """Pieces of both signals for the next so many frames, the first of which is centred ``LONG / 2`` samples in; what
    the files do not have is silence."""
    held = np.zeros((2, LONG // 2), np.float32)
    done = 0
    while done < frames:
        block = next(blocks, None)
        if block is None:
            missing = int(_sample(frames - 1)) - int(_sample(done)) + LONG - held.shape[1]
            held = np.pad(held, ((0, 0), (0, max(missing, 0))))
            ready = frames - done
        else:
            held = np.concatenate([held, block], axis=1)
            last = (int(_sample(done)) + held.shape[1] - LONG) * NETWORK_RATE // (HOP * SAMPLE_RATE)
            ready = min(max(last - done, 0), frames - done)
        if ready:
            yield held[0], held[1], ready
            held = held[:, int(_sample(done + ready)) - int(_sample(done)) :]
            done += ready


class _Templates:
    """The weights of the spectrum's bins for each pitch."""

    def __init__(self) -> None:
        pitches = np.arange(MIN_PITCH, MAX_PITCH + 1)
        fundamental = 440 * 2 ** ((pitches - 69) / 12)
        self._own = _weights(fundamental, HARMONICS)
        self._between = _weights(fundamental, BETWEEN)
        places = np.arange(BINS // 8 // 2 + 1) * SAMPLE_RATE / (BINS // 8)
        self._short = np.zeros((len(places), len(pitches)), np.float32)
        for harmonic in HARMONICS:
            hertz = harmonic * fundamental
            weight = 0.85 ** (harmonic - 1) * (hertz < TOP)
            self._short += (weight * np.maximum(0, 1 - np.abs(places[:, None] - hertz) / 8)).astype(np.float32)

    def measured(
        self, notes: Samples, whole: Samples, starts: NDArray[np.intp], loud: float
    ) -> tuple[NDArray[np.float16], ...]:
        """Salience, purity, body and hit of windows that begin at ``starts``."""
        rows: list[list[NDArray[np.float16]]] = [[], [], [], []]
        for some in np.array_split(starts, len(starts) // 512 + 1):
            spectrum = _spectrum(notes, some, LONG, BINS)
            out, against = spectrum @ self._own / OWN, spectrum @ self._between / AGAINST
            rows[1].append(((out - against) / (out + against + 1e-9)).astype(np.float16))
            spectrum = np.log1p(63 / loud * spectrum)
            rows[0].append((spectrum @ self._own - spectrum @ self._between).astype(np.float16))
            inner = some + (LONG - SHORT) // 2
            for row, signal in zip(rows[2:], (notes, whole), strict=True):
                energy = np.log1p(19 / loud * _spectrum(signal, inner, SHORT, BINS // 8)) @ self._short
                row.append(np.log(0.5 + energy).astype(np.float16))
        return tuple(np.concatenate(row) for row in rows)


def _weights(fundamental: NDArray[np.float64], multiples: dict[int, float] | dict[float, float]) -> Samples:
    """(bins, pitches), each multiple a bell around its place."""
    places = np.maximum(np.arange(BINS // 2 + 1) * SAMPLE_RATE / BINS, 1)[:, None]
    total = np.zeros((len(places), len(fundamental)))
    for multiple, weight in multiples.items():
        hertz = multiple * fundamental
        width = np.maximum(SEMITONES, 12 * np.log2(1 + 1 / hertz))
        bell = np.exp(-0.5 * np.square(12 * np.log2(places / hertz) / width))
        total += weight * (hertz < 0.475 * SAMPLE_RATE) * bell / np.maximum(bell.sum(axis=0), 1e-9)
    return total.astype(np.float32)


def _spectrum(signal: Samples, starts: NDArray[np.intp], window: int, bins: int) -> Samples:
    """Amplitudes (windows, bins / 2 + 1); a sine has its own at its place."""
    taper = np.hanning(window).astype(np.float32)
    cut = signal[starts[:, None] + np.arange(window)] * taper
    amplitude: Samples = np.abs(np.fft.rfft(cut, bins, axis=1)).astype(np.float32) * (2 / taper.sum())
    return amplitude
