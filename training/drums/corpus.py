"""Makes the material: excerpts of 30 s as levels, with the hits that are in them.

    python -m training.drums.corpus WORK --hours 12

writes shards of excerpts into ``WORK/train`` and ``WORK/valid``, the latter played on kits that the former does not
have, and goes on where it stopped.
"""

import argparse
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from antiphon.music import weights
from antiphon.music.drums.features import BANDS, MelLevels
from antiphon.music.separation.rhythm import split_rhythm
from antiphon.music.separation.vocals import VocalMask, split_vocals
from antiphon.settings import load_settings
from training.drums import augment, backing, kits, patterns, render, samples
from training.drums.patterns import Random
from training.drums.samples import RATE, Articulation, Mono

SECONDS = 30.0
PER_SHARD = 16
VALIDATION_KITS = ("ColomboAcousticDrumkit", "Red_Zeppelin_4_LV2", "TimGM6mb", "VariBreaks")
"""Sets whose names begin so are kept for validation."""
KIND_NUMBER = {kind: number for number, kind in enumerate(samples.KINDS)}

SCENES = {"track": 0.34, "bled": 0.12, "split": 0.26, "unmixed": 0.15, "alone": 0.04, "steady": 0.02, "mix": 0.07}
"""How often each: the drum track; with others bleeding in; the percussive part of a mix; the same after the vocal
network, too; other instruments without drums; noises and tones; the plain mix."""


@dataclass(frozen=True)
class Excerpt:
    """``levels`` (frames, BANDS) float16 in dB re full scale; ``hits`` (n, 3): seconds, kind, velocity."""

    levels: np.ndarray[tuple[int, int], np.dtype[np.float16]]
    hits: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    scene: str


class Maker:
    """Makes excerpts out of a bank of sounds and of backings."""

    def __init__(
        self, bank: Sequence[Articulation], backings: Sequence[backing.Backing], models: Path, *, chance: bool = True
    ) -> None:
        self._chance = chance
        self._bank = bank
        self._backings = backings
        self._vocals = VocalMask(weights.ensure(models, "spleeter"), 1)

    def excerpt(self, rng: Random) -> Excerpt:
        scene = str(rng.choice(list(SCENES), p=list(SCENES.values())))
        other = self._backings[int(rng.integers(len(self._backings)))]
        tempo = other.tempo if rng.random() < 0.7 else None
        hits = (
            patterns.piece(rng, SECONDS - 0.2, tempo=tempo, chance=self._chance)
            if scene not in ("alone", "steady")
            else []
        )
        if rng.random() < 0.1:
            pause = 8 + rng.uniform(2, 12)
            hits = [hit for hit in hits if not 8 < hit.time < pause]
        dry, strokes = render.play(rng, kits.assemble(rng, self._bank), hits, SECONDS)
        drums = augment.produced(rng, dry) if hits else dry
        band = self._band(rng, scene, drums, other)
        sound = self._heard(rng, scene, drums + band)
        hits = render.audible(strokes, dry + band * np.float32(_rms(dry) / _rms(drums)))
        analysis = MelLevels()
        levels = np.concatenate([analysis.push(sound), analysis.finish()])
        quietened = levels + np.float32(rng.uniform(-12, 0))
        rows = [(hit.time, KIND_NUMBER[hit.kind], hit.velocity) for hit in hits]
        return Excerpt(quietened.astype(np.float16), np.array(rows, np.float32).reshape(-1, 3), scene)

    def _band(self, rng: Random, scene: str, drums: Mono, other: backing.Backing) -> Mono:
        """What sounds beside the drums."""
        if scene == "track":
            return np.zeros_like(drums)
        loudness = float(rng.uniform(-26, -12) if scene == "bled" else rng.normal(0, 5))
        band = augment.steady(rng, len(drums)) if scene == "steady" else _balanced(rng, other)
        return np.asarray(band * np.float32(10 ** (loudness / 20) * max(_rms(drums), 0.003) / _rms(band)), np.float32)

    def _heard(self, rng: Random, scene: str, mix: Mono) -> Mono:
        """``mix`` as the network gets it."""
        mix = mix / np.float32(max(float(np.abs(mix).max()), 1e-3))
        split = {"split": 1.0, "unmixed": 1.0, "track": 0.1, "alone": 0.6, "steady": 0.5}.get(scene, 0.0)
        if rng.random() >= split:
            return mix
        return _split(self._without_vocals(mix) if scene == "unmixed" else mix)

    def _without_vocals(self, mix: Mono) -> Mono:
        stereo = np.repeat(mix[:, None], 2, axis=1)
        return np.concatenate(
            [both[:, 0] - vocals[:, 0] for both, vocals in split_vocals(iter([stereo]), self._vocals)]
        )


def _balanced(rng: Random, other: backing.Backing) -> Mono:
    """The parts of ``other`` balanced at random, some left out."""
    length = round(SECONDS * RATE)
    band = np.zeros(length, np.float32)
    for part in other.parts:
        if rng.random() < 0.8:
            band += part[:length] / max(_rms(part), 1e-4) * np.float32(10 ** (rng.normal(0, 4) / 20))
    if not band.any():
        band += other.parts[0][:length]
    return augment.equalised(rng, band, depth=3.0)


def _rms(sound: Mono) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + 1e-6


def _split(mix: Mono) -> Mono:
    """What the separation takes for drums in ``mix``."""
    stereo = np.repeat(mix[:, None], 2, axis=1)
    pieces = split_rhythm(iter([(stereo, np.zeros_like(stereo))]))
    return np.concatenate([drums[:, 0] for _, _, drums, _ in pieces])[: len(mix)]


def save(path: Path, excerpts: Sequence[Excerpt]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(
            file,
            levels=np.stack([one.levels[: round(SECONDS * 100)] for one in excerpts]),
            hits=np.concatenate([one.hits for one in excerpts]),
            counts=np.array([len(one.hits) for one in excerpts]),
            scenes=np.array([one.scene for one in excerpts]),
        )
    partial.rename(path)


def load(path: Path) -> Iterator[Excerpt]:
    with np.load(path) as shard:
        levels, hits, ends = shard["levels"], shard["hits"], np.cumsum(shard["counts"])
        scenes = shard["scenes"]
    assert levels.shape[2] == BANDS
    for order, end in enumerate(ends.tolist()):
        start = int(ends[order - 1]) if order else 0
        yield Excerpt(levels[order], hits[start:end], str(scenes[order]))


def _bank(work: Path) -> list[Articulation]:
    """All sounds, collected once."""
    path = work / "bank.pickle"
    if not path.exists():
        path.write_bytes(pickle.dumps(samples.collect()))
    bank: list[Articulation] = pickle.loads(path.read_bytes())
    return bank


def _backings(work: Path, count: int) -> list[backing.Backing]:
    """``count`` pieces of other instruments, composed once."""
    folder = work / "backings"
    folder.mkdir(exist_ok=True)
    found = []
    for number in range(count):
        path = folder / f"{number:03}.npz"
        if not path.exists():
            made = backing.compose(np.random.default_rng([7, number]))
            np.savez(path, tempo=made.tempo, parts=np.rint(np.stack(made.parts) * 32767).astype(np.int16))
        with np.load(path) as kept:
            parts = kept["parts"].astype(np.float32) / np.float32(32767)
            found.append(backing.Backing(float(kept["tempo"]), tuple(parts)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the material to train the drum network with.")
    parser.add_argument("work", type=Path)
    parser.add_argument("--hours", type=float, default=12.0)
    parser.add_argument("--valid-hours", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other excerpts")
    parser.add_argument("--backings", type=int, default=60)
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    bank = _bank(arguments.work)
    backings = _backings(arguments.work, arguments.backings)
    held = len(backings) // 8
    parts = (
        ("valid", arguments.valid_hours, [one for one in bank if one.kit.startswith(VALIDATION_KITS)], backings[:held]),
        ("train", arguments.hours, [one for one in bank if not one.kit.startswith(VALIDATION_KITS)], backings[held:]),
    )
    for number, (name, hours, sounds, others) in enumerate(parts):
        # Thresholds depend on how hard the material is: they are chosen on what people play, not on pure chance.
        maker = Maker(sounds, others, arguments.models, chance=name != "valid")
        folder = arguments.work / name
        folder.mkdir(exist_ok=True)
        for shard in range(round(hours * 3600 / SECONDS / PER_SHARD)):
            path = folder / f"{shard:04}.npz"
            if not path.exists():
                rng = np.random.default_rng([number, shard, arguments.seed])
                save(path, [maker.excerpt(rng) for _ in range(PER_SHARD)])
                print(name, shard, flush=True)


if __name__ == "__main__":
    main()
