"""Salience of low pitches, by their harmonics.

A separated bass has lost what lies above its band, and the network takes its second or third harmonic for the note. The
rest of the song still has those harmonics: this sums them, with what is between them held against the pitch, so that
the octave below, which has every other harmonic too, does not win (harmonic summation: Hermes, "Measurement of
pitch by subharmonic summation", JASA 1988).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from antiphon.music.transcription.levels import HOP
from antiphon.music.transcription.levels import SAMPLE_RATE as NETWORK_RATE
from antiphon.music.transcription.sound import Sound

SAMPLE_RATE = 2756
MIN_PITCH, MAX_PITCH = 28, 60
"""MIDI pitches, both included: from the lowest string of a bass to the twelfth fret of its highest."""
HARMONIC_WEIGHTS = {harmonic: 0.8 ** (harmonic - 1) for harmonic in range(1, 9)}
BETWEEN_WEIGHTS = {1.5: 0.3, 2.5: 0.3, 3.5: 0.3, 4 / 3: 0.2, 5 / 3: 0.2}
"""Weights of multiples of the fundamental, for a pitch and against it."""
HARMONIC_WEIGHT_SUM, BETWEEN_WEIGHT_SUM = sum(HARMONIC_WEIGHTS.values()), sum(BETWEEN_WEIGHTS.values())
PITCH_WINDOW, ATTACK_WINDOW = 1024, 256
"""Samples of the windows that tell pitches apart (0.37 s) and attacks (0.09 s)."""
FFT_SIZE = 4096
HARMONIC_WIDTH_SEMITONES = 0.35
"""Width (standard deviation) of what counts as a harmonic."""
MAX_ATTACK_HZ = 690.0
"""Hertz up to which harmonics tell an attack."""
BLOCK_SAMPLES = 60 * SAMPLE_RATE

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


def listen_low(notes: Sound, strokes: Sound | None, *, frames: int, loud: float) -> LowPitches:
    """Salience and attacks of low pitches in a song. Memory: 264 bytes a frame.

    Args:
        notes: Has the pitches.
        strokes: Is added to it for the attacks.
        frames: How many frames of the network are wanted.
        loud: Amplitude of the bass's loud passages.

    Raises:
        NotAudio: A file cannot be decoded.
    """
    templates = _Templates(notes.tuning_cents)
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


def _summed(notes: Sound, strokes: Sound | None) -> Iterator[Samples]:
    """Blocks (2, n) of ``notes`` and of both; as long as the longer of them."""
    sounds = [notes] if strokes is None else [notes, strokes]
    for blocks in zip_longest(*(sound.blocks(SAMPLE_RATE, BLOCK_SAMPLES) for sound in sounds)):
        total = np.zeros((2, max(len(block) for block in blocks if block is not None)), np.float32)
        for order, block in enumerate(blocks):
            if block is not None:
                total[order:, : len(block)] += block
        yield total


def _frames(blocks: Iterator[Samples], frames: int) -> Iterator[tuple[Samples, Samples, int]]:
    """Pieces of both signals for the next so many frames, the first of which is centred ``PITCH_WINDOW / 2`` samples
    in; what the files do not have is silence."""
    held = np.zeros((2, PITCH_WINDOW // 2), np.float32)
    done = 0
    while done < frames:
        block = next(blocks, None)
        if block is None:
            missing = int(_sample(frames - 1)) - int(_sample(done)) + PITCH_WINDOW - held.shape[1]
            held = np.pad(held, ((0, 0), (0, max(missing, 0))))
            ready = frames - done
        else:
            held = np.concatenate([held, block], axis=1)
            last = (int(_sample(done)) + held.shape[1] - PITCH_WINDOW) * NETWORK_RATE // (HOP * SAMPLE_RATE)
            ready = min(max(last - done, 0), frames - done)
        if ready:
            yield held[0], held[1], ready
            held = held[:, int(_sample(done + ready)) - int(_sample(done)) :]
            done += ready


class _Templates:
    """The weights of the spectrum's bins for each pitch."""

    def __init__(self, tuning_cents: float) -> None:
        pitches = np.arange(MIN_PITCH, MAX_PITCH + 1)
        fundamental = 440 * 2 ** ((pitches - 69) / 12 + tuning_cents / 1200)
        self._own = _weights(fundamental, HARMONIC_WEIGHTS)
        self._between = _weights(fundamental, BETWEEN_WEIGHTS)
        places = np.arange(FFT_SIZE // 8 // 2 + 1) * SAMPLE_RATE / (FFT_SIZE // 8)
        self._short = np.zeros((len(places), len(pitches)), np.float32)
        for harmonic in HARMONIC_WEIGHTS:
            hertz = harmonic * fundamental
            weight = 0.85 ** (harmonic - 1) * (hertz < MAX_ATTACK_HZ)
            self._short += (weight * np.maximum(0, 1 - np.abs(places[:, None] - hertz) / 8)).astype(np.float32)

    def measured(
        self, notes: Samples, whole: Samples, starts: NDArray[np.intp], loud: float
    ) -> tuple[NDArray[np.float16], ...]:
        """Salience, purity, body and hit of windows that begin at ``starts``."""
        rows: list[list[NDArray[np.float16]]] = [[], [], [], []]
        for some in np.array_split(starts, len(starts) // 512 + 1):
            spectrum = _spectrum(notes, some, PITCH_WINDOW, FFT_SIZE)
            out, against = spectrum @ self._own / HARMONIC_WEIGHT_SUM, spectrum @ self._between / BETWEEN_WEIGHT_SUM
            rows[1].append(((out - against) / (out + against + 1e-9)).astype(np.float16))
            spectrum = np.log1p(63 / loud * spectrum)
            rows[0].append((spectrum @ self._own - spectrum @ self._between).astype(np.float16))
            inner = some + (PITCH_WINDOW - ATTACK_WINDOW) // 2
            for row, signal in zip(rows[2:], (notes, whole), strict=True):
                energy = np.log1p(19 / loud * _spectrum(signal, inner, ATTACK_WINDOW, FFT_SIZE // 8)) @ self._short
                row.append(np.log(0.5 + energy).astype(np.float16))
        return tuple(np.concatenate(row) for row in rows)


def _weights(fundamental: NDArray[np.float64], multiples: dict[int, float] | dict[float, float]) -> Samples:
    """(bins, pitches), each multiple a bell around its place."""
    places = np.maximum(np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE, 1)[:, None]
    total = np.zeros((len(places), len(fundamental)))
    for multiple, weight in multiples.items():
        hertz = multiple * fundamental
        width = np.maximum(HARMONIC_WIDTH_SEMITONES, 12 * np.log2(1 + 1 / hertz))
        bell = np.exp(-0.5 * np.square(12 * np.log2(places / hertz) / width))
        total += weight * (hertz < 0.475 * SAMPLE_RATE) * bell / np.maximum(bell.sum(axis=0), 1e-9)
    return total.astype(np.float32)


def _spectrum(signal: Samples, starts: NDArray[np.intp], window: int, bins: int) -> Samples:
    """Amplitudes (windows, bins / 2 + 1); a sine has its own at its place."""
    taper = np.hanning(window).astype(np.float32)
    cut = signal[starts[:, None] + np.arange(window)] * taper
    amplitude: Samples = np.abs(np.fft.rfft(cut, bins, axis=1)).astype(np.float32) * (2 / taper.sum())
    return amplitude
