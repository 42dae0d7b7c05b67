"""What strangers send is read in time in proportion to its size: the lines that a parser runs, counted.

What a parser leaves to regular expressions is counted in ``test_patterns``.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import ValidationError

from antiphon import links, sessions
from antiphon.api.base64_body import read_base64_body
from antiphon.api.files import disposition
from antiphon.api.multipart import read_form
from antiphon.contract.examination import examine, parse_headers
from antiphon.contract.moments import parse_moment
from antiphon.contract.requests import CreateJob, UploadFields
from antiphon.contract.signatures import KEY_BYTES, PREFIX
from antiphon.errors import AntiphonError
from antiphon.http_dates import parse_http_date
from antiphon.music.lyrics import parse
from antiphon.outbound.guard import parse_url
from antiphon.receiver.http.verify import verify
from antiphon.receiver.inbox import payload

KEY = PREFIX + "A" * (KEY_BYTES * 4 // 3)
DIGEST = "A" * 43 + "="
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 1000  # characters of the shorter input; the longer one has twice as many
MAX_GROWTH = 2.3
MAX_CONSTANT = 400  # lines, whatever the size
CONTENT_TYPE = "multipart/form-data; boundary=limit"
PART = b'--limit\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'


def lines_run(read: Callable[[], object]) -> int:
    """How many lines of Python run, what is imported for the first time left out."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    for _ in range(2):
        count, before = 0, sys.gettrace()
        sys.settrace(trace)
        try:
            with contextlib.suppress(AntiphonError, ValidationError, ValueError):
                read()
        finally:
            sys.settrace(before)
    return count


def form(body: bytes, piece: int) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(read_form(pieces(), CONTENT_TYPE, Path(folder), files=("file",), limit=10**9))


def base64(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_bytes(body)
        read_base64_body(Path(folder) / "body", Path(folder) / "out", block_bytes=64)


def examined(signature: str, body: str) -> None:
    headers = {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": signature}
    documented = {"x-webhook-timestamp": "0", "x-webhook-signature": DIGEST}
    examine(parse_headers(headers | documented), body, [KEY], now=0)


def verified(body: bytes) -> None:
    verify({"x-webhook-timestamp": "0", "x-webhook-signature": DIGEST}, body, [KEY], now=0)


def lyrics(text: str) -> None:
    UploadFields(lyrics=text)
    parse(text, 100.0)


TEXTS: dict[str, Callable[[int], str]] = {
    "spaces": lambda size: " " * size,
    "a and spaces": lambda size: "a:" + " " * size + "x",
    "quotes and spaces": lambda size: "a:" + "' " * (size // 2),
    "backslashes": lambda size: "a: b" + "\\ " * (size // 2),
    "lines": lambda size: "a: b\n" * (size // 5),
    "empty lines": lambda size: "\n" * size,
    "brackets": lambda size: "[" * size,
    "tags": lambda size: "[a:" * (size // 3),
    "times": lambda size: "[0:1]" * (size // 5) + "x",
    "times and brackets": lambda size: "[0:1]" * (size // 10) + "[" * (size // 2),
    "times and words": lambda size: "[0:1]" * size + "<0:1>a" * size,  # so large that the bound of repeats is met
    "lines of one time": lambda size: "[0:1]a\n" * (size // 7),
    "lines out of order": lambda size: "".join(f"[{9 - n % 9}:1]a\n" for n in range(size // 7)),
    "background voices": lambda size: "[bg:]\n" * (size // 6) + "[bg:a]\n" * (size // 7),
    "cues": lambda size: "00:01.000 --> 00:02.000\n<v a>b <00:01.500>c\n\n" * (size // 40),
    "rows of a cue": lambda size: "00:01.000 --> 00:02.000\n" + "a\n" * (size // 2),
    "text after a cue": lambda size: "00:01.000 --> 00:02.000\na\n" + "\nb\n" * (size // 3),
    "dialogue": lambda size: "Dialogue: 0,0:00:01.00,0:00:02.00,,a,0,0,0,,{\\k1}b{\\k1}c\n" * (size // 40),
    "syllables": lambda size: "Dialogue: 0,0:00:01.00,0:00:02.00,,a,0,0,0,," + "{\\k1}b" * (size // 6),
    "paragraphs": lambda size: (
        "<tt><body>" + '<p begin="1s">a <span begin="1s">b</span></p>' * (size // 40) + "</body></tt>"
    ),
    "spans": lambda size: '<tt><body><p begin="1s">' + '<span begin="1s">b</span> ' * (size // 20) + "</p></body></tt>",
    "tails": lambda size: '<tt><body><p begin="1s">a' + "<br/>b" * (size // 6) + "</p></body></tt>",
    "divisions": lambda size: "<tt><body>" + "<div><p>a</p>" * 40 + "</div>" * 40 + "</body></tt>",
    "words": lambda size: "word " * (size // 5),
    "a long word": lambda size: "w" * size,
    "digits": lambda size: "9" * size,
    "commas": lambda size: "," * size,
    "dots": lambda size: "http://" + "a." * (size // 2),
    "percents": lambda size: "http://a/" + "%" * size,
    "open braces": lambda size: '{"taskId":' * (size // 10),
    "task ids": lambda size: '{"taskId":"a",' * (size // 14),
    "quotes": lambda size: '"' * size,
}
READERS: dict[str, Callable[[str], object]] = {
    "headers for the examination": parse_headers,
    "signatures for the examination": lambda text: examined(f"v1,{DIGEST} " * (len(text) // 48), text),
    "body for the examination": lambda text: examined(f"v1,{DIGEST}", text),
    "lyrics": lyrics,
    "callback": lambda text: payload.read(text.encode()),
    "documented signature": lambda text: verified(text.encode()),
    "form": lambda text: form(PART % b"lyrics" + text.encode(), piece=64),
    "form in single bytes": lambda text: form(PART % b"file" + text.encode(), piece=1),
    "headers of a form": lambda text: form(b"--limit\r\n" + text.encode(), piece=1),
    "Base64": lambda text: base64(b'{"base64Data":"' + text.encode() + b'"}'),
    "fields beside Base64": lambda text: base64(text.encode()),
    "link": lambda text: links.read(b"s" * 32, text, 0),
    "session": lambda text: sessions.read(b"s" * 32, text, 0),
    "URL": lambda text: parse_url(text, field="url"),
    "moment": lambda text: parse_moment(text, NOW, field="since"),
    "date": parse_http_date,
    "file name": lambda text: disposition("inline", text),
    "unknown fields": lambda text: CreateJob.model_validate({"model": "a", "input": {}, **dict.fromkeys(text.split())}),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_parser_runs_lines_in_proportion_to_its_input(reader: str) -> None:
    read = READERS[reader]
    grown = {}
    for name, text in TEXTS.items():
        short, long = (lines_run(partial(read, text(size))) for size in (SIZE, 2 * SIZE))
        if long > MAX_GROWTH * short + MAX_CONSTANT:
            grown[name] = (short, long)
    assert grown == {}


def test_a_parser_that_does_not_is_found_out() -> None:
    def slow(text: str) -> None:
        while text:
            for _ in text:
                pass
            text = text[1:]

    assert lines_run(partial(slow, "x" * 200)) > 3.5 * lines_run(partial(slow, "x" * 100))
