"""Finds kick, snare and hi-hat in a drum stem.

An onset is a sharp rise of the level in decibels of the band in which a drum strikes (half-wave rectified difference
of log energy, as in Klapuri, ICASSP 1999) at a local peak. It is that drum's if its body then sounds as loud as the
drum's loud hits in this song do, give or take; a snare must rattle, too, which tells it from what leaked into a
separated stem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.progress import Progress
from antiphon.score.notes import Note

SAMPLE_RATE = 44_100
HOP = 441
WINDOW = 2_048
BLOCK_FRAMES = 500
KICK, SNARE, HIHAT = 36, 38, 42

EARLY = 0.006
"""Seconds by which the steepest rise of a windowed level comes before the hit itself."""
GAP = 5
"""Frames between two hits of one drum, at least."""
LOUD = 95
"""The percentile of a song's candidates that counts as a loud hit."""
QUIETEST = -60.0
"""A band whose loud hits stay under this level (dB re full scale) holds leakage, not a drum."""

NOISE = (1, 6)
"""The frames after an onset in which the wires are listened to."""

BANDS = {
    "thump": (35.0, 110.0),
    "snare": (400.0, 8_000.0),
    "skin": (400.0, 2_500.0),
    "wires": (2_000.0, 8_000.0),
    "metal": (9_000.0, 16_000.0),
}
"""Where to listen, in Hz."""

Frames = NDArray[np.intp]
Levels = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Body:
    """What sounds after a strike: the mean level of ``band`` from the first to the second of ``frames`` after the
    onset, at most ``floor`` dB under that of the loud hits."""

    band: str
    frames: tuple[int, int]
    floor: float


@dataclass(frozen=True, slots=True)
class Drum:
    """How to hear one drum: its level rises by ``rise`` dB or more in the band ``strike``, and its ``bodies`` sound.
    The wires' noise must reach ``noise`` dB (see ``Heard``), and the first body may lie no more than ``behind`` dB
    under the skin of a snare at the same time. Its notes last ``rings`` seconds."""

    key: int
    strike: str
    rise: float
    bodies: tuple[Body, ...]
    rings: float
    noise: float | None = None
    behind: float | None = None


KIT = (
    Drum(KICK, "thump", 6.0, (Body("thump", (0, 4), 12.0),), 0.15),
    Drum(SNARE, "snare", 6.0, (Body("skin", (3, 8), 12.0), Body("wires", (3, 8), 8.0)), 0.15, noise=-7.0),
    Drum(HIHAT, "metal", 3.0, (Body("metal", (2, 6), 26.0),), 0.08, behind=15.0),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """``levels`` of each band in dB re full scale, and the ``noise`` of the wires: their spectral flatness in dB,
    about -2.5 for noise and lower the more tonal. All of shape (frames,)."""

    levels: Mapping[str, Levels]
    noise: Levels


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
    """What the detector needs to know of a drum stem. The audio is streamed, 24 bytes a frame are kept."""
    hertz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    bands = np.array([(hertz >= low) & (hertz < high) for low, high in BANDS.values()], np.float32)
    wires = bands[list(BANDS).index("wires")] > 0
    levels, noise = [np.zeros((0, len(BANDS)), np.float32)], [np.zeros(0, np.float32)]
    count = 0
    for frames in _frames(path):
        power = np.square(np.abs(np.fft.rfft(frames, axis=1))) * np.float32(8 / 3 / WINDOW**2)
        levels.append(10 * np.log10(power @ bands.T + 1e-10))
        rattle = power[:, wires] + 1e-12
        noise.append(10 * (np.log10(rattle).mean(axis=1) - np.log10(rattle.mean(axis=1))))
        count += len(frames)
        progress(min(1.0, count * HOP / SAMPLE_RATE / max(duration, 1e-3)), "drums")
    columns = np.concatenate(levels).astype(np.float32).T
    return Heard(dict(zip(BANDS, columns, strict=True)), np.concatenate(noise).astype(np.float32))


def _after(level: Levels, frames: tuple[int, int]) -> Levels:
    """Mean level of the frames ``frames[0]`` to ``frames[1]`` after each frame; same shape as ``level``."""
    padded = np.pad(level, (0, frames[1]), mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, frames[1] - frames[0])
    mean: Levels = view[frames[0] : frames[0] + len(level)].mean(axis=1)
    return mean


def _candidates(level: Levels, rise: float) -> Frames:
    """Frames at which the level has risen by more than ``rise`` dB within two frames, where it rises most."""
    step = np.zeros_like(level)
    step[2:] = level[2:] - level[:-2]
    around = np.lib.stride_tricks.sliding_window_view(np.pad(step, 3, mode="edge"), 7).max(axis=1)
    return np.flatnonzero((step > rise) & (step >= around))


def hits(heard: Heard, drum: Drum) -> tuple[Frames, Levels]:
    """Frames at which ``drum`` was struck, and the level of each hit relative to the loud ones in dB."""
    none = np.zeros(0, np.intp), np.zeros(0, np.float32)
    if len(heard.noise) < GAP:
        return none
    frames = _candidates(heard.levels[drum.strike], drum.rise)
    if drum.noise is not None:
        frames = frames[_after(heard.noise, NOISE)[frames] > drum.noise]
    if not len(frames):
        return none
    levels = [_after(heard.levels[body.band], body.frames)[frames] for body in drum.bodies]
    loud = [float(np.percentile(level, LOUD)) for level in levels]
    real = np.ones(len(frames), bool)
    for body, level, top in zip(drum.bodies, levels, loud, strict=True):
        real &= (level >= top - body.floor) & (top >= QUIETEST)
    if drum.behind is not None:
        real &= levels[0] > _after(heard.levels["skin"], drum.bodies[0].frames)[frames] - drum.behind
    frames, level = frames[real], levels[0][real] - loud[0]
    apart = np.diff(frames, prepend=-GAP) >= GAP
    return frames[apart], level[apart]


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
