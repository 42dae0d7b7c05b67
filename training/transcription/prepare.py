"""Takes composed pieces into the bank that the training reads.

    python -m training.transcription.prepare MATERIAL WORK

reads the finished pieces in ``MATERIAL/<train|valid>``, as ``training.material`` writes them, into
``WORK/<train|valid>``. Some of the mixes are separated on the way, as the product does it. What is there already is not
done again.
"""

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from antiphon.music import weights
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.music.transcription.levels import Floats
from antiphon.settings import load_settings
from training.material import corpus
from training.transcription import bank
from training.transcription.bank import INSTRUMENTAL, OTHER

SHARE = {"train": 0.3, "valid": 1.0}
"""The pieces of which the mix is separated."""
SPREAD_DB = 4.0
"""Standard deviation of the parts' gains in such a mix."""


class Separation:
    """The product's separation, on one thread."""

    def __init__(self) -> None:
        self._mask = VocalMask(weights.ensure(load_settings().models_folder, "spleeter"), 1)

    def __call__(self, piece: corpus.Piece, gains: Floats) -> dict[str, Floats]:
        """``OTHER`` and ``INSTRUMENTAL`` of the piece's mix, its parts louder by ``gains`` dB: mono at the network's
        rate."""
        mix = np.zeros_like(piece.stem(piece.info.parts[0]))
        for part, gain in zip(piece.info.parts, gains, strict=True):
            mix += piece.stem(part) * np.float32(10 ** (gain / 20))
        blocks = (mix[first : first + 2**17] for first in range(0, len(mix), 2**17))
        pairs = split_vocals(blocks, self._mask)
        pieces = [(m - v - d - b, m - v) for m, v, d, b in split_rhythm(pairs)]
        other, instrumental = (bank.mono(np.concatenate(column)) for column in zip(*pieces, strict=True))
        return {OTHER: other, INSTRUMENTAL: instrumental}


def take_in(material: Path, work: Path, separation: Separation) -> Iterator[tuple[str, str]]:
    """Stores the pieces that the bank has not yet, one at a time; gives the split and the name of each."""
    for split in ("valid", "train"):
        for folder in corpus.pieces(material, split):
            if (work / split / f"{folder.name}.npz").exists():
                continue
            piece = corpus.load(folder)
            rng = np.random.default_rng(zlib.crc32(folder.name.encode()))
            separated: dict[str, tuple[Floats, Floats]] = {}
            if rng.random() < SHARE[split]:
                spread = SPREAD_DB if split == "train" else 0.0
                gains = rng.normal(0, spread, len(piece.info.parts)).astype(np.float32)
                separated = {name: (sound, gains) for name, sound in separation(piece, gains).items()}
            bank.store(work / split, piece, separated)
            yield split, folder.name


def main() -> None:
    parser = argparse.ArgumentParser(description="Take composed pieces into the bank of the note network's training.")
    parser.add_argument("material", type=Path)
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    for split, name in take_in(arguments.material, arguments.work, Separation()):
        print(split, name, flush=True)


if __name__ == "__main__":
    main()
