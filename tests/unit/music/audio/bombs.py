"""Small files that make a careless reader take gigabytes or minutes. Each function gives the bytes of one."""

import struct
import zlib


def box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", flags), *parts)


def mp4(*tables: bytes, after: bytes = b"", extends: bytes = b"") -> bytes:
    """An MP4 with one AAC track whose sample tables are ``tables``."""
    mvhd = full_box(b"mvhd", struct.pack(">4I", 0, 0, 1000, 1000), bytes(80))
    tkhd = full_box(b"tkhd", struct.pack(">5I", 0, 0, 1, 0, 1000), bytes(60), flags=7)
    mdhd = full_box(b"mdhd", struct.pack(">4I", 0, 0, 44_100, 44_100), bytes(4))
    hdlr = full_box(b"hdlr", bytes(4), b"soun", bytes(13))
    entry = box(b"mp4a", bytes(6), struct.pack(">H", 1), bytes(8), struct.pack(">HHII", 2, 16, 0, 44_100 << 16))
    stsd = full_box(b"stsd", struct.pack(">I", 1), entry)
    minf = box(b"minf", full_box(b"smhd", bytes(4)), box(b"stbl", stsd, *tables))
    moov = box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf)), extends)
    return box(b"ftyp", b"M4A \0\0\0\0isom") + moov + after + box(b"mdat", bytes(64))


def table(kind: bytes, count: int, *entries: int) -> bytes:
    return full_box(kind, struct.pack(">I", count), struct.pack(f">{len(entries)}I", *entries))


def mp4_of_many_samples(count: int) -> bytes:
    """Its table of sizes says of ``count`` samples that they are all alike, in twenty bytes."""
    return mp4(
        table(b"stts", 1, count, 1),
        table(b"stsc", 1, 1, count, 1),
        full_box(b"stsz", struct.pack(">II", 1, count)),
        table(b"stco", 1, 32),
    )


def mp4_of_a_long_fragment(count: int) -> bytes:
    """A fragment of ``count`` samples that all have the track's default size and duration."""
    trex = box(b"mvex", full_box(b"trex", struct.pack(">5I", 1, 1, 1, 1, 0)))
    tfhd = full_box(b"tfhd", struct.pack(">I", 1))
    trun = full_box(b"trun", struct.pack(">I", count))
    moof = box(b"moof", full_box(b"mfhd", struct.pack(">I", 1)), box(b"traf", tfhd, trun))
    empty = [table(kind, 0) for kind in (b"stts", b"stsc", b"stco")]
    return mp4(*empty, full_box(b"stsz", bytes(8)), after=moof, extends=trex)


def mp4_with_a_packed_header(size: int) -> bytes:
    """QuickTime's compressed header, which says that it unpacks to ``size`` bytes."""
    packed = zlib.compress(bytes(min(size, 1 << 22)), 9)
    cmov = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", size), packed))
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", cmov) + box(b"mdat", bytes(64))


def id3(*frames: bytes, version: int = 4, flags: int = 0) -> bytes:
    content = b"".join(frames)
    return b"ID3" + bytes((version, 0, flags)) + synchsafe(len(content)) + content


def synchsafe(value: int) -> bytes:
    return bytes((value >> shift) & 0x7F for shift in (21, 14, 7, 0))


def packed_frame(name: bytes, size: int, *, version: int = 4) -> bytes:
    """A compressed ID3v2 frame of ``size`` zeros."""
    packed = zlib.compress(bytes(size), 9)
    if version == 4:  # compressed, and with a data length
        return name + synchsafe(4 + len(packed)) + b"\x00\x09" + synchsafe(size) + packed
    return name + struct.pack(">I", 4 + len(packed)) + b"\x00\x80" + struct.pack(">I", size) + packed


def flac_comments(count: int) -> bytes:
    """A FLAC block of ``count`` comments of different names."""
    comments = b"".join(struct.pack("<I", len(text)) + text for text in (b"N%d=x" % number for number in range(count)))
    return struct.pack("<I", 0) + struct.pack("<I", count) + comments


def flac_block(kind: int, content: bytes, *, last: bool = False) -> bytes:
    return bytes((kind | (0x80 if last else 0),)) + len(content).to_bytes(3, "big") + content


def flac_with(content: bytes, *blocks: bytes) -> bytes:
    """A FLAC file with more metadata blocks after its first."""
    return content[:42].replace(b"fLaC\x80", b"fLaC\x00") + b"".join(blocks) + content[42:]


def ape_tag(count: int) -> bytes:
    """An APEv2 tag of ``count`` items, to stand at a file's end."""
    items = b"".join(struct.pack("<II", 1, 0) + b"N%d\0x" % number for number in range(count))
    return items + b"APETAGEX" + struct.pack("<4I", 2000, len(items) + 32, count, 0) + bytes(8)
