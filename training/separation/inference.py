"""Stems of a whole mix by the trained network, in memory: what an engine does, to measure what it would give."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from antiphon.music.separation.spectra import Analysis, Frames, Synthesis
from antiphon.music.separation.vocals import OVERLAP, SEGMENT, VocalMask
from training.separation.bands import BANDS, COMPONENTS, EDGES, GRID, SAMPLE_RATE, STEMS, Floats, Mixture, spread
from training.separation.corpus import voice_share

DRUMS, BASS, OTHER, VOCALS = range(4)
VOICE = COMPONENTS.index("voice")
MAX_BASS_HZ = 180.0

Shares = Floats
"""(frames, BANDS, COMPONENTS, STEMS): how much of each component goes to each stem; the last axis sums to 1."""


class RhythmNetwork:
    """The network, loaded from an ONNX file."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, known: Floats) -> Shares:
        """``known`` (n, BANDS, 8) of any length: segments as long as the vocals', faded into each other."""
        shares = np.zeros((len(known), BANDS, len(COMPONENTS), len(STEMS)), np.float32)
        step = SEGMENT - OVERLAP
        for start in range(0, max(len(known) - OVERLAP, 1), step):
            segment = known[start : start + SEGMENT]
            answer = self._session.run(None, {"known": segment[np.newaxis]})[0][0]
            if start:
                fade = (np.arange(1, OVERLAP + 1, dtype=np.float32) / (OVERLAP + 1))[: len(answer), None, None, None]
                answer[:OVERLAP] = shares[start : start + OVERLAP] * (1 - fade) + answer[:OVERLAP] * fade
            shares[start : start + SEGMENT] = answer
        return shares


def low_bands() -> Floats:
    """1 for the bands below ``MAX_BASS_HZ``, 0 above: (BANDS,)."""
    return (EDGES[:-1] * (SAMPLE_RATE / GRID.window) < MAX_BASS_HZ).astype(np.float32)


def voice_kept(shares: Shares) -> Shares:
    """With the vocal network's voice as it is; what is called voice in the accompaniment belongs to ``other``."""
    kept = shares.copy()
    kept[:, :, VOICE] = np.eye(len(STEMS), dtype=np.float32)[VOCALS]
    kept[:, :, :VOICE, OTHER] += kept[:, :, :VOICE, VOCALS]
    kept[:, :, :VOICE, VOCALS] = 0
    return kept


def drums_alone(shares: Shares) -> Shares:
    """The network's drums; of what remains, bass is what lies below ``MAX_BASS_HZ``."""
    kept = voice_kept(shares)
    rest = 1 - kept[:, :, :VOICE, DRUMS]
    kept[:, :, :VOICE, BASS] = rest * low_bands()[:, None]
    kept[:, :, :VOICE, OTHER] = rest * (1 - low_bands()[:, None])
    return kept


PARTS: dict[str, Callable[[Shares], Shares]] = {
    "network": lambda shares: shares,
    "voice kept": voice_kept,
    "drums alone": drums_alone,
}
"""What of the network's answer is used."""


def separated(mix: Floats, vocals: VocalMask, network: RhythmNetwork, parts: str) -> dict[str, Floats]:
    """``mix`` (n, 2) at 44.1 kHz as ``STEMS`` of the same length, whose sum is the mix."""
    analysis = Analysis(GRID, 2)
    frames: Frames = np.concatenate([analysis.push(mix), analysis.finish()])
    mixture = Mixture.split(frames, voice_share(frames, vocals))
    shares = PARTS[parts](network(mixture.known()))
    stems = {}
    for number, name in enumerate(STEMS):
        weight = sum(
            spread(shares[:, :, component, number])[:, np.newaxis] * mixture.shares[component]
            for component in range(len(COMPONENTS))
        )
        synthesis = Synthesis(GRID, 2)
        stems[name] = synthesis.push(np.asarray(frames * weight, np.complex64))[: len(mix)]
    return stems
