"""Sample counts of an MP4 or QuickTime file, by its own boxes (ISO/IEC 14496-12).

FFmpeg keeps 24 bytes for each sample that a table speaks of, and a table may speak of four milliards in twenty bytes:
637 bytes of MP4 can make it fill 3 GB. So the counts are added up before it sees them.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_BRANDS = {b"ftyp", b"moov", b"moof", b"styp", b"mdat", b"wide", b"free", b"skip", b"pnot", b"sidx"}
"""What the first box of such a file may be."""

_FOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"cmov"}
_COUNT_AT = {b"stsz": 8, b"stz2": 8, b"trun": 4}
"""Boxes that hold a number of samples, and where, behind their header."""

_RUNS = {b"ctts", b"stts"}
"""Boxes that hold runs of samples, each a count and a value."""

_MAX_BOXES = 200_000
_MAX_RUNS_BYTES = 8_000_000


def claimed_samples(path: Path) -> int:
    """The largest number of samples that the boxes of one kind speak of, in all tracks together; 0: it has none."""
    counts: Counter[bytes] = Counter()
    with path.open("rb") as file:
        for kind, content in _boxes(file, os.fstat(file.fileno()).st_size):
            counts[kind] += _samples(kind, content)
    return max(counts.values(), default=0)


def unpacked_header_bytes(path: Path) -> int:
    """Bytes to which the compressed header of an old QuickTime file unpacks, as it says; 0: it has none."""
    with path.open("rb") as file:
        boxes = _boxes(file, os.fstat(file.fileno()).st_size)
        return sum(int.from_bytes(content[:4]) for kind, content in boxes if kind == b"cmvd")


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes that count something, wherever they lie; none where the file is no MP4."""
    ends = [size]
    for number in range(_MAX_BOXES):
        while ends and file.tell() >= ends[-1]:
            ends.pop()
        head = file.read(8)
        if not ends or len(head) < 8 or (number == 0 and head[4:] not in _BRANDS):
            return
        start, length, kind = file.tell() - 8, int.from_bytes(head[:4]), head[4:]
        if length == 1:
            length = int.from_bytes(file.read(8))
        end = start + length if length >= 8 else ends[-1]
        if kind in _FOLDERS:
            ends.append(min(end, ends[-1]))
            continue
        if kind in _COUNT_AT or kind in _RUNS or kind == b"cmvd":
            yield kind, file.read(min(max(end - file.tell(), 0), _MAX_RUNS_BYTES))
        file.seek(min(end, size))


def _samples(kind: bytes, content: bytes) -> int:
    if kind in _RUNS:
        return sum(int.from_bytes(content[at : at + 4]) for at in range(8, len(content) - 7, 8))
    at = _COUNT_AT.get(kind)
    return int.from_bytes(content[at : at + 4]) if at else 0
