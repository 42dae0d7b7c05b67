"""Multipart bodies: written to disk as they stream in, refused as soon as they grow too large."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from antiphon.api.errors import unkept
from antiphon.errors import BadParameter, TooLarge
from antiphon.text_encoding import InDoubt, decode

MAX_FIELD_BYTES = 200_000  # of a text field
MAX_HEADER_BYTES = 8_192
MAX_BOUNDARY_BYTES = 256  # RFC 2046 §5.1.1 has 70, and the parser takes no more than this
MAX_PARTS = 20
TEXTS_AS_FILES = {"lyrics"}
"""Text fields that may come as an attached file."""


@dataclass
class Form:
    """What came: text fields, files on disk, and a digest of all of it."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    filenames: dict[str, str] = field(default_factory=dict)
    digest: bytes = b""


async def read_form(
    body: AsyncIterator[bytes],
    content_type: str,
    folder: Path,
    *,
    files: tuple[str, ...],
    limit: int,
    by_its_first_line: bool = False,
) -> Form:
    """Read a multipart body.

    Args:
        files: Names of the parts that are files.
        limit: Bytes that all parts may have together.
        by_its_first_line: Take a multipart body under another Content-Type for what it is.

    Raises:
        BadParameter: It is malformed.
        TooLarge: It is over ``limit``.
    """
    start, boundary = await _boundary(body, content_type, by_its_first_line)
    reader = _FormReader(boundary, folder, files)
    size = 0
    try:
        async for chunk in _chained(start, body):
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"file: larger than {limit / 1e6:g} MB, the most that ANTIPHON_MAX_UPLOAD allows; "
                    "send a compressed format such as MP3, AAC or FLAC"
                )
            try:
                reader.write(chunk)
            except OSError as error:
                raise unkept(error) from error
        return reader.finish()
    finally:
        reader.close()


async def _boundary(body: AsyncIterator[bytes], content_type: str, by_its_first_line: bool) -> tuple[bytes, bytes]:
    """What was read of the body, and its boundary.

    Some clients send a multipart body under another Content-Type (suno-easy: application/json): the boundary is then
    taken from the body's first line.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind == b"multipart/form-data" and 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        return b"", boundary
    start = await _first_line(body) if by_its_first_line else b""
    line, end, _ = start[: MAX_BOUNDARY_BYTES + 4].partition(b"\r\n")
    if not end or not line.startswith(b"--") or len(line) < 4:
        raise BadParameter(
            f"body: expected multipart/form-data with a part 'file' (got Content-Type {content_type[:80] or 'none'}); "
            "send it as 'curl -F file=@song.mp3' does"
        )
    return start, line[2:]


async def _first_line(body: AsyncIterator[bytes]) -> bytes:
    """What came up to the end of the first line, or a little more."""
    start = b""
    async for chunk in body:
        start += chunk
        if b"\r\n" in start or len(start) > MAX_BOUNDARY_BYTES + 4:
            break
    return start


async def _chained(start: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if start:
        yield start
    async for chunk in body:
        yield chunk


class _FormReader:
    """The callbacks of the parser, and the part that is being read."""

    def __init__(self, boundary: bytes, folder: Path, files: tuple[str, ...]) -> None:
        self._form, self._folder, self._files = Form(), folder, files
        self._digest = hashlib.sha256()
        self._name, self._header, self._value = "", b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._text = bytearray()
        self._file: BinaryIO | None = None
        self._parts, self._complete = 0, False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError:
            raise BadParameter(
                "body: malformed multipart/form-data; send it as 'curl -F file=@song.mp3' does"
            ) from None

    def finish(self) -> Form:
        if not self._complete:
            raise BadParameter("body: ends before the last part does; send the whole of it")
        self._form.digest = self._digest.digest()
        return self._form

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadParameter(f"body: more than {MAX_PARTS} parts; send 'file' and the documented fields only")
        self._name, self._headers, self._text = "", {}, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._header) + len(self._value) > MAX_HEADER_BYTES:
            raise BadParameter("body: the header of a part is too long; shorten the file's name")

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode(errors="replace")
        if not self._name:
            raise BadParameter("body: a part has no name; name it 'file', 'title', 'author', 'cover' or 'lyrics'")
        if self._name in self._form.fields or self._name in self._form.files:
            raise BadParameter(f"{self._name}: came twice; send it once")
        self._digest.update(self._name.encode() + b"\0")
        if self._name in self._files:
            path = self._folder / f"upload-{self._name}"
            self._file = path.open("wb")
            self._form.files[self._name] = path
            self._form.filenames[self._name] = options.get(b"filename", b"").decode(errors="replace")
        elif b"filename" in options and self._name not in TEXTS_AS_FILES:
            raise BadParameter(
                f"{self._name}: expected text (got a file); the file fields are {', '.join(self._files)}"
            )

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        self._digest.update(chunk)
        if self._file is not None:
            self._file.write(chunk)
            return
        self._text += chunk
        if len(self._text) > MAX_FIELD_BYTES:
            raise TooLarge(f"{self._name}: longer than {MAX_FIELD_BYTES} bytes; shorten it")

    def _part_end(self) -> None:
        self._digest.update(b"\0")
        if self._file is not None:
            self.close()
            return
        try:
            self._form.fields[self._name] = decode(bytes(self._text))
        except InDoubt as error:
            raise BadParameter(
                f"{self._name}: it cannot be told how this text is encoded ({error}); encode it in UTF-8 and send again"
            ) from None

    def _end(self) -> None:
        self._complete = True
