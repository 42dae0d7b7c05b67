"""Our drum network, run over a file piece by piece. Its model card lies beside it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music import audio
from antiphon.music.drums.features import BANDS, HOP, SAMPLE_RATE, Levels, gain, levels, scaled
from antiphon.music.drums.onsets import DETAILS, DRUMS, HitActivations
from antiphon.music.onnxsession import open_session
from antiphon.music.progress import Progress

MODEL = Path(__file__).parent / "model.onnx"
CONTEXT_FRAMES = 260
"""Frames on either side that the network sees of a frame's surroundings."""
PIECE_FRAMES = 2_000
"""Frames that it is asked about at a time."""
BLOCK_SAMPLES = 500 * HOP
LEVELS_SHARE, ACTIVATIONS_SHARE = 0.5, 1.0
"""Fractions of the work at which the levels and the activations are ready."""


class DrumModel:
    """The network, loaded once and run with ``threads`` threads, ``piece`` frames and their context at a time."""

    def __init__(self, *, threads: int = 1, piece: int = PIECE_FRAMES) -> None:
        self._piece = piece
        self._session = open_session(MODEL, threads=threads, memory_arena=False)

    def __call__(self, inputs: Levels) -> NDArray[np.float32]:
        """Activations (frames, outputs) 0–1 of ``inputs`` (frames, BANDS)."""
        answer: NDArray[np.float32] = self._session.run(None, {"levels": inputs[np.newaxis]})[0][0]
        return answer

    def activations(self, song: NDArray[np.float16], progress: Progress) -> HitActivations:
        """What the network hears in the levels (frames, BANDS) of a whole song."""
        amplification = gain(song)
        pieces = [np.zeros((0, 2 * len(DRUMS) + len(DETAILS)), np.float16)]
        for start in range(0, len(song), self._piece):
            end = min(start + self._piece, len(song))
            before, after = max(start - CONTEXT_FRAMES, 0), min(end + CONTEXT_FRAMES, len(song))
            answer = self(scaled(song[before:after], amplification))
            pieces.append(answer[start - before : end - before].astype(np.float16))
            progress(LEVELS_SHARE + (ACTIVATIONS_SHARE - LEVELS_SHARE) * end / len(song), "drums")
        joined = np.concatenate(pieces)
        count = len(DRUMS)
        return HitActivations(joined[:, :count], joined[:, count : 2 * count], joined[:, 2 * count :])


def listen(path: Path, *, duration: float, progress: Progress, gain_db: float = 0.0) -> NDArray[np.float16]:
    """The levels (frames, BANDS) of a file, made ``gain_db`` louder, in dB re full scale; ``duration`` in
    seconds serves ``progress`` only. The audio is streamed, 160 bytes a frame are kept: 58 MB for an hour."""

    def blocks() -> Iterator[Levels]:
        done = 0
        for block in audio.stream(path, sample_rate=SAMPLE_RATE, channels=1, block=BLOCK_SAMPLES):
            yield block[:, 0] * np.float32(10 ** (gain_db / 20))
            done += len(block)
            progress(LEVELS_SHARE * min(done / SAMPLE_RATE / max(duration, 1e-3), 1.0), "drums")

    return np.concatenate([np.zeros((0, BANDS), np.float16), *(part.astype(np.float16) for part in levels(blocks()))])
