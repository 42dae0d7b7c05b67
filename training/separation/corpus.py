"""Makes the material that the training reads: excerpts of random mixes as band statistics.

    python -m training.separation.corpus WORK --pieces FOLDER --hours 8

mixes what lies in ``FOLDER/train`` and ``FOLDER/valid``, takes the voice out as the engine does, and writes one file
per excerpt of 22 s into ``WORK/train`` and ``WORK/valid``. It goes on where it stopped and takes in pieces that come.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter, zoom

from antiphon.music import weights
from antiphon.music.separation.spectra import Analysis, Frames
from antiphon.music.separation.unet import BINS
from antiphon.music.separation.vocals import OVERLAP, SEGMENT, TOP_BINS, Mask, VocalMask
from antiphon.settings import load_settings
from training.separation import bands, remix
from training.separation.components import GRID, SAMPLE_RATE, STEMS, Floats, Mixture
from training.separation.pieces import Pool

FRAMES = 2 * SEGMENT - OVERLAP
LENGTH = FRAMES * GRID.hop
"""Samples of an excerpt: the frames that reach over its end are left out."""
REAL_SINGERS = 0.75
"""Share of the mixes with a voice in which it is found as well as a real one."""
POOL = 6
EXCERPTS_PER_PIECE = 6


def voice_share(frames: Frames, network: VocalMask) -> Mask:
    """The vocals' share in frames (n, 2, bins), segment by segment, faded over as in the engine."""
    step = SEGMENT - OVERLAP
    share = np.zeros(frames.shape, np.float32)
    for start in range(0, max(len(frames) - OVERLAP, 1), step):
        mask = network(frames[start : start + SEGMENT])
        if start:
            fade = ((np.arange(OVERLAP, dtype=np.float32) + 1) / (OVERLAP + 1))[: len(mask), np.newaxis, np.newaxis]
            mask[:OVERLAP] = share[start : start + OVERLAP] * (1 - fade) + mask[:OVERLAP] * fade
        share[start : start + SEGMENT] = mask
    return share


def as_on_records(rng: np.random.Generator, share: Mask, vocals: Frames, mix: Frames) -> Mask:
    """``share`` with more of the voice in it. The vocal network hears real singers far better than synthetic ones
    (9 dB), and it is its residue of real singers that there is to learn: the true share, blurred, wavering, above
    11 kHz a mean as the network's, and with a little of everything else."""
    voice, rest = np.abs(vocals) ** 2, np.abs(mix - vocals) ** 2
    ideal = voice / (voice + rest + 1e-12)
    blurred = uniform_filter(ideal, size=(3, 1, int(rng.choice([3, 5, 9]))))
    sharp = np.maximum(blurred, 0) ** rng.uniform(0.7, 1.5)
    knots = rng.uniform(0.8, 1.02, (len(mix) // 20 + 2, 12))
    wavering = zoom(knots, (len(mix) / len(knots), GRID.bins / 12), order=1)[:, np.newaxis, :]
    heard = np.clip(sharp * wavering + rng.uniform(0, 0.04), 0, 1).astype(np.float32)
    heard[:, :, BINS:] = heard[:, :, BINS - TOP_BINS : BINS].mean(axis=2, keepdims=True)
    return np.asarray(np.maximum(share, heard), np.float32)


def statistics(rng: np.random.Generator, stems: dict[str, Floats], network: VocalMask) -> NDArray[np.float16]:
    """(FRAMES, BANDS, FIELDS) of the mix of ``stems``."""
    analysed = tuple(Analysis(GRID, 2).push(stems[name]) for name in STEMS)
    frames: Frames = np.asarray(sum(analysed), np.complex64)
    share = voice_share(frames, network)
    if stems["vocals"].any() and rng.random() < REAL_SINGERS:
        share = as_on_records(rng, share, analysed[STEMS.index("vocals")], frames)
    return bands.statistics(Mixture.split(frames, share), analysed)


def save(path: Path, excerpt: NDArray[np.float16]) -> None:
    """Raises ``ValueError`` when a number is missing: one such excerpt would be the end of a training."""
    if not np.isfinite(excerpt).all():
        raise ValueError(f"{path.name} has values that are no numbers")
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, excerpt)
    partial.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the material to train the separation network with.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--pieces", type=Path, required=True, help="folder that holds train/<piece> and valid/<piece>")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--valid-hours", type=float, default=0.5)
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    arguments = parser.parse_args()
    network = VocalMask(weights.ensure(arguments.models, "spleeter"), 1)
    (arguments.work / "corpus.pid").write_text(str(os.getpid()))
    makers = [
        Maker(arguments.pieces / "valid", arguments.work / "valid", network, remix.HARD, seed=1),
        Maker(arguments.pieces / "train", arguments.work / "train", network, remix.TRAINING, seed=2),
    ]
    wanted = [round(hours * 3600 * SAMPLE_RATE / LENGTH) for hours in (arguments.valid_hours, arguments.hours)]
    while any(maker.made < count for maker, count in zip(makers, wanted, strict=True)):
        begun = sum(maker.made for maker in makers)
        for maker, count, turns in zip(makers, wanted, (1, 4), strict=True):
            for _ in range(turns if maker.made < count else 0):
                maker.advance()
        if sum(maker.made for maker in makers) == begun:
            parser.error(f"no pieces under {arguments.pieces}/train or valid: run training.material first")


class Maker:
    """Writes excerpts of one split into ``folder``."""

    def __init__(self, pieces: Path, folder: Path, network: VocalMask, manner: remix.Manner, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._network, self._manner, self._seed = folder, network, manner, seed
        self.made = max((int(path.stem) + 1 for path in folder.glob("*.npy")), default=0)
        self._rng = np.random.default_rng([seed, self.made])
        self._pool = Pool(pieces, POOL, self._rng)

    def advance(self) -> None:
        """A few excerpts more, of pieces among which one is new."""
        for _ in range(1 if self._pool.pieces else POOL // 2):
            self._pool.turn()
        for _ in range(EXCERPTS_PER_PIECE if self._pool.pieces else 0):
            start = time.monotonic()
            rng = np.random.default_rng([self._seed, self.made, 7])
            stems = remix.remix(rng, self._pool, LENGTH, self._manner)
            while not any(sound.any() for sound in stems.values()):
                stems = remix.remix(rng, self._pool, LENGTH, self._manner)
            save(self._folder / f"{self.made:05}.npy", statistics(rng, stems, self._network))
            self.made += 1
            print(f"{self._folder.name} {self.made} {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
