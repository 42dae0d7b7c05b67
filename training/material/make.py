"""Makes the material, piece by piece, until there is enough of it.

    python -m training.material.make WORK --hours 20

writes pieces into ``WORK/train`` and ``WORK/valid`` (README.md tells what they are made of) and goes on where it
stopped. ``WORK/make.pid`` holds the process id, ``WORK/log.txt`` what was made and how fast.
"""

import argparse
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from training.drums.samples import Articulation
from training.material import kits
from training.material.compose import Song, compose
from training.material.corpus import Info, Part, Split, save
from training.material.instruments import CLASSES, program
from training.material.mix import Track, record

VERSION = 2
"""Raised when the same seed would sound otherwise."""
VALIDATION_EVERY = 20
MIN_FREE_BYTES = 4_000_000_000


def make(work: Path, number: int, drums: Mapping[Split, Sequence[Articulation]]) -> float:
    """Makes piece ``number``; its length in seconds. Every twentieth is for validation."""
    split: Split = "valid" if number % VALIDATION_EVERY == VALIDATION_EVERY - 1 else "train"
    seed = VERSION * 1_000_000 + number
    song = compose(seed)
    tracks, cents = record(np.random.default_rng([seed, 3]), song, split, drums[split])
    parts = _named(tracks)
    info = _info(f"v{VERSION}-{number:06}", seed, song, parts, cents)
    names = [part.name for part in parts]
    stems = {name: track.sound for name, track in zip(names, tracks, strict=True)}
    notes = {name: track.notes for name, track in zip(names, tracks, strict=True)}
    save(work, split, info, stems, notes)
    return song.duration


def _named(tracks: list[Track]) -> list[Part]:
    parts: list[Part] = []
    for track in tracks:
        count = sum(part.cls == track.cls for part in parts)
        name = track.cls + (f"_{count + 1}" if count else "")
        parts.append(Part(name, CLASSES[track.cls].family, track.cls, program(track.cls), track.source, f"{name}.flac"))
    return parts


def _info(id_: str, seed: int, song: Song, parts: list[Part], cents: float) -> Info:
    return Info(
        id_,
        song.style.name,
        seed,
        VERSION,
        round(song.bpm, 3),
        song.meter,
        song.key,
        round(song.duration, 4),
        round(cents, 2),
        tuple((round(time, 4), place) for time, place in song.beats),
        tuple((round(time, 4), name) for time, name in song.chords),
        tuple((round(time, 4), name) for time, name in song.sections),
        tuple(parts),
    )


def seconds_made(work: Path) -> float:
    return float(sum(json.loads(path.read_text())["duration"] for path in work.glob("*/[!.]*/piece.json")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compose and record the material of the networks.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--hours", type=float, default=20.0)
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    with claimed(work):
        _fill(work, arguments.hours)


@contextmanager
def claimed(work: Path) -> Iterator[None]:
    """``work`` for this process alone; two would write the same pieces. Its id stands in ``make.pid`` meanwhile."""
    with (work / "make.pid").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SystemExit(f"{work} is being filled by process {file.read()}: wait for it or end it first") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def _fill(work: Path, hours: float) -> None:
    drums = kits.bank(work)
    made = seconds_made(work)
    number = len(list(work.glob(f"*/v{VERSION}-*")))
    with (work / "log.txt").open("a") as log:
        while made < hours * 3600:
            if shutil.disk_usage(work).free < MIN_FREE_BYTES:
                print("stopped: the disk is nearly full", file=log, flush=True)
                break
            if not list(work.glob(f"*/v{VERSION}-{number:06}")):
                began = time.process_time()
                made += (lasted := make(work, number, drums))
                spent = time.process_time() - began
                print(
                    f"v{VERSION} {number} {lasted:.1f} s in {spent:.1f} s CPU; {made / 3600:.3f} h",
                    file=log,
                    flush=True,
                )
            number += 1


if __name__ == "__main__":
    main()
