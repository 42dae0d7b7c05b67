"""What a file is, by its first bytes."""

import io
import wave
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.download import DownloadRefused, TransferBroken
from antiphon.download.media import HEAD_BYTES, cut_off, known_suffixes, sniff, suffix_of


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 44100, 1, "NONE", ""))
        file.writeframes(b"\x00\x00")
    return buffer.getvalue()


def midi() -> bytes:
    buffer = io.BytesIO()
    mido.MidiFile().save(file=buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", ".mp4"),
        (b"\x00\x00\x00\x20ftypmp42\x00\x00\x02\x00", ".mp4"),
        (b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00", ".m4a"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00", ".mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x02\x00mdat", ".mp4"),
        (b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f", ".webm"),
        (b"fLaC\x00\x00\x00\x22", ".flac"),
        (b"OggS\x00\x02", ".ogg"),
        (b"ID3\x04\x00\x00\x00", ".mp3"),
        (b"\xff\xfb\x90\x64", ".mp3"),
        (b"\xff\xf3\x84\xc4", ".mp3"),
        (b"\xff\xf1\x50\x80", ".aac"),
        (b"FORM\x00\x00\x00\x00AIFF", ".aiff"),
        (b"RF64\xff\xff\xff\xffWAVE", ".wav"),
        (wav()[:HEAD_BYTES], ".wav"),
        (midi()[:HEAD_BYTES], ".mid"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", ".jpg"),
        (b"RIFF\x00\x00\x00\x00AVI ", None),
        (b"\xff\xff\xff\xff\xff", None),
        (b"\xff", None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"<html>", None),
        (b'{"code":404}', None),
        (b"", None),
    ],
)
def test_first_bytes_tell_the_format(head: bytes, suffix: str | None) -> None:
    assert sniff(head) == suffix
    assert suffix is None or suffix in known_suffixes()


def box(name: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name + content


def large_box(name: bytes, content: bytes) -> bytes:
    return b"\x00\x00\x00\x01" + name + (16 + len(content)).to_bytes(8, "big") + content


FTYP, MOOV, MDAT = box(b"ftyp", b"isom\x00\x00\x02\x00"), box(b"moov", b"m" * 50), box(b"mdat", b"d" * 99)
OPEN_END = b"\x00\x00\x00\x00mdat" + b"d" * 99


@pytest.mark.parametrize(
    "data",
    [
        FTYP + MOOV + MDAT,
        FTYP + MDAT + MOOV,
        FTYP + large_box(b"mdat", b"d" * 99) + MOOV,
        FTYP + MOOV + OPEN_END,
        wav(),
    ],
)
def test_a_whole_file_is_not_cut_off(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it").write_bytes(data)
    assert not cut_off(tmp_path / "it", len(data))


@pytest.mark.parametrize(
    "data", [FTYP + MOOV + MDAT, FTYP + MDAT + MOOV, FTYP + large_box(b"mdat", b"d") + MOOV, wav()]
)
def test_a_file_is_cut_off_wherever_it_is_cut(tmp_path: Path, data: bytes) -> None:
    for size in range(HEAD_BYTES, len(data)):
        (tmp_path / "it").write_bytes(data[:size])
        assert cut_off(tmp_path / "it", size) or data[:size] == FTYP + MOOV, size


@given(data=st.binary(max_size=60).map(lambda rest: FTYP + rest))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_for_boxes_comes_to_an_end(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it").write_bytes(data)
    cut_off(tmp_path / "it", len(data))


@given(st.binary(max_size=20), st.text(max_size=30), st.text(max_size=30))
def test_an_extension_is_always_one_that_is_harmless(head: bytes, content_type: str, path: str) -> None:
    url = f"https://x/{path}".replace("[", "").replace("]", "")
    suffix = suffix_of(content_type, head, url, expect=None, source="x")
    assert suffix[0] == "." and suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 6


@given(st.binary(max_size=20), st.text(max_size=30), st.sampled_from(["video", "audio", "midi", "image"]))
def test_whatever_comes_is_taken_or_refused_in_words(head: bytes, content_type: str, expect: str) -> None:
    said = f"the sender sent {expect}"
    try:
        suffix_of(content_type, head, "https://x/", expect=expect, source="the sender")  # type: ignore[arg-type]
    except (DownloadRefused, TransferBroken) as error:
        said = error.message
    assert said.startswith("the sender sent ") and expect in said
