"""Size of the ID3v2 tags before the sound, by their own headers.

Frames may be compressed: 2 MB of them can unpack to gigabytes, which FFmpeg then turns into text for a minute.
"""

from collections.abc import Iterator
from pathlib import Path

_HEADER_BYTES = 10
_MIN_VERSION = 3  # whose frames have flags
_COMPRESSED = 0x08
_MAX_FRAMES = 20_000
_MAX_TAGS = 10_000


def tag_bytes(path: Path) -> tuple[int, int]:
    """How many bytes the tags at the start of a file have, and to how many their compressed frames say they unpack."""
    stored = unpacked = 0
    with path.open("rb") as file:
        for _ in range(_MAX_TAGS):
            head = file.read(_HEADER_BYTES)
            if len(head) < _HEADER_BYTES or head[:3] != b"ID3":
                break
            content = file.read(_synchsafe(head[6:]))
            stored += len(content)
            if head[3] >= _MIN_VERSION:
                unpacked += sum(_unpacked(content, head[3]))
    return stored, unpacked


def _unpacked(tag: bytes, version: int) -> Iterator[int]:
    """What each compressed frame says of its length."""
    at = 0
    for _ in range(_MAX_FRAMES):
        head = tag[at : at + _HEADER_BYTES]
        if len(head) < _HEADER_BYTES or not head[0]:
            return
        if head[9] & _COMPRESSED:
            yield _length(tag[at + _HEADER_BYTES : at + _HEADER_BYTES + 4])
        at += _HEADER_BYTES + (_length(head[4:8]) if version > _MIN_VERSION else int.from_bytes(head[4:8]))


def _length(number: bytes) -> int:
    """Four bytes of seven bits each, as they should be, or of eight, as some programs write them."""
    return int.from_bytes(number) if any(byte & 0x80 for byte in number) else _synchsafe(number)


def _synchsafe(number: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(number, (21, 14, 7, 0), strict=False))
