"""Drums and bass out of a mix by our own network, as a stream: what the engine takes over when it is better.

The network hears segments as long as the vocals', which overlap as theirs do. Its drums are taken as they are. The bass
is the mean of two estimates whose errors differ: the network's, and whatever is not drums below ``MAX_BASS_HZ``,
the latter as far as the network hears a bass at all. The voice stays what the vocal network took for it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.onnxsession import open_session
from antiphon.music.separation.vocals import OVERLAP, SEGMENT, VocalMask, faded, masked, pieces
from antiphon.music.signal.framing import Fifo, Samples
from antiphon.music.signal.stft import Frames, Synthesis, frames_of
from training.separation.components import (
    COMPONENTS,
    EDGES,
    GRAM,
    GRID,
    LEVEL,
    SAMPLE_RATE,
    STEMS,
    Floats,
    Mixture,
    mixtures,
    spread,
)

INPUT, OUTPUT = "known", "shares"
DRUMS, BASS = STEMS.index("drums"), STEMS.index("bass")
ACCOMPANIMENT = slice(0, COMPONENTS.index("voice"))
MAX_BASS_HZ = 180.0
FULL_BASS = 0.6
"""Amplitude of the network's bass, relative to all that is not drums below ``MAX_BASS_HZ``, from which a bass surely
plays."""

Shares = NDArray[np.float32]
"""(frames, BANDS, COMPONENTS, STEMS): how much of each component goes to each stem; the last axis sums to 1."""
RhythmShares = NDArray[np.float32]
"""(frames, BANDS, 2, 2): how much of the percussive and the harmonic component goes to drums and bass."""
_LOW = (EDGES[:-1] * (SAMPLE_RATE / GRID.window) < MAX_BASS_HZ).astype(np.float32)


class StemNetwork:
    """The network, loaded once and run with ``threads`` threads."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, memory_arena=False, warnings=False)

    def __call__(self, known: Floats) -> Shares:
        """For a segment of what the network may know of a mixture, (frames, BANDS, KNOWN)."""
        shares: Shares = self._session.run([OUTPUT], {INPUT: known[np.newaxis]})[0][0]
        return shares


def rhythm_shares(known: Floats, shares: Shares) -> RhythmShares:
    """Drums and bass out of the network's answer to a segment."""
    drums, bass = (shares[:, :, ACCOMPANIMENT, stem] for stem in (DRUMS, BASS))
    low = (1 - drums) * _LOW[:, np.newaxis] * _presence(known, drums, bass)
    return np.stack([drums, (bass + low) / 2], axis=-1)


def _presence(known: Floats, drums: Shares, bass: Shares) -> np.float32:
    """How surely a bass plays in the segment, 0–1."""
    energy = 10.0 ** (known[..., LEVEL] - known[..., LEVEL].max()) * _LOW
    components = known[..., GRAM : GRAM + 2] * energy[..., np.newaxis]
    heard, rest = (float(np.sum(components * amplitude**2)) for amplitude in (bass, 1 - drums))
    return np.float32(min(np.sqrt(heard / (rest + 1e-12)) / FULL_BASS, 1.0))


def split_stems(
    blocks: Iterator[Samples], voice: VocalMask, network: StemNetwork
) -> Iterator[tuple[Samples, Samples, Samples, Samples]]:
    """Stereo blocks at 44.1 kHz as aligned ``(mix, vocals, drums, bass)``, all (n, 2), as long together as the blocks;
    what the last three leave of the mix is the rest."""
    waiting = Fifo(2)

    def frames() -> Iterator[tuple[Frames, NDArray[np.float32]]]:
        for block, some, mask in masked(frames_of(blocks, GRID, 2), voice):
            waiting.push(block)
            yield some, mask

    syntheses = [Synthesis(GRID, 2) for _ in range(3)]
    for mixture, shares in _shared(mixtures(frames()), network):
        weights = [mixture.voice, _weight(mixture, shares[..., 0]), _weight(mixture, shares[..., 1])]
        stems = [
            synthesis.push(np.asarray(mixture.frames * weight, np.complex64))
            for synthesis, weight in zip(syntheses, weights, strict=True)
        ]
        mix = waiting.take(len(stems[0]))
        if len(mix):
            yield mix, stems[0][: len(mix)], stems[1][: len(mix)], stems[2][: len(mix)]


def _weight(mixture: Mixture, shares: Floats) -> Floats:
    """What a stem with these ``shares`` (n, BANDS, 2) of the accompaniment gets of each bin: (n, 2, bins)."""
    percussive, harmonic = (spread(shares[:, :, part])[:, np.newaxis] for part in (0, 1))
    inside = mixture.percussive * percussive + (1 - mixture.percussive) * harmonic
    return np.asarray(inside * (1 - mixture.voice), np.float32)


def _shared(source: Iterator[Mixture], network: StemNetwork) -> Iterator[tuple[Mixture, RhythmShares]]:
    """The mixture in small pieces with the network's answer. Neighbouring segments overlap, and their answers fade
    into each other."""
    held: Mixture | None = None
    tail: RhythmShares | None = None
    step = SEGMENT - OVERLAP
    for some in source:
        held = some if held is None else held.joined(some)
        while len(held) > SEGMENT:
            current = faded(_heard(held[:SEGMENT], network), tail)
            for piece in pieces(step):
                yield held[piece], current[piece]
            held, tail = held[step:], current[step:].copy()
    if held is not None and len(held):
        current = faded(_heard(held, network), tail)
        for piece in pieces(len(held)):
            yield held[piece], current[piece]


def _heard(segment: Mixture, network: StemNetwork) -> RhythmShares:
    known = np.concatenate([segment[piece].known() for piece in pieces(len(segment))])
    return rhythm_shares(known, network(known))
