"""Files in Base64: whatever the size and however JSON writes the letters, the bytes come out."""

import base64
import json
import random
from pathlib import Path

import pytest

from antiphon.api.base64_body import BLOCK_BYTES, read_base64_body
from antiphon.errors import BadParameter

BYTES = random.Random(1).randbytes(200_003)


def read(tmp_path: Path, body: bytes, block_bytes: int = BLOCK_BYTES) -> tuple[dict[str, object], str | None, bytes]:
    (tmp_path / "body").write_bytes(body)
    other, mime_type = read_base64_body(tmp_path / "body", tmp_path / "out", block_bytes=block_bytes)
    return other, mime_type, (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("block", [4, 7, 64, 1 << 20])
@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ("/", "\\/"), ("+", "\\u002B"), ("/", "\\u002f"), ("+", "-"), ("/", "_"), ("=", ""), ("=", "\\u003d")],
)
def test_letters_may_be_written_as_json_writers_do(tmp_path: Path, block: int, old: str, new: str) -> None:
    content = BYTES if block > 64 else BYTES[:1001]
    text = base64.b64encode(content).decode()
    text = text.replace(old, new) if old else text
    body = b'{"fileName": "a.mp3", "base64Data": "%b", "uploadPath": "x"}' % text.encode()
    assert read(tmp_path, body, block) == ({"fileName": "a.mp3", "base64Data": "", "uploadPath": "x"}, None, content)


def test_a_data_url_says_what_the_file_is_and_line_breaks_do_no_harm(tmp_path: Path) -> None:
    text = base64.encodebytes(BYTES).decode()
    body = json.dumps({"base64Data": f"data:audio/mpeg;codecs=mp3;base64,{text}"}).encode()
    assert read(tmp_path, body) == ({"base64Data": ""}, "audio/mpeg", BYTES)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected a JSON object"),
        (b"[]", "expected a JSON object"),
        (b'{"base64Data": "QUJD"', "not valid JSON"),
        (b'{"fileName": "a"}', "base64Data: required"),
        (b'{"base64Data": 5}', "base64Data: required"),
        (b'{"inner": {"base64Data": "QUJD"}}', "base64Data: required"),
        (b'{"fileName": "\\"base64Data\\": \\"QUJD\\""}', "base64Data: required"),
        (b'{"base64Data": "QUJ%"}', "not Base64"),
        (b'{"base64Data": "QUJDR"}', "cut off"),
        (b'{"fileName": "' + b"x" * 200_000 + b'"}', "base64Data: required"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, body: bytes, message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        read(tmp_path, body)
