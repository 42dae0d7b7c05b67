"""Damaged audio files: a short sound in each container, changed by chance, by the same number in the same way."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.unit.music.sounds import encode, noise, save

SECONDS = 0.4
FORMATS = ("mp3", "flac", "wav", "ogg", "opus", "m4a", "aiff", "webm", "mp4")
_HEADER_BYTES = 600
"""At the start of a file, where a change costs the most; half of all changes go there."""

_TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 80_000_000, 1 << 20)


@dataclass(frozen=True)
class Mutant:
    """A damaged file: ``name`` says how it is made again, and ends as its format does."""

    name: str
    content: bytes


def mutants(number: int, *, start: int = 0) -> Iterator[Mutant]:
    """``number`` damaged files, the formats in turn."""
    for index in range(start, start + number):
        yield mutant(index)


def mutant(index: int) -> Mutant:
    """The damaged file of this number: one to four changes."""
    kind = FORMATS[index % len(FORMATS)]
    chance = random.Random(index)
    content = bytearray(seed(kind))
    for _ in range(chance.randint(1, 4)):
        if content:
            chance.choice(_CHANGES)(content, chance)
    return Mutant(f"{index}.{kind}", bytes(content))


@cache
def seed(kind: str) -> bytes:
    """A sound file in good order, with a title."""
    sound = noise(SECONDS)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{kind}"
        if kind in ("mp3", "flac", "wav"):
            return save(path, sound, kind).read_bytes()  # type: ignore[arg-type]
        if kind in ("ogg", "opus", "webm"):
            encoder = "vorbis" if kind == "ogg" else "libopus"
            sample_format = "fltp" if kind == "ogg" else "flt"
            encode(path, noise(SECONDS, rate=48_000), encoder, rate=48_000, sample_format=sample_format)
        elif kind == "aiff":
            encode(path, sound, "pcm_s16be", sample_format="s16")
        else:
            encode(path, sound, "aac", video=kind == "mp4")
        return path.read_bytes()


def _place(content: bytearray, chance: random.Random) -> int:
    reach = len(content) if chance.random() < 0.5 else min(len(content), _HEADER_BYTES)
    return chance.randrange(reach)


def _flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 30)):
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _truncate(content: bytearray, chance: random.Random) -> None:
    del content[_place(content, chance) :]


def _insert(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    content[at:at] = (
        chance.randbytes(chance.randint(1, 200)) if chance.random() < 0.5 else bytes(chance.randint(1, 200))
    )


def _remove(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    del content[at : at + chance.randint(1, 200)]


def _overwrite_a_number(content: bytearray, chance: random.Random) -> None:
    """A size, a count or an offset, wherever it is."""
    at, length = _place(content, chance), chance.choice((1, 2, 4, 8))
    number = chance.choice(_TELLING) & ((1 << 8 * length) - 1)
    content[at : at + length] = number.to_bytes(length, chance.choice(("big", "little")))


def _repeat(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    content[at:at] = content[at : at + chance.randint(1, 400)] * chance.randint(1, 50)


def _splice(content: bytearray, chance: random.Random) -> None:
    """Put a piece of a file of any format in."""
    other = seed(chance.choice(FORMATS))
    at, start = _place(content, chance), chance.randrange(len(other))
    content[at : at + chance.choice((0, 100))] = other[start : start + chance.randint(1, 2000)]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip,
    _truncate,
    _insert,
    _remove,
    _overwrite_a_number,
    _overwrite_a_number,
    _repeat,
    _splice,
)
