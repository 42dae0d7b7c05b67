"""A JSON body with a file in Base64, decoded from disk to disk: the file never stands in memory whole."""

import base64
import binascii
import json
import mmap
import re
from pathlib import Path
from typing import Any, BinaryIO

from antiphon.errors import BadParameter

FIELD = "base64Data"
MAX_OTHER_BYTES = 100_000
"""Bytes of the body beside the file."""

_VALUE = re.compile(rb'"base64Data"[ \t\r\n]*:[ \t\r\n]*"([^"]*)"')
_HEAD = re.compile(rb"data:([-\w.+/]{0,100})(?:;[-\w.+=]{1,100}){0,5};base64,")
_HEAD_BYTES = 1000
BLOCK_BYTES = 4 << 18
_LEFT_OUT = re.compile(rb"\\[nrt]|[\\ \t\r\n=]")  # JSON's escapes of line breaks and slashes, padding, white space
_UNICODE = re.compile(rb"\\u00([0-7][0-9a-fA-F])")
_ESCAPE_BYTES = 6  # of JSON's longest escape, \u002B
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def read_base64_body(body: Path, out: Path, *, block_bytes: int = BLOCK_BYTES) -> tuple[dict[str, Any], str | None]:
    """Decode the field ``base64Data`` of the JSON object in the file ``body`` into the file ``out``.

    Returns:
        The object with that field emptied, and the type that a ``data:`` URL names, None without one.

    Raises:
        BadParameter: The body is no JSON object, or the field no Base64.
    """
    if not body.stat().st_size:
        raise BadParameter("body: expected a JSON object; send one with base64Data")
    with body.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = _VALUE.search(content)
        start, end = found.span(1) if found else (0, 0)
        if len(content) - (end - start) > MAX_OTHER_BYTES:
            raise BadParameter(f"{FIELD}: required, but missing; add the file in Base64")
        other = _object(content[:start] + content[end:])
        if not found or FIELD not in other:
            raise BadParameter(f"{FIELD}: required, but missing; add the file in Base64")
        head = _HEAD.match(content[start : min(end, start + _HEAD_BYTES)].replace(b"\\/", b"/"))
        mime_type = head.group(1).decode() or None if head else None
        if head:
            start = content.find(b",", start) + 1
        with out.open("wb") as decoded:
            _decode(content, start, end, decoded, block_bytes)
    return other, mime_type


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadParameter("body: not valid JSON; send a JSON object in UTF-8") from None
    if not isinstance(found, dict):
        raise BadParameter("body: expected a JSON object; send one with base64Data")
    return found


def _decode(content: mmap.mmap, start: int, end: int, decoded: BinaryIO, block_bytes: int) -> None:
    rest = b""
    while start < end:
        stop = min(start + block_bytes, end)
        escape = content.rfind(b"\\", max(start, stop - _ESCAPE_BYTES), stop)
        if escape >= 0:  # it may go on behind the block
            stop = min(escape + _ESCAPE_BYTES, end)
        plain = _UNICODE.sub(lambda found: bytes([int(found[1], 16)]), content[start:stop])
        letters = rest + _LEFT_OUT.sub(b"", plain).translate(_URL_SAFE)
        whole = len(letters) // 4 * 4
        decoded.write(_bytes_of(letters[:whole]))
        rest, start = letters[whole:], stop
    if len(rest) == 1:
        raise BadParameter(f"{FIELD}: is cut off; send the whole of it")
    decoded.write(_bytes_of(rest + b"=" * (-len(rest) % 4)))


def _bytes_of(letters: bytes) -> bytes:
    try:
        return base64.b64decode(letters, validate=True)
    except binascii.Error:
        raise BadParameter(f"{FIELD}: not Base64; send the file's bytes in Base64, plain or as a data: URL") from None
