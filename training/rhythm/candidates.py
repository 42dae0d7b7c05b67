"""Beats as the product's tracker finds them in the kept pieces, with what the judge of bars should say of each.

    python -m training.rhythm.candidates WORK

reads ``WORK/<train|valid>/*.npz`` as ``prepare`` wrote them and writes ``WORK/candidates.pickle``: of each piece
every grid of beats that the tracker offers. Notes are spoilt as a transcription spoils them.
"""

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
from numpy.typing import NDArray

from antiphon.music.rhythm.accents import stressed
from antiphon.music.rhythm.beats import seconds, smoothed
from antiphon.music.rhythm.features import HeardSong, features
from antiphon.music.rhythm.listening import Listened
from antiphon.music.rhythm.song import grids
from antiphon.music.rhythm.tempo import period_path
from antiphon.score.notes import InstrumentPart, Note

LOST = {"drums": 0.12, "bass": 0.25, "other": 0.4}
"""The share of a stem's notes that is not heard."""
INVENTED = {"drums": 0.05, "bass": 0.1, "other": 0.2}
"""Notes that are heard at random, as a share."""
JITTER_S = 0.008
PROGRAMS = {"drums": 0, "bass": 33, "other": 0}
MATCHED_S = 0.07
MIN_GRID_F = 0.9
"""The least F measure of a grid that is the felt one."""
MIN_BAR_LINES_SHARE = 0.8
"""The least share of the bar lines that a grid must have a beat on, to teach where they are."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Beats that the tracker offers: their ``features``; ``down`` (beats,) 1 on bar lines, or None where the grid
    misses them; ``felt``: whether these are the beats that are felt."""

    level: float
    way: int
    beats: NDArray[np.float64]
    features: NDArray[np.float32]
    down: NDArray[np.float32] | None
    felt: bool


@dataclass(frozen=True, slots=True)
class Candidates:
    """``known`` is the piece's description."""

    name: str
    known: dict[str, Any]
    song: HeardSong
    grids: list[Grid]


def spoilt(rng: np.random.Generator, stem: str, rows: NDArray[np.float32]) -> InstrumentPart:
    """A stem's notes (n, 4) as a transcription might hear them."""
    kept = rows[rng.random(len(rows)) >= LOST[stem]]
    if len(rows):
        extra = rows[rng.integers(0, len(rows), round(INVENTED[stem] * len(rows)))].copy()
        moved = rng.uniform(0, float(rows[:, 1].max()), len(extra)).astype(np.float32)
        extra[:, 1] += moved - extra[:, 0]
        extra[:, 0] = moved
        kept = np.concatenate([kept, extra])
    times = kept[:, :1] + rng.normal(0, JITTER_S, (len(kept), 1)).astype(np.float32)
    kept[:, :1] = np.maximum(times, 0)
    notes = tuple(
        Note(int(pitch), float(start), max(float(end), float(start) + 0.03), float(loud))
        for start, end, pitch, loud in kept
    )
    return InstrumentPart(stem, PROGRAMS[stem], stem == "drums", tuple(sorted(notes, key=lambda note: note.start)))


def read(path: Path) -> tuple[dict[str, Any], HeardSong]:
    """What is known of a kept piece, and what is heard of it."""
    body = np.load(path)
    known = json.loads(str(body["known"]))
    pitches = (10 ** (body["pitches"].astype(np.float32) / 10)).astype(np.float32)
    listened = Listened(body["strength"].astype(np.float64), body["accents"].astype(np.float32), pitches)
    rng = np.random.default_rng(len(listened.strength))
    heard = [spoilt(rng, stem, body[f"notes_{stem}"]) for stem in LOST if f"notes_{stem}" in body]
    return known, HeardSong.of(listened, heard)


def offered(known: dict[str, Any], song: HeardSong) -> Iterator[Grid]:
    """The grids of a piece, each with what is true of it."""
    strength = song.listened.strength
    periods, _ = period_path(strength)
    true = np.array([time for time, _ in known["beats"]])
    lines = np.array([time for time, place in known["beats"] if place == 1])
    for level, way, frames in grids(strength, stressed(strength, song.instruments), periods):
        if len(frames) < 8:
            continue
        beats = smoothed(seconds(frames, strength))
        within = beats[(beats > true[0] - 0.3) & (beats < true[-1] + 0.3)]
        felt = float(mir_eval.beat.f_measure(true, within, MATCHED_S)) if len(within) else 0.0
        apart = np.abs(beats[:, None] - lines[None, :])
        matched = float((apart.min(axis=0) < MATCHED_S).mean())
        down = (apart.min(axis=1) < MATCHED_S).astype(np.float32) if matched >= MIN_BAR_LINES_SHARE else None
        yield Grid(level, way, beats, features(beats, song), down, felt >= MIN_GRID_F)


def main() -> None:
    parser = argparse.ArgumentParser(description="Offer the judge of bars the tracker's beats.")
    parser.add_argument("work", type=Path)
    work = parser.parse_args().work
    found: dict[str, list[Candidates]] = {}
    for split in ("train", "valid"):
        paths: Sequence[Path] = sorted((work / split).glob("*[0-9].npz"))
        for path in paths:
            known, song = read(path)
            found.setdefault(split, []).append(Candidates(path.stem, known, song, list(offered(known, song))))
    (work / "candidates.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    # Pickled classes are found again by the name of their module.
    from training.rhythm import candidates

    candidates.main()
