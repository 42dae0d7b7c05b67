"""Finds kick, snare and hi-hat in a drum stem.

Each drum is listened for in the band where it sounds most by itself. An onset is a sharp rise of the band's
level in decibels (half-wave rectified difference of log energy, as in Klapuri, ICASSP 1999) that is a local peak,
and that leaves behind enough energy for the drum's body to sound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.notes import Note
from antiphon.music.progress import Progress

SAMPLE_RATE = 44_100
HOP = 441
WINDOW = 2_048
BLOCK_FRAMES = 500
KICK, SNARE, HIHAT = 36, 38, 42

EARLY = 0.006
"""Seconds by which the steepest rise of a windowed level comes before the hit itself."""

ANY = 200.0
"""A difference in dB that nothing reaches."""

Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """``levels`` is (frames, drums), each drum's band in dB re full scale; ``noise`` is (frames,), the spectral
    flatness of ``WIRES`` in dB: about -2.5 for noise, lower the more tonal."""

    levels: Levels
    noise: Levels


@dataclass(frozen=True, slots=True)
class Drum:
    """How to hear one drum: in ``band`` (Hz), by its ``body``, the frames after the onset that tell it from what
    merely clicks in the same band. The body may lie ``floor`` dB under the song's loudest hits of this drum and
    ``behind`` dB under the snare's band at the same time, and must be as ``noisy`` (dB, see ``Heard``). ``rise`` is the
    least rise in dB, ``rings`` the length of its notes in seconds."""

    key: int
    band: tuple[float, float]
    rise: float
    body: tuple[int, int]
    floor: float
    behind: float
    noisy: float
    rings: float


KIT = (
    Drum(KICK, (35.0, 110.0), 6.0, (0, 4), 12.0, ANY, -ANY, 0.15),
    Drum(SNARE, (400.0, 2_500.0), 6.0, (3, 8), 9.0, ANY, -8.0, 0.15),
    Drum(HIHAT, (9_000.0, 16_000.0), 3.0, (2, 6), 26.0, 15.0, -ANY, 0.08),
)
SNARE_BAND = 1
WIRES = (2_000.0, 8_000.0)
"""Where the snare's wires rattle, in Hz: a voice or a guitar that leaked in has partials there, not noise."""
RATTLE = (1, 6)
"""The frames after an onset in which the wires are listened to."""
GAP = 5
"""Frames between two hits of one drum, at least."""
QUIETEST = -60.0
"""A band whose loudest hits stay under this level (dB re full scale) holds leakage, not a drum."""


def _frames(path: Path) -> Iterator[NDArray[np.float32]]:
    """Windowed frames (n, WINDOW); frame k of the file is centred on sample ``k * HOP``."""
    held = np.zeros(WINDOW // 2, np.float32)
    shape = np.hanning(WINDOW).astype(np.float32)
    for block in audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK_FRAMES * HOP):
        held = np.concatenate([held, block[:, 0]])
        count = (len(held) - WINDOW) // HOP + 1
        if count > 0:
            yield np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::HOP][:count] * shape
            held = held[count * HOP :]
    held = np.pad(held, (0, WINDOW // 2))
    if len(held) >= WINDOW:
        yield np.lib.stride_tricks.sliding_window_view(held, WINDOW)[::HOP] * shape


def listen(path: Path, *, duration: float, progress: Progress) -> Heard:
    """What the detector needs to know of a drum stem. The audio is streamed, 16 bytes a frame are kept."""
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    bands = np.array([(hertz >= drum.band[0]) & (hertz < drum.band[1]) for drum in KIT], np.float32)
    wires = (hertz >= WIRES[0]) & (hertz < WIRES[1])
    levels, noise = [np.zeros((0, len(KIT)), np.float32)], [np.zeros(0, np.float32)]
    count = 0
    for frames in _frames(path):
        power = np.square(np.abs(np.fft.rfft(frames, axis=1))) * np.float32(8 / 3 / WINDOW**2)
        levels.append(10 * np.log10(power @ bands.T + 1e-10))
        rattle = power[:, wires] + 1e-12
        noise.append(10 * (np.log10(rattle).mean(axis=1) - np.log10(rattle.mean(axis=1))))
        count += len(frames)
        progress(min(1.0, count * HOP / SAMPLE_RATE / max(duration, 1e-3)), "drums")
    return Heard(np.concatenate(levels).astype(np.float32), np.concatenate(noise).astype(np.float32))


def _body(level: Levels, body: tuple[int, int]) -> Levels:
    """Mean level of the frames ``body[0]`` to ``body[1]`` after each frame; same shape as ``level``."""
    padded = np.pad(level, (0, body[1]), mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, body[1] - body[0])
    mean: Levels = view[body[0] : body[0] + len(level)].mean(axis=1)
    return mean


def _candidates(level: Levels, rise: float) -> NDArray[np.intp]:
    """Frames at which the level has risen by more than ``rise`` dB within two frames, where it rises most."""
    step = np.zeros_like(level)
    step[2:] = level[2:] - level[:-2]
    around = np.lib.stride_tricks.sliding_window_view(np.pad(step, 3, mode="edge"), 7).max(axis=1)
    return np.flatnonzero((step > rise) & (step >= around))


def hits(heard: Heard, drum: Drum) -> tuple[NDArray[np.intp], Levels]:
    """Frames at which ``drum`` was struck, and the level of each hit relative to the loud ones in dB."""
    level = heard.levels[:, KIT.index(drum)]
    if len(level) < GAP:
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    frames = _candidates(level, drum.rise)
    frames = frames[_body(heard.noise, RATTLE)[frames] > drum.noisy]
    body = _body(level, drum.body)[frames]
    loud = float(np.percentile(body, 95)) if len(body) else QUIETEST
    behind = _body(heard.levels[:, SNARE_BAND], drum.body)[frames] - drum.behind
    real = (body >= loud - drum.floor) & (body > behind)
    frames, body = frames[real], body[real]
    if loud < QUIETEST or not len(frames):
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    apart = np.append(True, np.diff(frames) >= GAP)
    return frames[apart], body[apart] - loud


def detect(path: Path, *, duration: float, progress: Progress) -> list[Note]:
    """The hits in the drum stem ``path``, which lasts about ``duration`` seconds (used for ``progress`` only), in order
    of start and key. Keys are General MIDI percussion; velocity follows the loudness of the hit."""
    heard = listen(path, duration=duration, progress=progress)
    notes = []
    for drum in KIT:
        for frame, relative in zip(*(part.tolist() for part in hits(heard, drum)), strict=True):
            start = frame * HOP / SAMPLE_RATE + EARLY
            velocity = min(max(0.85 + relative / 30, 0.1), 1.0)
            notes.append(Note(drum.key, start, start + drum.rings, velocity))
    return sorted(notes, key=lambda note: (note.start, note.pitch))
