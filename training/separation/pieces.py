"""The pieces of the material: what ``training.material`` renders, one folder each, in parts that sum to the mix.

``<piece>/piece.json`` lists the parts as ``{"name", "family", "file", …}``; the files are FLAC beside it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio import decode
from training.separation.components import SAMPLE_RATE, STEMS, Floats
from training.separation.sung import sung

FAMILIES = {"drums": "drums", "percussion": "drums", "bass": "bass", "voice": "vocals", "backing_voice": "vocals"}
"""The stem of a family; every other one belongs to ``other``."""
LOOP_FOLDER = Path("/usr/share/sonic-pi/samples")
LOOPS = {
    "train": ("breakbeat", "industrial", "mehackit1", "mehackit2", "mika", "perc1", "safari", "tabla", "weirdo"),
    "valid": ("amen", "amen_full", "perc2"),
}
"""Recorded drum loops of Debian's ``sonic-pi-samples``."""
SUNG = 0.85
"""Share of the voices that are sung anew."""
_FULL = np.float32(32767)
_BLOCK = 4410


@dataclass(frozen=True)
class Part:
    """``samples`` (n, 2), 16 bit; ``loudness``: the root mean square where it sounds, full scale being 1."""

    family: str
    samples: NDArray[np.int16]
    loudness: float

    @property
    def stem(self) -> str:
        return FAMILIES.get(self.family, "other")

    def window(self, start: int, length: int) -> Floats:
        """``length`` samples from ``start`` on, with zeros behind the end."""
        taken = self.samples[start : start + length] / _FULL
        return np.pad(taken, ((0, length - len(taken)), (0, 0)))


class Loop(Part):
    """A part that begins again when it ends."""

    def window(self, start: int, length: int) -> Floats:
        places = np.arange(start, start + length) % len(self.samples)
        return np.asarray(self.samples[places] / _FULL, np.float32)


@dataclass(frozen=True)
class Piece:
    name: str
    parts: tuple[Part, ...]

    @property
    def length(self) -> int:
        return max(len(part.samples) for part in self.parts)

    def of(self, stem: str) -> list[Part]:
        return [part for part in self.parts if part.stem == stem]


def load(folder: Path, rng: np.random.Generator) -> Piece:
    """The piece, with singers instead of most of the voices that a soundfont played."""
    listed = json.loads((folder / "piece.json").read_text())["parts"]
    notes = json.loads((folder / "notes.json").read_text())
    parts = []
    for entry in listed:
        part = _part(decode(folder / entry["file"], sample_rate=SAMPLE_RATE, channels=2), entry["family"])
        if part.stem == "vocals" and notes[entry["name"]] and rng.random() < SUNG:
            voice = sung(rng, notes[entry["name"]], len(part.samples))
            part = _part(voice / np.float32(np.abs(voice).max() + 1e-6), entry["family"])
        parts.append(part)
    return Piece(folder.name, tuple(parts))


def load_loops(split: str) -> list[Part]:
    """The drum loops of ``train`` or ``valid``; none where the package is not installed."""
    paths = [LOOP_FOLDER / f"loop_{name}.flac" for name in LOOPS[split]]
    found = [decode(path, sample_rate=SAMPLE_RATE, channels=2) for path in paths if path.exists()]
    parts = [_part(samples, "drums") for samples in found]
    return [Loop(part.family, part.samples, part.loudness) for part in parts]


def _part(samples: Floats, family: str) -> Part:
    energy = np.square(samples).mean(axis=1)
    blocks = energy[: len(energy) - len(energy) % _BLOCK].reshape(-1, _BLOCK).mean(axis=1)
    sounding = blocks[blocks > 1e-3 * blocks.max(initial=0)]
    loudness = float(np.sqrt(sounding.mean())) if len(sounding) and sounding.max() > 0 else 0.0
    return Part(family, np.rint(np.clip(samples, -1, 1) * _FULL).astype(np.int16), loudness)


class Pool:
    """A few pieces in memory, drawn from a folder (``train`` or ``valid``) that may grow meanwhile."""

    def __init__(self, folder: Path, size: int, rng: np.random.Generator) -> None:
        self._folder, self._size, self._rng = folder, size, rng
        self._uses: dict[str, int] = {}
        self.loops = load_loops(folder.name)
        self.pieces: list[Piece] = []

    def turn(self) -> None:
        """Takes in the piece that was used least, if there is another, and drops the oldest when there are too many."""
        names = sorted(path.parent.name for path in self._folder.glob("*/piece.json"))
        waiting = [name for name in names if name not in {piece.name for piece in self.pieces}]
        if not waiting:
            return
        fewest = min(self._uses.get(name, 0) for name in waiting)
        name = str(self._rng.choice([name for name in waiting if self._uses.get(name, 0) == fewest]))
        self._uses[name] = fewest + 1
        piece = load(self._folder / name, self._rng)
        if any(part.loudness for part in piece.parts):
            self.pieces = [*self.pieces, piece][-self._size :]

    def draw(self) -> Piece:
        return self.pieces[int(self._rng.integers(len(self.pieces)))]

    def draw_loop(self) -> Part:
        return self.loops[int(self._rng.integers(len(self.loops)))]


assert set(FAMILIES.values()) | {"other"} == set(STEMS)
