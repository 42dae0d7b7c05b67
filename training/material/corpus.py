"""The folder of composed pieces that the separation and transcription networks are trained on.

    WORK/<train|valid>/<piece id>/piece.json, notes.json, <part>.flac

A piece's parts are equally long and aligned, and their sum is the mix. A folder appears whole: it is written under
another name and renamed, so that a training may take in new pieces while they are being made.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from antiphon.music.audio import Writer

RATE = 44_100
CHANNELS = 2
PEAK = 0.98
"""Highest absolute sample of a mix."""

Split = Literal["train", "valid"]
Sound = NDArray[np.float32]
"""(n, 2) at ``RATE``."""


class Note(NamedTuple):
    """``start`` and ``end`` in seconds as heard, MIDI ``pitch`` (drums: General MIDI key), ``velocity`` 0–1."""

    start: float
    end: float
    pitch: int
    velocity: float


@dataclass(frozen=True, slots=True)
class Part:
    """One stem: ``family`` and ``cls`` name the instrument, ``program`` is the nearest General MIDI one (0-based),
    ``source`` what played it, ``file`` its FLAC in the piece's folder."""

    name: str
    family: str
    cls: str
    program: int
    source: str
    file: str


@dataclass(frozen=True, slots=True)
class Info:
    """What is known of a piece: ``beats`` are (second, beat in the bar from 1), ``chords`` (second, symbol),
    ``sections`` (second, label), ``tuning_cents`` the offset from A = 440 Hz."""

    id: str
    style: str
    seed: int
    version: int
    bpm: float
    meter: tuple[int, int]
    key: str
    duration: float
    tuning_cents: float
    beats: tuple[tuple[float, int], ...]
    chords: tuple[tuple[float, str], ...]
    sections: tuple[tuple[float, str], ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Piece:
    """A finished piece in ``folder``."""

    folder: Path
    info: Info

    @cached_property
    def notes(self) -> Mapping[str, tuple[Note, ...]]:
        """The notes of each part, by the part's name, in order of their start."""
        body = json.loads((self.folder / "notes.json").read_text())
        return {name: tuple(Note(*row) for row in rows) for name, rows in body.items()}

    def notes_within(self, part: str, start: float, seconds: float) -> list[Note]:
        """The notes of ``part`` that sound within a crop, in seconds from its start; cut at its borders."""
        end = start + seconds
        return [
            Note(max(note.start, start) - start, min(note.end, end) - start, note.pitch, note.velocity)
            for note in self.notes[part]
            if note.start < end and note.end > start
        ]

    def stem(self, part: Part, start: float = 0.0, seconds: float | None = None) -> Sound:
        """A stem or ``seconds`` of it from ``start`` on, filled up with silence; (n, 2)."""
        return crop(self.folder / part.file, start, seconds)


def crop(path: Path, start: float = 0.0, seconds: float | None = None) -> Sound:
    """``seconds`` of a stem from ``start`` on (or all that follows); decodes no more than about that. (n, 2)."""
    first = round(start * RATE)
    wanted = None if seconds is None else round(seconds * RATE)
    parts: list[Sound] = []
    have, position = 0, None
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        if first and stream.time_base:
            container.seek(int(max(start - 0.2, 0.0) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if position is None:
                position = round(float(frame.pts or 0) * float(frame.time_base or 0) * RATE)
            samples = np.asarray(frame.to_ndarray()).reshape(-1, CHANNELS)
            skip = max(first - position, 0)
            position += len(samples)
            if skip < len(samples):
                parts.append(samples[skip:].astype(np.float32) / np.float32(32768))
                have += len(parts[-1])
            if wanted is not None and have >= wanted:
                break
    sound = np.concatenate(parts) if parts else np.zeros((0, CHANNELS), np.float32)
    if wanted is None:
        return sound
    return np.pad(sound[:wanted], ((0, max(wanted - len(sound), 0)), (0, 0)))


def pieces(work: Path, split: Split) -> list[Path]:
    """The folders of all finished pieces, in order of their ids."""
    return sorted(path.parent for path in (work / split).glob("*/piece.json") if not path.parent.name.startswith("."))


def load(folder: Path) -> Piece:
    """The piece in ``folder``; nothing but its description is read yet."""
    body = json.loads((folder / "piece.json").read_text())
    parts = tuple(
        Part(one["name"], one["family"], one["class"], one["program"], one["source"], one["file"])
        for one in body["parts"]
    )
    return Piece(
        folder,
        Info(
            id=body["id"],
            style=body["style"],
            seed=body["seed"],
            version=body["version"],
            bpm=body["bpm"],
            meter=(body["meter"][0], body["meter"][1]),
            key=body["key"],
            duration=body["duration"],
            tuning_cents=body["tuning_cents"],
            beats=tuple((time, place) for time, place in body["beats"]),
            chords=tuple((time, name) for time, name in body["chords"]),
            sections=tuple((time, name) for time, name in body["sections"]),
            parts=parts,
        ),
    )


def load_all(work: Path, split: Split) -> Iterator[Piece]:
    """All finished pieces of a split."""
    return (load(folder) for folder in pieces(work, split))


def save(work: Path, split: Split, info: Info, stems: Mapping[str, Sound], notes: Mapping[str, Sequence[Note]]) -> Path:
    """Writes a piece; its folder appears when all is in it. ``stems`` and ``notes`` are by the parts' names."""
    folder, scratch = work / split / info.id, work / split / f".{info.id}"
    scratch.mkdir(parents=True, exist_ok=True)
    for part in info.parts:
        with Writer(scratch / part.file, RATE, CHANNELS) as writer:
            writer.write(stems[part.name])
    rounded = {
        name: [[round(one.start, 4), round(one.end, 4), one.pitch, round(one.velocity, 3)] for one in sorted(some)]
        for name, some in notes.items()
    }
    (scratch / "notes.json").write_text(json.dumps(rounded, separators=(",", ":")))
    (scratch / "piece.json").write_text(json.dumps(_described(info)))
    scratch.rename(folder)
    return folder


def _described(info: Info) -> dict[str, object]:
    body = asdict(info)
    for part in body["parts"]:
        part["class"] = part.pop("cls")
    return body
