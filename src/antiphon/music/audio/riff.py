"""Chunks of a WAV or AVI file, by their own headers.

FFmpeg believes what a chunk says of its size and takes that much memory: 90 kB of WAV can make it fill 2 GB. And it
silently shortens a WAV that is cut off. So these headers are looked at before it sees them.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_FORMS = {b"WAVE", b"AVI "}
_MAX_CHUNKS = 10_000
_MAX_TEXT = 1_000_000
# Written by encoders into a pipe, who cannot know the length: no promise (sizes near 2 or 4 GiB).
_UNKNOWN_SIZES = ((0, 0), (0x7FFFF000, 0x7FFFFFFF), (0xFFFFF000, 0xFFFFFFFF))


@dataclass(frozen=True, slots=True)
class RiffChunk:
    """``size`` is what the header says, ``present`` how many bytes the file still holds from there."""

    name: bytes
    size: int
    present: int

    @property
    def is_absurd(self) -> bool:
        """Whether a chunk that is not sound or pictures claims far more than there is."""
        return self.name != b"data" and self.size > max(self.present, _MAX_TEXT)


def riff_chunks(path: Path) -> Iterator[RiffChunk]:
    """The chunks in order, those inside a LIST included, up to an AVI's pictures; none if it is no such file."""
    total = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64", b"RIFX") or head[8:] not in _FORMS:
            return
        order: Literal["big", "little"] = "big" if head[:4] == b"RIFX" else "little"
        for _ in range(_MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                return
            name, size = head[:4], int.from_bytes(head[4:], order)
            if name != b"LIST":
                yield RiffChunk(name, size, total - file.tell())
                file.seek(size + size % 2, os.SEEK_CUR)
            elif file.read(4) == b"movi":
                return


def present_share(path: Path) -> float | None:
    """Which part of the samples that a WAV announces is in it, 0–1; None where it announces no number."""
    for chunk in riff_chunks(path):
        if chunk.name == b"data":
            unknown = any(low <= chunk.size <= high for low, high in _UNKNOWN_SIZES)
            return None if unknown else min(chunk.present / chunk.size, 1.0)
    return None
