"""Composed pieces as the training reads them: each part mono at the network's rate, each note with its own levels.

A piece of the material becomes two files, ``<id>.npy`` (parts, samples) int16, of which a crop is read without the
rest, and ``<id>.npz``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from antiphon.music.transcription.levels import (
    BINS,
    BINS_PER_SEMITONE,
    HOP,
    MIN_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Floats,
    levels,
)
from training.material import corpus

UNPITCHED = ("drums", "percussion")
OTHER, INSTRUMENTAL = "other", "instrumental"
"""Stems of our separation: the mix without voice, drums and bass, and that without the voice alone."""
PARTIALS = (0, 12, 19, 24, 28, 31)
"""Semitones over a note at which its levels are kept."""
PITCH, VELOCITY, ONSET, END, OFFSET = range(5)
LEVELS = slice(5, 5 + len(PARTIALS))
"""Columns of a note: MIDI pitch, velocity 0–1, seconds of its onset, of where it has died away and of where it is let
go, and the level in dB of its partials just after the onset."""
ATTACK = 0.2
"""Seconds from an onset over which the loudest level is taken."""
DECAY_DB = 32.0
"""A note that has fallen so far under its loudest level has died away."""

Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Recording:
    """A piece, and what a separation made of its mix. ``samples`` are ``(rows, n)``; ``scale`` brings a row back to
    full scale. ``families``, ``classes`` and ``notes`` (n, 5 + partials) are of the parts; rows beyond those are
    what a separation gave, the stems ``stems``, and their mix had the parts with the ``gains`` (rows, parts)."""

    name: str
    style: str
    samples: Pcm
    scale: Floats
    families: tuple[str, ...]
    classes: tuple[str, ...]
    notes: tuple[Floats, ...]
    stems: tuple[str, ...]
    gains: Floats
    cents: float

    @property
    def seconds(self) -> float:
        return float(self.samples.shape[1] / SAMPLE_RATE)

    def separated(self, stem: str) -> int | None:
        """The row of a stem that a separation gave."""
        return len(self.families) + self.stems.index(stem) if stem in self.stems else None

    def cut(self, row: int, first: int, count: int) -> Floats:
        """``count`` samples of a row from ``first`` on, with silence before its beginning and after its end."""
        start, stop = max(first, 0), min(first + count, self.samples.shape[1])
        out = np.zeros(count, np.float32)
        if stop > start:
            out[start - first : stop - first] = self.samples[row, start:stop] * self.scale[row]
        return out


def partial_bins(pitches: NDArray[np.integer]) -> NDArray[np.intp]:
    """Bins (notes, partials) in which the partials of MIDI ``pitches`` lie; those too high are the last bin."""
    semitones = np.asarray(pitches)[:, None] - MIN_PITCH + np.array(PARTIALS)
    return np.asarray(np.clip(semitones * BINS_PER_SEMITONE + 1, 0, BINS - 1), np.intp)


def measured(rows: list[corpus.Note], sound: Floats) -> Floats:
    """Notes of one part with the levels that they have in its ``sound``."""
    pitched = [one for one in rows if MIN_PITCH <= one.pitch < MIN_PITCH + PITCHES and one.end > one.start]
    table = np.zeros((len(pitched), LEVELS.stop), np.float32)
    if not pitched:
        return table
    table[:, PITCH] = [one.pitch for one in pitched]
    table[:, VELOCITY] = [one.velocity for one in pitched]
    table[:, ONSET] = [one.start for one in pitched]
    table[:, OFFSET] = [one.end for one in pitched]
    level = levels(sound)[0]
    rate = SAMPLE_RATE / HOP
    for note, bins in zip(table, partial_bins(table[:, PITCH].astype(int)), strict=True):
        first = min(round(float(note[ONSET]) * rate), len(level) - 1)
        last = min(max(round(float(note[OFFSET]) * rate), first + 2), len(level))
        curve = level[first:last, bins]
        note[LEVELS] = curve[: round(ATTACK * rate)].max(axis=0)
        strength = 10 * np.log10((10 ** (curve[:, :3] / 10)).sum(axis=1))
        heard = np.flatnonzero(strength > strength.max() - DECAY_DB)
        note[END] = min(float(note[ONSET]) + (int(heard[-1]) + 1) / rate, float(note[OFFSET]))
    return table


def mono(sound: corpus.Sound) -> Floats:
    return np.asarray(soxr.resample(sound.mean(axis=1), corpus.RATE, SAMPLE_RATE), np.float32)


def store(folder: Path, piece: corpus.Piece, separated: Mapping[str, tuple[Floats, Floats]]) -> None:
    """Puts a piece into the bank's ``folder``. ``separated`` has, by name, mono sounds at ``SAMPLE_RATE`` and the gains
    (parts,) that the parts had in the mix of each."""
    parts = [mono(piece.stem(part)) for part in piece.info.parts]
    sounds = [*parts, *(sound for sound, _ in separated.values())]
    length = max(map(len, parts))
    peaks = np.array([max(float(np.abs(sound).max(initial=0)), 1e-6) for sound in sounds], np.float32)
    pcm = np.zeros((len(sounds), length), np.int16)
    for row, sound in enumerate(sounds):
        pcm[row, : len(sound)] = np.rint(sound[:length] / peaks[row] * 32767)
    notes = [
        np.zeros((0, LEVELS.stop), np.float32)
        if part.family in UNPITCHED
        else measured(list(piece.notes[part.name]), sound)
        for part, sound in zip(piece.info.parts, parts, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    name = piece.info.id
    partial = folder / f".{name}"
    with partial.open("wb") as file:
        np.save(file, pcm)
    partial.rename(folder / f"{name}.npy")
    with partial.open("wb") as file:
        np.savez(
            file,
            style=piece.info.style,
            scale=peaks / np.float32(32767),
            families=np.array([part.family for part in piece.info.parts]),
            classes=np.array([part.cls for part in piece.info.parts]),
            notes=np.concatenate(notes),
            counts=np.array([len(one) for one in notes]),
            stems=np.array(list(separated), "U16"),
            gains=np.array([gains for _, gains in separated.values()], np.float32).reshape(-1, len(parts)),
            cents=piece.info.tuning_cents,
        )
    partial.rename(folder / f"{name}.npz")


def recordings(folder: Path, known: set[str]) -> Iterator[Recording]:
    """The recordings of the bank that are not ``known`` by name, in order."""
    for path in sorted(folder.glob("*.npz")):
        if path.stem in known:
            continue
        with np.load(path) as kept:
            ends = np.cumsum(kept["counts"])[:-1]
            yield Recording(
                name=path.stem,
                style=str(kept["style"]),
                samples=np.load(path.with_suffix(".npy"), mmap_mode="r"),
                scale=kept["scale"],
                families=tuple(map(str, kept["families"])),
                classes=tuple(map(str, kept["classes"])),
                notes=tuple(np.split(kept["notes"], ends)),
                stems=tuple(map(str, kept["stems"])),
                gains=kept["gains"],
                cents=float(kept["cents"]),
            )
