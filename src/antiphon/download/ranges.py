"""Range requests: the part of a file that an answer brings, and the validator for the next. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.http_dates import parse_http_date

_RANGE = re.compile(r"\s*bytes\s+(\d{1,19})-(\d{1,19})/(\d{1,19}|\*)\s*", re.IGNORECASE | re.ASCII)
_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


class WrongRange(ValueError):
    """The server sent another part than the one asked for."""


@dataclass(frozen=True)
class ByteSpan:
    """The part of a file that an answer brings: from byte ``start`` up to ``end`` (exclusive; None: until it ends)
    of ``total`` (None: not known)."""

    start: int
    end: int | None
    total: int | None


def span_of(status: int, headers: Mapping[str, str], offset: int) -> ByteSpan:
    """What a 200 or 206 brings when the file was asked for from ``offset`` on. Raises ``WrongRange``.

    A 206 must start exactly at ``offset``; it may end before the file does, and then the rest is asked for.
    """
    declared = _size(headers.get("content-length"))
    if status == 200:
        return ByteSpan(0, declared, declared)
    if not offset:
        raise WrongRange("it sent a part (206) though the whole was asked for")
    match = _RANGE.fullmatch(headers.get("content-range", ""))
    if not match:
        raise WrongRange(f"its part has no readable Content-Range (got {headers.get('content-range', '')[:60]!r})")
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if first != offset or last < first or (total is not None and last >= total):
        raise WrongRange(f"it was asked for byte {offset} on and sent {match[0].strip()!r}")
    if declared is not None and declared != last + 1 - first:
        raise WrongRange(f"it says {match[0].strip()!r} but sends {declared} bytes")
    return ByteSpan(first, last + 1, total)


def validator_of(headers: Mapping[str, str]) -> str | None:
    """What ``If-Range`` may be given for this file: a strong ETag, else a Last-Modified that is a strong validator
    (RFC 9110, 8.8.2.2: a second or more older than the answer's Date). None when there is neither: then a download
    that broke off cannot be resumed safely."""
    tag = headers.get("etag", "").strip()
    if _TAG.fullmatch(tag):
        return tag
    modified = headers.get("last-modified", "").strip()
    then, now = parse_http_date(modified), parse_http_date(headers.get("date", ""))
    return modified if then and now and (now - then).total_seconds() >= 1 else None


def _size(declared: str | None) -> int | None:
    return int(declared) if declared and declared.isascii() and declared.isdigit() and len(declared) < 19 else None
