"""Runs the Basic Pitch network over a file, window by window.

Source: Bittner, Bosch, Rubinstein, Meseguer-Brocal, Ewert, "A Lightweight Instrument-Agnostic Model for
Polyphonic Note Transcription and Multipitch Estimation", ICASSP 2022; weights of ``basic-pitch`` 0.4.0 in a graph of
our own (``basicpitch``).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.progress import Progress

SAMPLE_RATE = 22_050
HOP = 256
"""Samples from one frame to the next."""
WINDOW = 43_844
"""Samples that the network takes at once; it gives ``WINDOW_FRAMES`` frames for them."""
WINDOW_FRAMES = 172
EDGE_FRAMES = 15
"""Frames at each end of a window that saw too little context to be trusted."""
PITCHES = 88
MIN_PITCH = 21
CONTOUR_BINS = 3
"""Contour bins to a semitone; the middle one of a pitch's three is in tune."""
BATCH = 1
"""Windows that one thread hears at a time: more are not heard faster, and take more memory."""
READ = 8
"""Windows that are read at a time."""
AUDIO, NOTES, ONSETS, CONTOURS = "audio", "notes", "onsets", "contours"
SILENCE = 1e-4
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
    keys from MIDI note 21; ``level`` is (frames,) float32, the RMS amplitude around each frame; ``contours`` is
    (frames, 3 * pitches) float16, the pitch activation in thirds of a semitone over the pitches that were asked
    for. Frame k is at ``k * HOP / SAMPLE_RATE`` seconds."""

    notes: NDArray[np.float16]
    onsets: NDArray[np.float16]
    level: NDArray[np.float32]
    contours: NDArray[np.float16]

    @property
    def frames(self) -> int:
        return len(self.level)


Activations = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Notes and onsets, each (windows, 172, 88), and contours (windows, 172, 264)."""


class Network:
    """The Basic Pitch network, loaded once; up to ``threads`` threads hear a file's windows side by side."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(weights), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.threads = threads

    def __call__(self, windows: NDArray[np.float32]) -> Activations:
        """What is heard in windows (n, 43844); nothing in those that are silent."""
        notes = np.zeros((len(windows), WINDOW_FRAMES, PITCHES), np.float32)
        onsets = np.zeros_like(notes)
        contours = np.zeros((len(windows), WINDOW_FRAMES, PITCHES * CONTOUR_BINS), np.float32)
        audible = np.flatnonzero(np.abs(windows).max(axis=1) > SILENCE)
        if len(audible):
            notes[audible], onsets[audible], contours[audible] = self._session.run(
                [NOTES, ONSETS, CONTOURS], {AUDIO: windows[audible]}
            )
        return notes, onsets, contours


def _summed(paths: Sequence[Path], block: int) -> Iterator[NDArray[np.float32]]:
    """Mono blocks (n,) of the sum of the files, as long as the longest of them, without a constant offset."""
    for blocks in zip_longest(
        *(audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=block) for path in paths)
    ):
        total = np.zeros(max(len(one) for one in blocks if one is not None), np.float32)
        for one in blocks:
            if one is not None:
                total[: len(one)] += one[:, 0]
        yield total - total.mean()


def _windows(blocks: Iterable[NDArray[np.float32]], step: int) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Batches of windows (n, 43844) with the number of samples read so far; the last window is zero-padded."""
    held = np.zeros(EDGE_FRAMES * HOP, np.float32)
    total = 0
    batch_samples = (BATCH - 1) * step + WINDOW
    for block in blocks:
        total += len(block)
        held = np.concatenate([held, block])
        while len(held) >= batch_samples:
            yield _cut(held[:batch_samples], step), total
            held = held[BATCH * step :]
    # The last window has to reach the last sample with a frame that is kept, not with its edge.
    windows = -(-(len(held) - EDGE_FRAMES * HOP) // step)
    for first in range(0, max(windows, 0), BATCH):
        length = (min(BATCH, windows - first) - 1) * step + WINDOW
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
    network: Network,
    *paths: Path,
    duration: float,
    progress: Progress,
    contours: range = range(0),
    overlap: Overlap = WHOLE_HOPS,
    beside: Callable[[NDArray[np.float32]], None] = lambda samples: None,
) -> Posteriorgram:
    """Runs the network over a whole file of about ``duration`` seconds (only used for ``progress``), or over the sum of
    several. ``contours`` are the MIDI pitches of which these are kept; with another ``overlap`` than ours, frame k is
    at ``overlap.seconds(k)``. ``beside`` is given the mono samples too, block by block.

    The audio is streamed; what is kept is 356 bytes a frame, 110 MB for an hour, and 6 bytes for each pitch in
    ``contours``."""
    kept = slice(EDGE_FRAMES, EDGE_FRAMES + overlap.frames)
    first = CONTOUR_BINS * (contours.start - MIN_PITCH)
    columns = slice(first, first + CONTOUR_BINS * len(contours)) if contours else slice(0)

    def blocks() -> Iterator[NDArray[np.float32]]:
        for block in _summed(paths, READ * overlap.step):
            beside(block)
            yield block

    def hear(batch: tuple[NDArray[np.float32], int]) -> tuple[list[NDArray[np.float16]], NDArray[np.float32], int]:
        windows, read = batch
        notes, onsets, fine = network(windows)
        middles = [part[:, kept].astype(np.float16) for part in (notes, onsets, fine[:, :, columns])]
        joined = [middle.reshape(len(middle) * overlap.frames, middle.shape[2]) for middle in middles]
        return joined, _level(windows, overlap.frames), read

    parts: list[list[NDArray[np.float16]]] = [[], [], []]
    levels = []
    total = 0
    for heard, level, total in _side_by_side(hear, _windows(blocks(), overlap.step), network.threads):
        for part, activation in zip(parts, heard, strict=True):
            part.append(activation)
        levels.append(level)
        progress(min(1.0, total / SAMPLE_RATE / max(duration, 1e-3)), "notes")
    frames = -(-total * overlap.frames // overlap.step)
    if not frames:
        nothing = np.zeros((0, PITCHES), np.float16)
        return Posteriorgram(nothing, nothing, np.zeros(0, np.float32), np.zeros((0, 0), np.float16))
    note, onset, contour = (_join(part)[:frames] for part in parts)
    return Posteriorgram(note, onset, np.concatenate(levels)[:frames], contour)


Given = TypeVar("Given")
Result = TypeVar("Result")


def _side_by_side(work: Callable[[Given], Result], items: Iterable[Given], threads: int) -> Iterator[Result]:
    """What ``work`` makes of ``items``, in their order, by ``threads`` threads that are a few items ahead at most."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque[Future[Result]]()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _join(parts: list[NDArray[np.float16]]) -> NDArray[np.float16]:
    """Concatenates and empties the list, so that the parts do not outlive their copy for long."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole
