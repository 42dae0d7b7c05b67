"""The kick's share of the low band: what rises there when something is struck.

A median over 23 ms frames, as the drums are found by, does not see a kick: its low end rings for a tenth of a second
and passes for a tone. But it comes at once, together with a click above: where the low band jumps within 20 ms while
the drums do too, what it has above its level before is the kick's, for as long as a kick lasts.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from antiphon.music.signal.framing import Fifo, Samples
from antiphon.music.signal.stft import Analysis, Frames, Grid, Synthesis

GRID = Grid(window=1024, hop=256)
LOWEST_CLICK_BIN = 8
"""From 345 Hz on, what is in the drums is no longer the low band's."""
MIN_CLICK_RISE, MIN_LOW_RISE = 4.0, 3.0
"""Energies of a stroke, above and in the low band, against those just before it."""
MIN_CLICK_SHARE = 0.2
"""Energy of the click against the low band's: a plucked bass has less."""
CLICK_PAST_FRAMES, LOW_PAST_FRAMES = 4, 12
LOW_RISE_FRAMES = 3
"""Frames after a click within which the low band has risen."""
KICK_FRAMES = 16
"""Frames that a kick lasts: 93 ms."""
_SILENCE = 1e-9

Parts = tuple[Samples, Samples, Samples, Samples]


def with_kicks(parts: Iterator[Parts]) -> Iterator[Parts]:
    """Aligned ``(mix, vocals, drums, bass)``, all (n, 2) at 44.1 kHz, with the bass's kicks moved to the drums."""
    waiting = [Fifo(2) for _ in range(4)]
    low, high, kicks, out = Analysis(GRID, 2), Analysis(GRID, 2), _Kicks(), Synthesis(GRID, 2)

    def moved(kick: Samples) -> Parts:
        mix, vocals, drums, bass = (fifo.take(len(kick)) for fifo in waiting)
        kick = kick[: len(mix)]
        return mix, vocals, drums + kick, bass - kick

    for several in parts:
        for fifo, samples in zip(waiting, several, strict=True):
            fifo.push(samples)
        frames = low.push(several[3])
        yield moved(out.push(kicks.push(frames, _above(high.push(several[2])))))
    frames = kicks.push(low.finish(), _above(high.finish()))
    yield moved(out.push(np.concatenate([frames, kicks.finish()])))


def _above(drums: Frames) -> NDArray[np.float32]:
    """Energy of each frame above the low band."""
    upper = drums[:, :, LOWEST_CLICK_BIN:]
    return np.asarray((upper.real**2 + upper.imag**2).mean(axis=1).sum(axis=1), np.float32)


class _Kicks:
    """The low band's frames with what is the kick's in them; each waits until it is known whether the band rises."""

    def __init__(self) -> None:
        self._held: deque[tuple[Frames, float, float]] = deque()
        self._low: deque[float] = deque(maxlen=LOW_PAST_FRAMES + 1)
        self._click: deque[float] = deque(maxlen=CLICK_PAST_FRAMES)
        self._struck: deque[list[float]] = deque()
        """Of each kick that sounds: frames that are left, and the level before it."""

    def push(self, frames: Frames, clicks: NDArray[np.float32]) -> Frames:
        energies = (frames.real**2 + frames.imag**2).mean(axis=1).sum(axis=1)
        done = []
        for frame, energy, click in zip(frames, energies.tolist(), clicks.tolist(), strict=True):
            self._held.append((frame, energy, click))
            if len(self._held) > LOW_RISE_FRAMES:
                done.append(self._next(risen=energy))
        return _stacked(done, frames)

    def finish(self) -> Frames:
        shape = self._held[0][0] if self._held else np.zeros((2, GRID.bins), np.complex64)
        return _stacked([self._next(risen=0.0) for _ in range(len(self._held))], shape[np.newaxis])

    def _next(self, *, risen: float) -> Frames:
        """The kick's part of the oldest frame; ``risen`` is the band's energy ``LOW_RISE_FRAMES`` later."""
        frame, energy, click = self._held.popleft()
        past = list(self._low)[:-1] or [0.0]
        before, quiet = float(np.mean(past)), float(np.mean(self._click or [0.0]))
        clicked = click > max(MIN_CLICK_RISE * quiet, MIN_CLICK_SHARE * risen) + _SILENCE
        if clicked and risen > MIN_LOW_RISE * before + _SILENCE and self._click:
            self._struck.append([KICK_FRAMES, before])
        share = max((1 - min(1.0, level / (energy + 1e-12)) for _, level in self._struck), default=0.0)
        for one in self._struck:
            one[0] -= 1
        while self._struck and self._struck[0][0] <= 0:
            self._struck.popleft()
        self._low.append(energy)
        self._click.append(click)
        return np.asarray(frame * np.float32(share), np.complex64)


def _stacked(frames: list[Frames], like: Frames) -> Frames:
    return np.stack(frames) if frames else np.zeros((0, *like.shape[1:]), np.complex64)
