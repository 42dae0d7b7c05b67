"""A multipart body in whatever pieces, and junk that must never come out as anything but our own errors."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.api.multipart import Form, read_form
from antiphon.errors import BadParameter, TooLarge

TYPE = "multipart/form-data; boundary=limit"


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    return f'--limit\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value + b"\r\n"


END = b"--limit--\r\n"


def read(body: bytes, folder: Path, *, piece: int = 1 << 16, content_type: str = TYPE, limit: int = 1_000_000) -> Form:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    return asyncio.run(read_form(pieces(), content_type, folder, files=("file", "cover"), limit=limit))


@pytest.mark.parametrize("piece", [1, 2, 7, 64, 10_000])
def test_fields_and_files_come_whole_in_whatever_pieces(tmp_path: Path, piece: int) -> None:
    song = bytes(range(256)) * 8 + b"\r\n--limi\r\n--limi"
    body = part("title", "Zoë 🎵".encode()) + part("file", song, "a song.mp3") + part("lyrics", b"la\r\nla") + END
    form = read(body, tmp_path, piece=piece)
    assert form.fields == {"title": "Zoë 🎵", "lyrics": "la\r\nla"}
    assert form.files["file"].read_bytes() == song
    assert form.filenames == {"file": "a song.mp3"}


def test_the_digest_tells_bodies_apart_but_not_their_boundaries(tmp_path: Path) -> None:
    first = part("title", b"a") + part("file", b"song", "x") + END
    same = read(first.replace(b"limit", b"other"), tmp_path, content_type=TYPE.replace("limit", "other")).digest
    assert read(first, tmp_path).digest == same
    for other in (
        part("title", b"b") + part("file", b"song", "x") + END,
        part("title", b"a") + part("file", b"sons", "x") + END,
        part("file", b"song", "x") + END,
    ):
        assert read(other, tmp_path).digest != same


def test_a_file_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    for name in ("../../evil", "/etc/passwd", "..", "a\\..\\b"):
        form = read(part("file", b"x", name) + END, tmp_path)
        assert form.files["file"].parent == tmp_path
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (part("file", b"x", "a"), "ends before the last part"),
        (part("file", b"x", "a")[:30], "ends before the last part"),
        (part("file", b"x", "a") * 2 + END, "file: came twice"),
        (part("title", b"x") * 2 + END, "title: came twice"),
        (part("title", b"x", "a.txt") + END, r"title: expected text \(got a file\)"),
        (part("", b"x") + END, "a part has no name"),
        (part("title", b"\xff") + END, "title: it cannot be told how this text is encoded .* UTF-8"),
        (b"".join(part(f"f{number}", b"x") for number in range(30)) + END, "more than 20 parts"),
        (part("title", b"x", "n" * 10_000) + END, "header of a part is too long|malformed"),
        (b"nothing of the kind", "malformed"),
    ],
)
def test_a_wrong_body_is_refused_in_words(tmp_path: Path, body: bytes, words: str) -> None:
    with pytest.raises(BadParameter, match=words):
        read(body, tmp_path)


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_another_content_type_is_refused(tmp_path: Path, content_type: str) -> None:
    with pytest.raises(BadParameter, match=r"^body: expected multipart/form-data"):
        read(END, tmp_path, content_type=content_type)


def test_a_long_boundary_is_refused_and_not_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadParameter):
        read(END, tmp_path, content_type=f"multipart/form-data; boundary={'x' * 10_000}")


def test_what_is_too_large_is_refused_before_all_of_it_came(tmp_path: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield part("file", b"", "a")[:-2]
        while True:
            taken += 10_000
            yield bytes(10_000)

    with pytest.raises(TooLarge, match=r"^file: larger than 0\.1 MB.*ANTIPHON_MAX_UPLOAD"):
        asyncio.run(read_form(endless(), TYPE, tmp_path, files=("file",), limit=100_000))
    assert taken <= 110_000
    with pytest.raises(TooLarge, match=r"^title: longer than"):
        read(part("title", b"x" * 300_000) + END, tmp_path)


JUNK = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [
                b"--limit", b"--", b"\r\n", b"\n", b"\r", b":", b"Content-Disposition: form-data; name=", b'"', b"file",
                b"title", b"; filename=", b"; filename*=utf-8''%ff", b"\x00", b"\xff", b"Content-Type: x", b"=", b";",
            ]
        ),
        max_size=40,
    ).map(b"".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(junk=JUNK, piece=st.integers(1, 50), begun=st.booleans())
def test_junk_is_refused_as_a_bad_parameter_or_read(junk: bytes, piece: int, begun: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(BadParameter):
        form = read((b"--limit\r\n" if begun else b"") + junk, Path(folder), piece=piece)
        assert set(form.files) <= {"file", "cover"}


@settings(max_examples=200, deadline=None)
@given(content_type=st.text(st.characters(codec="latin-1"), max_size=80).map(lambda text: f"multipart/form-data{text}"))
def test_a_junk_content_type_is_refused_as_a_bad_parameter(content_type: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(BadParameter):
        read(b"x", Path(folder), content_type=content_type)


def test_lyrics_may_come_as_a_file_in_any_usual_encoding(tmp_path: Path) -> None:
    text = "[00:01.00]早晨来得很慢\n[00:03.00]过了那条河\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030"):
        form = read(part("lyrics", text.encode(encoding), "song.lrc") + END, tmp_path)
        assert form.fields["lyrics"] == text
