"""Media types: the kind of a file by its first bytes and by the type that the server names."""

import re
from pathlib import Path
from typing import BinaryIO, Literal
from urllib.parse import unquote, urlsplit

from antiphon.download.errors import DownloadRefused, TransferBroken

Expected = Literal["video", "audio", "midi", "image"]

HEAD_BYTES = 16
"""Bytes that are enough to tell what a file is."""

_BY_TYPE = {
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/wave": ".wav",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/aac": ".aac",
    "audio/midi": ".mid",
    "audio/x-midi": ".mid",
    "application/json": ".json",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/plain": ".txt",
}
_KINDS: dict[str, Expected] = {
    **dict.fromkeys((".mp4", ".mov", ".webm", ".mkv"), "video"),
    **dict.fromkeys((".mp3", ".wav", ".flac", ".ogg", ".m4a", ".aac", ".aiff"), "audio"),
    ".mid": "midi",
    ".jpg": "image",
}
_MAGIC = {
    b"\x1aE\xdf\xa3": ".webm",
    b"fLaC": ".flac",
    b"OggS": ".ogg",
    b"MThd": ".mid",
    b"\xff\xd8\xff": ".jpg",
}
_EITHER = (".mp4", ".webm")  # formats that hold songs with and without pictures
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")  # what a file of boxes may start with
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
# A page or a message in place of the file: a link that was spoilt, or a server that is being mended.
_WORDS = ("text/", "application/json", "application/xml", "application/xhtml")


def known_suffixes() -> tuple[str, ...]:
    """Every extension that a download is given by what it is."""
    return tuple(dict.fromkeys((*_KINDS, *_BY_TYPE.values(), ".bin")))


def sniff(head: bytes) -> str | None:
    """The extension that the first bytes of a file tell, of those formats that songs and their pictures come in; None
    for others."""
    if head[4:8] in _MP4_BOXES:
        brand = head[8:12] if head[4:8] == b"ftyp" else b""
        return {b"M4A ": ".m4a", b"M4B ": ".m4a", b"qt  ": ".mov"}.get(brand, ".mp4")
    if (head[:4] == b"RIFF" and head[8:12] == b"WAVE") or head[:4] in (b"RF64", b"BW64"):
        return ".wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return ".aiff"
    for magic, suffix in _MAGIC.items():
        if head.startswith(magic):
            return suffix
    if head.startswith(b"ID3"):
        return ".mp3"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return ".aac"
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and head[2] & 0xF0 != 0xF0:
        return ".mp3"
    return None


def cut_off(path: Path, size: int) -> bool:
    """Whether the file of ``size`` bytes is known to end before its format says. Only MP4 and WAV tell."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[4:8] in _MP4_BOXES:
            return _last_box_end(file, size) != size
        riff = int.from_bytes(head[4:8], "little") if sniff(head) == ".wav" and head[:4] == b"RIFF" else 0
        return riff not in (0, 0xFFFFFFFF) and riff + 8 > size


def _last_box_end(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends; -1 when there is no index (``moov``) among them."""
    place, index = 0, False
    while place < size:
        file.seek(place)
        box = file.read(16)
        length = int.from_bytes(box[:4], "big")
        if length == 1:
            length = int.from_bytes(box[8:16], "big")
        if length == 0 and len(box) >= 8:  # up to the end, wherever that is
            length = size - place
        if length < 8:
            return -1
        index = index or box[4:8] == b"moov"
        place += length
    return place if index else -1


def suffix_of(content_type: str, head: bytes, url: str, *, expect: Expected | None, source: str) -> str:
    """The extension of the file, with its dot: by its first bytes, else by its type, else by the link.

    Args:
        expect: The kind that the first bytes must show.
        source: Name of the sender in messages.

    Raises:
        TransferBroken: A page or message in words came instead, as a server in trouble sends it.
        DownloadRefused: The file is of another kind.
    """
    kind = content_type.partition(";")[0].strip().lower()
    found = sniff(head)
    if expect is None:
        return found or _BY_TYPE.get(kind) or _linked(url) or ".bin"
    if found and _fits(found, kind, expect):
        return ".m4a" if expect == "audio" and found == ".mp4" else found
    if not head:
        raise TransferBroken(f"{source} sent nothing in place of the {expect}; try again, or ask the sender")
    called = f"{kind or 'no type'}, first bytes {head[:8]!r}"
    if kind.startswith(_WORDS):
        raise TransferBroken(f"{source} sent words in place of the {expect} ({called}); try again, or ask the sender")
    raise DownloadRefused(f"{source} sent something else than {expect} ({called})")


def _fits(found: str, kind: str, expect: Expected) -> bool:
    if found in _EITHER and expect in ("audio", "video"):
        return not kind.startswith("audio/" if expect == "video" else "video/")
    return _KINDS[found] == expect


def _linked(url: str) -> str | None:
    suffix = re.search(r"\.[^./]*$", unquote(urlsplit(url).path))
    return suffix[0].lower() if suffix and _SUFFIX.fullmatch(suffix[0]) else None
