"""Who plays a part: the sources that are at hand for each class, told apart for training and validation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from training.material import effects, fluid, synthesis, voices
from training.material.corpus import RATE, Note, Sound, Split
from training.material.instruments import CLASSES
from training.material.theory import Random

Mono = NDArray[np.float32]
Play = Callable[[Random, Sequence[Note], int, float], "Sound | Mono"]
"""Renders notes: a random generator that settles the sound's details, notes, samples, cents off tune."""
HEARD_DB = -10.0
"""A note is heard when it has come this near to its loudest."""
MAX_ATTACK = 0.15

FONTS = ("TimGM6mb.sf2", "sf_GMbank.sf2")
CHIP = "OPL-3_FM_128M.sf2"
CHIP_WEIGHT = 0.08
STRING_WEIGHT, ANALOGUE_WEIGHT, FM_WEIGHT = 1.5, 3.0, 0.7


@dataclass(frozen=True, slots=True)
class Source:
    """``weight`` is how often it is taken against the others of its class; ``slow`` that it may sound late."""

    name: str
    play: Play
    weight: float = 1.0
    slow: bool = True


def _soundfont(file: str, program: int, weight: float = 1.0) -> Source:
    def play(rng: Random, notes: Sequence[Note], length: int, cents: float) -> Sound:
        vibrato = int(rng.choice([0, 0, 0, 20, 50]))
        return fluid.font(file).play(notes, length, program=program, cents=cents, vibrato=vibrato)

    return Source(f"{file.partition('.')[0]}/{program}", play, weight)


@cache
def sources(cls: str, split: Split) -> tuple[Source, ...]:
    """All sources of a class. One soundfont of each class is kept for validation, the others are for training;
    what is synthesised here is another instrument each time and serves both."""
    held = FONTS[crc32(cls.encode()) % len(FONTS)]
    programs = CLASSES[cls].programs
    found = [
        _soundfont(file, program, 1 / len(programs) ** 0.5)
        for file in FONTS
        if (file == held) == (split == "valid")
        for program in programs
    ]
    if split == "train":
        found.append(_soundfont(CHIP, programs[0], CHIP_WEIGHT))
    return (*found, *_synthetic(cls))


def _synthetic(cls: str) -> Iterator[Source]:
    if cls in synthesis.STRINGS:
        yield Source(f"string {cls}", synthesis.plucked(cls), STRING_WEIGHT, slow=False)
    if cls in synthesis.ANALOGUE:
        yield Source(f"analogue {cls}", synthesis.analogue(cls), ANALOGUE_WEIGHT)
    if cls in synthesis.FM:
        yield Source(f"fm {cls}", synthesis.modulated(cls), FM_WEIGHT, slow=False)
    if cls == "bass_synth":
        yield Source("deep bass", synthesis.deep_bass, 1.5, slow=False)
    if cls == "organ":
        yield Source("drawbars", synthesis.organ, 1.2, slow=False)
    if cls == "voice":
        yield Source("singer", voices.sing, 6.0, slow=False)
    if cls == "backing_voice":
        yield Source("singers", voices.sing, 2.5, slow=False)
    if cls in ("backing_voice", "choir"):
        yield Source("ensemble", voices.ensemble, 2.0, slow=False)


def choose(rng: Random, cls: str, split: Split) -> Source:
    choices = sources(cls, split)
    weights = np.array([one.weight for one in choices])
    return choices[int(rng.choice(len(choices), p=weights / weights.sum()))]


def heard(source: Source, seed: int, notes: Sequence[Note], length: int, cents: float) -> "Sound | Mono":
    """``notes`` so that they are heard at their onsets: what sounds late is played early."""
    early = _attack(source, seed, notes) if source.slow else 0.0
    shift = round(early * RATE)
    sound = source.play(np.random.default_rng(seed), notes, length + shift, cents)
    return sound[shift : shift + length]


def _attack(source: Source, seed: int, notes: Sequence[Note]) -> float:
    """Seconds that a note in the middle of the part takes to be heard."""
    pitches = sorted(note.pitch for note in notes)
    alone = [Note(0.0, 0.5, pitches[len(pitches) // 2], 0.75)]
    sound = source.play(np.random.default_rng(seed), alone, RATE // 2, 0.0)
    power = np.square(effects.mono(sound))
    window = RATE // 100
    summed = np.cumsum(power, dtype=np.float64)
    envelope = np.sqrt(np.maximum(summed[window:] - summed[:-window], 0))
    late = np.argmax(envelope >= envelope.max() * 10 ** (HEARD_DB / 20)) + window
    return float(np.clip(float(late) / RATE - 0.007, 0.0, MAX_ATTACK))
