"""Presence of stems: which of them hold an instrument, and which only what leaked into them.

Energy says little: filters leave a tenth of any song in the drums, and whatever is low in the bass. What tells is their
structure, at whatever level: drums are struck, which the drum network hears; a bass keeps steady pitches below 130 Hz
and carries much of what a song has besides drums and voice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.music.drums.features import SAMPLE_RATE, MelLevels
from antiphon.music.drums.network import DrumModel
from antiphon.music.drums.onsets import FRAME_RATE, sure_hits
from antiphon.music.progress import silent
from antiphon.music.separators import Separator
from antiphon.music.signal.framing import Framer, Samples

MIN_JUDGED_S = 10.0
"""Seconds of a song below which every stem counts as there: a short one says too little."""
MAX_FAINT_DB = 30.0
"""A stem whose energy is so far below the mix's holds nothing of its own."""
WINDOW_S = 20.0
"""Seconds that are judged at a time."""
MIN_PRESENT_SHARE = 0.25
"""Share of these windows in which an instrument must play."""
MIN_SURE_HITS_PER_S = 0.45
"""Hits of kick, snare, hi-hat and toms of which the drum network is sure."""

LOW_HZ, HIGH_HZ, DEEP_HZ = 30.0, 130.0, 98.0
"""Edges of the band in which a bass has its fundamentals, and what is deep in it."""
MIN_STEADY_SHARE = 0.2
"""Share of a window in which the band's highest peak stands still, while the band is not faint."""
MIN_LOUD_SHARE = 0.5
"""Share of a window in which the band is not faint against its loud moments: what drums leave there is short."""
MIN_LOW_DB, MIN_DEEP_DB = -16.5, -12.0
"""The band's energy against all of the accompaniment's below 1.4 kHz, and its deep part's against its own."""
_STEADY_FRAMES, _STEADY_OCTAVES = 4, 0.06
_FAINT_SHARE, _LOUD_SHARE = 0.01, 0.05

_DECIMATION, _FFT, _FRAME, _HOP = 16, 4096, 1024, 128
_BASS_RATE = SAMPLE_RATE / _DECIMATION


class Watched:
    """An engine whose stems are watched as they are made, and which says afterwards which of them the song does not
    have.

    Args:
        engine: Is watched.
        judged: Whether absent stems are looked for at all.
    """

    def __init__(self, engine: Separator, *, judged: bool) -> None:
        self.stems = engine.stems
        self.sample_rate = engine.sample_rate
        self._engine = engine
        self._judged = judged
        self._structured = judged and engine.sample_rate == SAMPLE_RATE
        self._names: tuple[str, ...] = ()
        self._length = 0
        self._energy: dict[str, float] = {}
        self._drums, self._bass = MelLevels(), LowBand()
        self._levels: list[NDArray[np.float16]] = []

    def separate(self, blocks: Iterator[Samples], wanted: tuple[str, ...]) -> Iterator[tuple[Samples, Samples]]:
        self._names = wanted
        for mix, stems in self._engine.separate(blocks, wanted):
            if self._judged:
                self._watch(mix, dict(zip(wanted, stems, strict=True)))
            yield mix, stems

    def _watch(self, mix: Samples, stems: dict[str, Samples]) -> None:
        self._length += len(mix)
        for name, samples in {"": mix, **stems}.items():
            energy = float(np.square(samples, dtype=np.float64).sum())
            self._energy[name] = self._energy.get(name, 0.0) + energy
        if not self._structured:
            return
        if "drums" in stems:
            self._levels.append(self._drums.push(stems["drums"].mean(axis=1)).astype(np.float16))
        if "bass" in stems:
            rest = mix - sum((stems[name] for name in ("vocal", "drums") if name in stems), np.zeros_like(mix))
            self._bass.push(rest.mean(axis=1))

    def absent(self) -> tuple[str, ...]:
        """The stems that were wanted and that the song does not have."""
        if not self._judged or self._length < MIN_JUDGED_S * self.sample_rate:
            return ()
        faint = self._energy[""] * 10 ** (-MAX_FAINT_DB / 10)
        plays = {"drums": self._struck, "bass": self._bass.plays}
        return tuple(
            name
            for name in self._names
            if self._energy[name] <= faint or (self._structured and name in plays and not plays[name]())
        )

    def _struck(self) -> bool:
        levels = np.concatenate([*self._levels, self._drums.finish().astype(np.float16)])
        sure = sure_hits(DrumModel().activations(levels, silent))
        return _often(sure * FRAME_RATE >= MIN_SURE_HITS_PER_S for sure in _windows(sure, FRAME_RATE))


def _windows(values: NDArray[np.floating], rate: float) -> Iterator[float]:
    """The mean of each window of ``values`` (frames,), of which there are ``rate`` a second."""
    for part in np.array_split(values, max(round(len(values) / (rate * WINDOW_S)), 1)):
        yield float(part.mean())


def _often(present: Iterator[bool]) -> bool:
    found = list(present)
    return sum(found) >= MIN_PRESENT_SHARE * len(found)


@dataclass(frozen=True, slots=True)
class _LowFrames:
    """Of each frame: energy of the band, of its deep part and of everything, and the octave of the band's highest
    peak."""

    band: NDArray[np.float32]
    deep: NDArray[np.float32]
    whole: NDArray[np.float32]
    octave: NDArray[np.float32]


class LowBand:
    """What the low band of a song without drums and voice does; 16 bytes a frame of 46 ms are kept."""

    def __init__(self) -> None:
        taps = np.sinc(np.arange(-8 * _DECIMATION, 8 * _DECIMATION + 1) / _DECIMATION) * np.hamming(
            16 * _DECIMATION + 1
        )
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._decimator = Framer(len(taps), _DECIMATION, lead=len(taps) // 2)
        self._framer = Framer(_FRAME, _HOP, lead=_FRAME // 2)
        self._frames: list[_LowFrames] = []
        hertz = np.fft.rfftfreq(_FFT, 1 / _BASS_RATE)
        self._band = np.flatnonzero((hertz > LOW_HZ) & (hertz < HIGH_HZ))
        self._deep = (hertz > LOW_HZ) & (hertz < DEEP_HZ)
        self._octaves = np.log2(hertz[self._band]).astype(np.float32)

    def push(self, samples: Samples) -> None:
        """Listen to ``samples`` (n,) at 44.1 kHz."""
        windows = self._decimator.push(samples)
        slow = np.concatenate(
            [windows[at : at + 4096] @ self._taps for at in range(0, len(windows), 4096)] or [samples[:0]]
        )
        for some in self._framed(slow):
            power = np.square(np.abs(np.fft.rfft(some * np.hanning(_FRAME), _FFT, axis=1))).astype(np.float32)
            peak = power[:, self._band].argmax(axis=1)
            band, deep = power[:, self._band].sum(axis=1), power[:, self._deep].sum(axis=1)
            self._frames.append(_LowFrames(band, deep, power.sum(axis=1), self._octaves[peak]))

    def _framed(self, slow: Samples) -> Iterator[Samples]:
        windows = self._framer.push(slow)
        for at in range(0, len(windows), 64):
            yield windows[at : at + 64]

    def plays(self) -> bool:
        """Whether a bass plays in enough of the song."""
        if not self._frames:
            return False
        names = ("band", "deep", "whole", "octave")
        band, deep, whole, octave = (np.concatenate([getattr(one, name) for one in self._frames]) for name in names)
        count = max(round(len(band) * _HOP / _BASS_RATE / WINDOW_S), 1)
        parts = (np.array_split(values, count) for values in (band, deep, whole, octave))
        return _often(_bass_in(*part) for part in zip(*parts, strict=True))


def _bass_in(
    band: NDArray[np.float32], deep: NDArray[np.float32], whole: NDArray[np.float32], octave: NDArray[np.float32]
) -> bool:
    """Whether a bass plays in a window, by the values of its frames."""
    energies = [float(values.sum(dtype=np.float64)) + 1e-20 for values in (deep, band, whole)]
    low, deeper = 10 * np.log10(energies[1] / energies[2]), 10 * np.log10(energies[0] / energies[1])
    steady = np.zeros(len(octave), np.bool_)
    if len(octave) >= _STEADY_FRAMES:
        near = np.lib.stride_tricks.sliding_window_view(octave, _STEADY_FRAMES)
        steady[: len(near)] = np.ptp(near, axis=1) < _STEADY_OCTAVES
    steady &= band > _FAINT_SHARE * whole.mean()
    loud = band > _LOUD_SHARE * np.percentile(band, 95)
    held = steady.mean() >= MIN_STEADY_SHARE and loud.mean() >= MIN_LOUD_SHARE
    return bool(held and low >= MIN_LOW_DB and deeper >= MIN_DEEP_DB)
