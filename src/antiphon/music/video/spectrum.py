"""Loudness of 64 bands at every frame, which the bars show, from one streamed pass over the audio."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 44_100
BANDS = 64
MIN_BAND_HZ, MAX_BAND_HZ = 40.0, 16_000.0
WINDOWS = ((8192, 250.0), (4096, 1000.0), (2048, MAX_BAND_HZ))
"""FFT length and the centre frequency (Hz) up to which it is used: fine pitch below, fine timing above."""

AHEAD_SAMPLES = 1024
"""Samples (23 ms) of a window that lie after the frame's own. Less than a frame: no bar rises before its sound."""

RANGE_DB = 42.0
TILT_DB = 1.5
"""Per octave, added because music falls by about that much from band to band of equal ratio."""

MIN_REFERENCE_DB = -55.0
FALL_PER_SECOND, SHRINK_PER_SECOND = 0.9, 0.08
"""A bar falls by a share of its height and, near the bottom, by at least so much of the full height."""

_BATCH = 8
"""Frames measured at a time: what eight need stays in a core's cache (64 at a time took eight times as long)."""
_CHUNK = 4096
_STEP_DB, _FLOOR_DB = 0.5, -100.0

Floats = NDArray[np.float32]

Filter = tuple[Floats, int, Floats]
"""A window, and the weights (bins, bands) that sum its power spectrum into bands, from a first bin on."""


@dataclass(frozen=True)
class Spectrum:
    """``levels`` (frames, 64) and ``pulse`` (frames,), 0–255; ``samples`` of audio at ``RATE_HZ``."""

    levels: NDArray[np.uint8]
    pulse: NDArray[np.uint8]
    samples: int

    @property
    def duration(self) -> float:
        """Of the audio, in seconds."""
        return self.samples / RATE_HZ


def band_edges() -> NDArray[np.float64]:
    """The 65 frequencies (Hz) between the bands, equally spaced in logarithm."""
    return np.geomspace(MIN_BAND_HZ, MAX_BAND_HZ, BANDS + 1)


def analyse(blocks: Iterable[Floats], fps: int) -> Spectrum:
    """Spectrum of mono audio at ``RATE_HZ``, in blocks (n, 1) or (n,); frame k stands at sample k × RATE_HZ / fps."""
    counter = [0]
    rows = [
        np.rint((np.clip(db, _FLOOR_DB, 27) - _FLOOR_DB) / _STEP_DB).astype(np.uint8)
        for db in _decibels(blocks, fps, counter)
    ]
    stored = np.concatenate(rows)
    levels = _levels(stored, fps)
    return Spectrum(levels, _pulse(levels, fps), counter[0])


def _decibels(blocks: Iterable[Floats], fps: int, counter: list[int]) -> Iterator[Floats]:
    """The bands' power in dB (full-scale sine = 0), batch by batch; ``counter`` receives the number of samples."""
    longest = WINDOWS[0][0]
    filters = _filters()
    pending = np.zeros(longest - AHEAD_SAMPLES, np.float32)
    base, frame = 0, 0
    for block in blocks:
        mono = np.nan_to_num(block.reshape(len(block), -1)[:, 0])
        counter[0] += len(mono)
        pending = np.concatenate([pending, mono])
        ready = max(0, (base + len(pending) - longest) * fps // RATE_HZ + 1)
        for start in range(frame, ready, _BATCH):
            frames = np.arange(start, min(start + _BATCH, ready))
            yield _measure(pending, frames * RATE_HZ // fps - base, filters)
        frame = max(frame, ready)
        used = frame * RATE_HZ // fps - base
        pending, base = pending[used:], base + used
    total = max(1, -(-counter[0] * fps // RATE_HZ))
    pending = np.concatenate([pending, np.zeros(2 * longest, np.float32)])
    for start in range(frame, total, _BATCH):
        frames = np.arange(start, min(start + _BATCH, total))
        yield _measure(pending, frames * RATE_HZ // fps - base, filters)


def _measure(samples: Floats, starts: NDArray[np.int64], filters: list[Filter]) -> Floats:
    longest = WINDOWS[0][0]
    windows = np.lib.stride_tricks.sliding_window_view(samples, longest)[starts]
    bands = []
    for window, first, weights in filters:
        spectrum = np.fft.rfft(windows[:, longest - len(window) :] * window, axis=1)[:, first : first + len(weights)]
        bands.append((spectrum.real**2 + spectrum.imag**2) @ weights)
    power = np.concatenate(bands, axis=1)
    centres = np.sqrt(band_edges()[1:] * band_edges()[:-1])
    tilt = TILT_DB * np.log2(centres / 1000)
    decibels: Floats = (10 * np.log10(power + 1e-12) + tilt).astype(np.float32)
    return decibels


def _filters() -> list[Filter]:
    edges = band_edges()
    centres = np.sqrt(edges[1:] * edges[:-1])
    result: list[Filter] = []
    above = 0.0
    for length, limit in WINDOWS:
        window = _window(length)
        chosen = np.flatnonzero((centres >= above) & (centres < limit))
        weights = np.zeros((length // 2 + 1, len(chosen)), np.float32)
        for column, band in enumerate(chosen):
            bins = np.linspace(edges[band], edges[band + 1], 65)[:-1] * length / RATE_HZ
            share = (edges[band + 1] - edges[band]) * length / RATE_HZ / len(bins)
            low = bins.astype(int)
            np.add.at(weights[:, column], low, (1 - (bins - low)) * share)
            np.add.at(weights[:, column], low + 1, (bins - low) * share)
        used = np.flatnonzero(weights.any(axis=1))
        weights = weights[used[0] : used[-1] + 1] / np.float32((window.sum() / 2) ** 2)
        result.append((window, int(used[0]), weights))
        above = limit
    return result


def _window(length: int) -> Floats:
    """Rises slowly over the past and falls over the ``AHEAD_SAMPLES`` to come: most weight is at the frame itself."""
    rise = np.sin(np.linspace(0, np.pi / 2, length - AHEAD_SAMPLES, endpoint=False)) ** 2
    fall = np.cos(np.linspace(0, np.pi / 2, AHEAD_SAMPLES, endpoint=False)) ** 2
    return np.concatenate([rise, fall]).astype(np.float32)


def _levels(stored: NDArray[np.uint8], fps: int) -> NDArray[np.uint8]:
    """Bar heights: decibels below the song's own loud passages, blurred over neighbours, falling with gravity."""
    reference = _FLOOR_DB + _STEP_DB * _percentile(stored, 0.993)
    top = max(reference, MIN_REFERENCE_DB)
    heights = (np.arange(256) * _STEP_DB + _FLOOR_DB - (top - RANGE_DB)) / RANGE_DB
    heights = np.clip(heights, 0, 1) ** 1.5
    levels = np.empty(stored.shape, np.uint8)
    fallen = np.zeros(BANDS)
    shrink = SHRINK_PER_SECOND ** (1 / fps)
    for start in range(0, len(stored), _CHUNK):
        for frame, row in enumerate(_blurred(heights[stored[start : start + _CHUNK]]), start):
            fallen = np.maximum(row, np.minimum(fallen * shrink, fallen - FALL_PER_SECOND / fps))
            levels[frame] = np.rint(255 * fallen)
    return levels


def _blurred(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
    return 0.15 * padded[:, :-2] + 0.7 * rows + 0.15 * padded[:, 2:]


def _percentile(stored: NDArray[np.uint8], fraction: float) -> int:
    counts = np.bincount(stored.ravel(), minlength=256)
    return int(np.searchsorted(np.cumsum(counts), fraction * counts.sum()))


def _pulse(levels: NDArray[np.uint8], fps: int) -> NDArray[np.uint8]:
    """Rises with each bass attack (bands below about 170 Hz) and dies away within a third of a second."""
    bass = levels[:, :15].mean(axis=1, dtype=np.float32) / 255
    attacks = np.maximum(np.diff(bass, prepend=np.float32(0)), 0)
    strongest = max(float(np.quantile(attacks, 0.98)), 0.05)
    decay = 0.04 ** (3 / fps)
    pulse = np.empty(len(bass), np.uint8)
    value = 0.0
    for frame, attack in enumerate(np.minimum(attacks / strongest, 1).tolist()):
        value = max(attack, value * decay)
        pulse[frame] = round(255 * value)
    return pulse
