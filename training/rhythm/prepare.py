"""Hears composed pieces as the product hears a song, and keeps what it heard beside what is known of them.

    python -m training.rhythm.prepare WORK --material MATERIAL [--odd N]

reads the pieces of ``training.material`` under MATERIAL, composes N more in the metres that are rare there, and writes
``WORK/<train|valid>/<piece id>.npz``. It runs in one thread and goes on where it stopped.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr

from antiphon.music.rhythm.listening import Listened, RhythmListener
from antiphon.music.rhythm.onsets import BLOCK_SAMPLES, SAMPLE_RATE
from training.material import corpus, kits
from training.material.compose import compose
from training.material.corpus import RATE, Note, Sound, Split
from training.material.mix import record
from training.material.styles import STYLES, Style

RARE_METERS = ("6/8*3", "6/8*3", "12/8*3", "5/4*4", "5/4*2", "7/8*2", "7/4*2", "7/8*2", "3/4*4", "3/4*2")
SEED = 7_000_000
VALIDATION_EVERY = 8
STEM_OF = {"drums": "drums", "percussion": "drums", "bass": "bass", "voice": "vocal"}


def stem_of(family: str) -> str:
    """The stem that our separation puts a family into."""
    return STEM_OF.get(family, "other")


def heard(parts: Iterator[tuple[str, Sound]]) -> Listened:
    """What is heard in stems (name, sound); those of one name are mixed."""
    stems: dict[str, Sound] = {}
    for name, sound in parts:
        mono = soxr.resample(sound.mean(axis=1), RATE, SAMPLE_RATE)
        stems[name] = stems[name] + mono if name in stems else mono
    listener = RhythmListener(list(stems))
    for start in range(0, max(map(len, stems.values())), BLOCK_SAMPLES):
        listener.push({name: sound[start : start + BLOCK_SAMPLES] for name, sound in stems.items()})
    return listener.finish()


def keep(path: Path, listened: Listened, known: Mapping[str, object], notes: Mapping[str, list[Note]]) -> None:
    """``notes`` are by stem."""
    rows = {f"notes_{stem}": np.array(some, np.float32).reshape(-1, 4) for stem, some in notes.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".part.npz")
    np.savez_compressed(
        scratch,
        allow_pickle=False,
        strength=listened.strength.astype(np.float32),
        accents=listened.accents.astype(np.float16),
        pitches=(10 * np.log10(listened.pitches + 1e-20)).astype(np.float16),
        known=np.array(json.dumps(known)),
        **rows,
    )
    scratch.rename(path)


def from_material(work: Path, material: Path) -> Iterator[None]:
    """Those for validation first."""
    folders = [(split, folder) for split in ("valid", "train") for folder in corpus.pieces(material, split)]
    pieces = [(split, corpus.load(folder)) for split, folder in folders]
    pieces.sort(key=lambda pair: (pair[0] != "valid", pair[1].info.id))
    for split, piece in pieces:
        path = work / split / f"{piece.info.id}.npz"
        if path.exists():
            continue
        info = piece.info
        notes: dict[str, list[Note]] = {}
        for part in info.parts:
            notes.setdefault(stem_of(part.family), []).extend(piece.notes[part.name])
        known = {
            name: getattr(info, name) for name in ("style", "bpm", "meter", "key", "duration", "beats", "chords")
        } | {"sections": info.sections, "tuning": info.tuning_cents}
        keep(path, heard((stem_of(part.family), piece.stem(part)) for part in info.parts), known, notes)
        yield


def composed(work: Path, count: int) -> Iterator[None]:
    """Pieces of any style, in a rare metre whose steps the style's players know."""
    drums = kits.bank(work)
    for number in range(count):
        split: Split = "valid" if number % VALIDATION_EVERY == 0 else "train"
        path = work / split / f"odd-{number:05}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng([SEED, number])
        song = compose(SEED + number, _rare(rng))
        tracks, cents = record(np.random.default_rng([SEED + number, 3]), song, split, drums[split])
        notes: dict[str, list[Note]] = {}
        for track in tracks:
            notes.setdefault(stem_of(_family(track.cls)), []).extend(track.notes)
        known = {
            "style": song.style.name,
            "bpm": song.bpm,
            "meter": song.meter,
            "key": song.key,
            "duration": song.duration,
            "beats": song.beats,
            "chords": song.chords,
            "sections": song.sections,
            "tuning": cents,
        }
        keep(path, heard((stem_of(_family(track.cls)), track.sound) for track in tracks), known, notes)
        yield


def _family(cls: str) -> str:
    from training.material.instruments import CLASSES

    return CLASSES[cls].family


def _rare(rng: np.random.Generator) -> Style:
    style = STYLES[int(rng.integers(len(STYLES)))]
    meter = RARE_METERS[int(rng.integers(len(RARE_METERS)))]
    low, high = style.tempo
    if meter.startswith("6/8"):
        low, high = 42.0, 92.0
    elif meter.startswith("12/8"):
        low, high = 50.0, 110.0
    return replace(style, meters=meter, tempo=(low, high))


def main() -> None:
    parser = argparse.ArgumentParser(description="Hear the material of the judge of bars.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--material", type=Path)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--odd", type=int, default=0)
    asked = parser.parse_args()
    for made, _ in enumerate(from_material(asked.work, asked.material) if asked.material else ()):
        if made + 1 >= asked.most:
            break
    for _ in composed(asked.work, asked.odd):
        pass


if __name__ == "__main__":
    main()
