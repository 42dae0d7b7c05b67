"""An MP4 read box by box, without FFmpeg, and checked as a strict player would (ISO 14496-12)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"udta", b"ilst", b"covr"}
CONTAINERS |= {b"\xa9nam", b"\xa9ART", b"\xa9cmt"}
VISUAL, SOUND = 78, 28
"""Bytes of a sample entry before its boxes."""


@dataclass(frozen=True)
class Box:
    name: bytes
    offset: int
    data: bytes

    def boxes(self) -> "list[Box]":
        skip = {b"meta": 4, b"stsd": 8, b"dref": 8, b"avc1": VISUAL, b"mp4a": SOUND}.get(self.name, 0)
        return list(parse(self.data[skip:]))

    def find(self, path: str) -> "Box":
        (found,) = self.all(path)
        return found

    def all(self, path: str) -> "list[Box]":
        first, _, rest = path.partition("/")
        named = [box for box in self.boxes() if box.name == first.encode("latin-1")]
        return [inner for box in named for inner in box.all(rest)] if rest else named

    def table(self, entry: str, skip: int = 8) -> list[tuple[int, ...]]:
        """The entries of a full box: version and flags, a count, then so many of ``entry``."""
        (count,) = struct.unpack_from(">I", self.data, skip - 4)
        return list(struct.iter_unpack(f">{entry}", self.data[skip : skip + count * struct.calcsize(f">{entry}")]))


def parse(data: bytes) -> Iterator[Box]:
    place = 0
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        assert head <= size <= len(data) - place, f"box {name!r} at {place} says that it has {size} bytes"
        yield Box(name, place, data[place + head : place + size])
        place += size


@dataclass(frozen=True)
class Track:
    """``duration`` of all samples in seconds; ``edit`` is what an edit list shows: media time and length in seconds;
    ``sizes`` and ``offsets`` of the samples in bytes; ``shown`` are their times in ticks of the composition."""

    kind: bytes
    entry: Box
    scale: int
    duration: float
    edit: tuple[float, float]
    sizes: list[int]
    offsets: list[int]
    shown: list[int]
    keys: list[int]


@dataclass(frozen=True)
class Mp4:
    names: list[bytes]
    duration: float
    tracks: list[Track]
    tags: dict[str, str]
    cover: bytes


def read(path: Path) -> Mp4:
    """The file's structure. What a strict reader would not take is an AssertionError."""
    data = path.read_bytes()
    top = list(parse(data))
    moov = next(box for box in top if box.name == b"moov")
    movie_scale, movie_duration = struct.unpack_from(">II", moov.find("mvhd").data, 12)
    tracks = [_track(trak, movie_scale) for trak in moov.all("trak")]
    mdat = next(box for box in top if box.name == b"mdat")
    for track in tracks:
        for offset, size in zip(track.offsets, track.sizes, strict=True):
            assert mdat.offset < offset and offset + size <= mdat.offset + 16 + len(mdat.data)
    listed = moov.find("udta/meta/ilst")
    words = {box.name.decode("latin-1"): box for box in listed.boxes()}
    tags = {name: box.find("data").data[8:].decode() for name, box in words.items() if name.startswith("\xa9")}
    return Mp4(
        [box.name for box in top],
        movie_duration / movie_scale,
        tracks,
        tags,
        words["covr"].find("data").data[8:] if "covr" in words else b"",
    )


def _track(trak: Box, movie_scale: int) -> Track:
    scale, ticks = struct.unpack_from(">II", trak.find("mdia/mdhd").data, 12)
    ((length, media_time, rate),) = trak.find("edts/elst").table("IiI")
    assert rate == 0x10000
    table = trak.find("mdia/minf/stbl")
    times = [delta for count, delta in table.find("stts").table("II") for _ in range(count)]
    shifts = [shift for box in table.all("ctts") for count, shift in box.table("Ii") for _ in range(count)]
    sizes = [size for (size,) in table.find("stsz").table("I", 12)] or _constant(table.find("stsz"))
    assert sum(times) == ticks
    assert len(times) == len(sizes)
    start, shown = 0, []
    for number, delta in enumerate(times):
        shown.append(start + (shifts[number] if shifts else 0))
        start += delta
    keys = [number - 1 for box in table.all("stss") for (number,) in box.table("I")]
    return Track(
        trak.find("mdia/hdlr").data[8:12],
        table.find("stsd").boxes()[0],
        scale,
        ticks / scale,
        (media_time / scale, length / movie_scale),
        sizes,
        _offsets(table, sizes),
        shown,
        keys,
    )


def _constant(stsz: Box) -> list[int]:
    size, count = struct.unpack_from(">II", stsz.data, 4)
    return [size] * count


def _offsets(table: Box, sizes: list[int]) -> list[int]:
    """Where each sample lies: chunks by ``stco`` or ``co64``, samples in them by ``stsc``."""
    chunks = [offset for box in table.all("stco") for (offset,) in box.table("I")]
    chunks += [offset for box in table.all("co64") for (offset,) in box.table("Q")]
    runs = table.find("stsc").table("III")
    per_chunk: list[int] = []
    for (first, count, _), following in zip(runs, [*runs[1:], (len(chunks) + 1, 0, 0)], strict=True):
        per_chunk += [count] * (following[0] - first)
    offsets, sample = [], 0
    for place, count in zip(chunks, per_chunk, strict=True):
        for _ in range(count):
            offsets.append(place)
            place += sizes[sample]
            sample += 1
    assert sample == len(sizes)
    return offsets
