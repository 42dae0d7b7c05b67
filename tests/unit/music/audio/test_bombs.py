"""Small files that speak of gigabytes are refused before they take them."""

import resource
import struct
import zlib
from pathlib import Path

import pytest
from tests.fuzz.audio import findings
from tests.fuzz.mutations import FORMATS, mutants, seed
from tests.unit.music.audio import bombs

from antiphon.errors import BadParameter, NotAudio
from antiphon.music.audio import inspect
from antiphon.music.video import check_cover

MAX_MORE_KB = 200_000
"""By which the largest resident set may grow: the bombs took 1 to 4.5 GB."""

SAMPLES = 80_000_000
BOMBS = {
    "a long fragment": (bombs.mp4_of_a_long_fragment(SAMPLES), "speaks of 80,000,000 samples"),
    "a table of many samples": (bombs.mp4_of_many_samples(SAMPLES), "speaks of 80,000,000 samples"),
    "a packed header": (bombs.mp4_with_a_packed_header(1 << 30), "header is compressed"),
    "packed frames": (bombs.id3(*[bombs.packed_frame(b"PRIV", 20_000_000)] * 40), r"tags \(ID3\) have more than 64 MB"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_header_that_speaks_of_gigabytes_is_refused_before_it_takes_them(tmp_path: Path, name: str) -> None:
    content, said = BOMBS[name]
    path = tmp_path / "song"
    path.write_bytes(content + seed("mp3") * name.startswith("packed"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotAudio, match=said):
        inspect(path, max_duration=60)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_MORE_KB


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_in_good_order_passes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "song"
    path.write_bytes(seed(kind))
    assert inspect(path, max_duration=60).duration == pytest.approx(0.4, abs=0.1)


def test_a_tag_with_a_packed_text_of_common_size_passes(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(bombs.id3(bombs.packed_frame(b"TXXX", 100_000)) + seed("mp3"))
    assert inspect(path, max_duration=60).codec == "mp3"


def png(width: int, height: int) -> bytes:
    """A black picture of 8 bits a pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("sides", [(99_000_000, 1), (1, 99_000_000), (20_001, 2)])
def test_a_cover_of_one_endless_side_is_refused_before_it_is_decoded(tmp_path: Path, sides: tuple[int, int]) -> None:
    path = tmp_path / "cover.png"
    path.write_bytes(png(*sides))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadParameter, match=r"'cover' has .* pixels: at most 20,000 are taken on either side"):
        check_cover(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_MORE_KB


def test_four_hundred_damaged_files_are_taken_or_refused_in_words() -> None:
    """No signal, no hang, no traceback, no gigabytes; ``make fuzz`` does the same with ten thousand."""
    assert [(finding.mutant.name, finding.harm) for finding in findings(mutants(400))] == []
