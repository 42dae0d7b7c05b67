"""Basic Pitch network, run over a file window by window.

Source: Bittner, Bosch, Rubinstein, Meseguer-Brocal, Ewert, "A Lightweight Instrument-Agnostic Model for
Polyphonic Note Transcription and Multipitch Estimation", ICASSP 2022; weights of ``basic-pitch`` 0.4.0 in a graph of
our own (``basicpitch``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.onnxsession import open_session
from antiphon.music.progress import Progress
from antiphon.music.transcription.levels import HOP, PITCHES, SAMPLE_RATE
from antiphon.music.transcription.parallel import side_by_side
from antiphon.music.transcription.sound import Sound

WINDOW = 43_844
"""Samples that the network takes at once; it gives ``WINDOW_FRAMES`` frames for them."""
WINDOW_FRAMES = 172
EDGE_FRAMES = 15
"""Frames at each end of a window that saw too little context to be trusted."""
CONTOUR_BINS = 3
"""Contour bins to a semitone; the middle one of a pitch's three is in tune."""
BATCH_WINDOWS = 1
"""Windows that one thread hears at a time: more are not heard faster, and take more memory."""
READ_WINDOWS = 8
"""Windows that are read at a time."""
AUDIO, NOTES, ONSETS, CONTOURS = "audio", "notes", "onsets", "contours"
MIN_PEAK_AMPLITUDE = 1e-4
"""Peak amplitude (-80 dBFS) under which a window is not worth the network's time."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """How windows follow each other: by ``step`` samples, with ``frames`` frames taken from each."""

    step: int
    frames: int

    def seconds(self, frame: int) -> float:
        window, rest = divmod(frame, self.frames)
        return (window * self.step + rest * HOP) / SAMPLE_RATE


WHOLE_HOPS = Overlap((WINDOW_FRAMES - 2 * EDGE_FRAMES - 1) * HOP, WINDOW_FRAMES - 2 * EDGE_FRAMES - 1)
"""43,844 samples are 171.27 hops and not 172, so windows that follow each other by a whole number of hops have to
overlap by one frame more than the edges; then frame k is at k hops, everywhere."""
BASIC_PITCH = Overlap(WINDOW - 2 * EDGE_FRAMES * HOP, WINDOW_FRAMES - 2 * EDGE_FRAMES)
"""As the ``basic-pitch`` package has them. An activation depends on where it lies in its window, so the package's notes
come out of its windows only."""


@dataclass(frozen=True)
class Posteriorgram:
    """What the network heard. ``notes`` and ``onsets`` are (frames, 88) float16 activations 0–1 of the piano
    keys from MIDI note 21; ``level`` is (frames,) float32, the RMS amplitude around each frame. Frame k is at
    ``k * HOP / SAMPLE_RATE`` seconds."""

    notes: NDArray[np.float16]
    onsets: NDArray[np.float16]
    level: NDArray[np.float32]

    @property
    def frames(self) -> int:
        return len(self.level)


Activations = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Notes and onsets, each (windows, 172, 88)."""


class BasicPitch:
    """The Basic Pitch network, loaded once; up to ``threads`` threads hear a file's windows side by side."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        self._session = open_session(weights)
        self.threads = threads

    def __call__(self, windows: NDArray[np.float32]) -> Activations:
        """What is heard in windows (n, 43844); nothing in those that are silent."""
        notes = np.zeros((len(windows), WINDOW_FRAMES, PITCHES), np.float32)
        onsets = np.zeros_like(notes)
        audible = np.flatnonzero(np.abs(windows).max(axis=1) > MIN_PEAK_AMPLITUDE)
        if len(audible):
            notes[audible], onsets[audible] = self._session.run([NOTES, ONSETS], {AUDIO: windows[audible]})
        return notes, onsets


def _windows(blocks: Iterable[NDArray[np.float32]], step: int) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Batches of windows (n, 43844) with the number of samples read so far; the last window is zero-padded."""
    held = np.zeros(EDGE_FRAMES * HOP, np.float32)
    total = 0
    batch_samples = (BATCH_WINDOWS - 1) * step + WINDOW
    for block in blocks:
        total += len(block)
        held = np.concatenate([held, block])
        while len(held) >= batch_samples:
            yield _cut(held[:batch_samples], step), total
            held = held[BATCH_WINDOWS * step :]
    # The last window has to reach the last sample with a frame that is kept, not with its edge.
    windows = -(-(len(held) - EDGE_FRAMES * HOP) // step)
    for first in range(0, max(windows, 0), BATCH_WINDOWS):
        length = (min(BATCH_WINDOWS, windows - first) - 1) * step + WINDOW
        piece = held[first * step :][:length]
        yield _cut(np.pad(piece, (0, length - len(piece))), step), total


def _cut(samples: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::step])


def _level(windows: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """RMS amplitude of the ``frames`` kept of each window, over one hop on either side: (windows * frames,)."""
    first = (EDGE_FRAMES - 1) * HOP
    middle = windows[:, first : first + (frames + 1) * HOP]
    power = np.square(middle.reshape(len(windows), frames + 1, HOP)).mean(axis=2)
    level: NDArray[np.float32] = np.sqrt((power[:, :-1] + power[:, 1:]) / 2).reshape(-1)
    return level


def listen(
    network: BasicPitch,
    sound: Sound,
    *,
    progress: Progress,
    overlap: Overlap = WHOLE_HOPS,
) -> Posteriorgram:
    """What the network hears in a whole sound; of one that is out of tune in the sound that is slower or faster by as
    much, whose frames are then put where they belong. The audio is streamed; what is kept is 356 bytes a frame, 110 MB
    for an hour.

    Args:
        network: The network.
        sound: What it listens to.
        progress: Is told the share of the work that is done.
        overlap: How windows follow each other; with another one than ours, frame k is at ``overlap.seconds(k)``.

    Raises:
        NotAudio: A file cannot be decoded.
    """
    kept = slice(EDGE_FRAMES, EDGE_FRAMES + overlap.frames)
    rate = round(SAMPLE_RATE * 2 ** (sound.tuning_cents / 1200))

    def hear(batch: tuple[NDArray[np.float32], int]) -> tuple[list[NDArray[np.float16]], NDArray[np.float32], int]:
        windows, read = batch
        middles = [part[:, kept].astype(np.float16) for part in network(windows)]
        joined = [middle.reshape(len(middle) * overlap.frames, middle.shape[2]) for middle in middles]
        return joined, _level(windows, overlap.frames), read

    parts: list[list[NDArray[np.float16]]] = [[], []]
    levels = []
    total = 0
    blocks = (block - block.mean() for block in sound.blocks(rate, READ_WINDOWS * overlap.step))
    windows = _windows(blocks, overlap.step)
    for heard, level, total in side_by_side(hear, windows, network.threads):
        for part, activation in zip(parts, heard, strict=True):
            part.append(activation)
        levels.append(level)
        progress(min(1.0, total / rate / max(sound.duration, 1e-3)), "notes")
    frames = -(-total * overlap.frames // overlap.step)
    if not frames:
        nothing = np.zeros((0, PITCHES), np.float16)
        return Posteriorgram(nothing, nothing, np.zeros(0, np.float32))
    note, onset = (_join(part)[:frames] for part in parts)
    return _at_rate(Posteriorgram(note, onset, np.concatenate(levels)[:frames]), rate)


def _at_rate(heard: Posteriorgram, rate: int) -> Posteriorgram:
    """What was heard in samples at ``rate`` that were taken for samples at ``SAMPLE_RATE``, frame by frame of these."""
    if rate == SAMPLE_RATE:
        return heard
    count = round(heard.frames * SAMPLE_RATE / rate)
    nearest = np.minimum(np.rint(np.arange(count) * rate / SAMPLE_RATE).astype(np.intp), heard.frames - 1)
    return Posteriorgram(heard.notes[nearest], heard.onsets[nearest], heard.level[nearest])


def _join(parts: list[NDArray[np.float16]]) -> NDArray[np.float16]:
    """Concatenates and empties the list, so that the parts do not outlive their copy for long."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole
