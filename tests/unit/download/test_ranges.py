"""What an answer to a request for a part means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.download.ranges import ByteSpan, WrongRange, span_of, validator_of

DATE = "Mon, 02 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "offset", "span"),
    [
        (200, {"content-length": "10"}, 0, ByteSpan(0, 10, 10)),
        (200, {"content-length": "10"}, 5, ByteSpan(0, 10, 10)),
        (200, {}, 0, ByteSpan(0, None, None)),
        (200, {"content-length": "ten"}, 0, ByteSpan(0, None, None)),
        (200, {"content-length": "9" * 30}, 0, ByteSpan(0, None, None)),
        (206, {"content-range": "bytes 5-9/10", "content-length": "5"}, 5, ByteSpan(5, 10, 10)),
        (206, {"content-range": "bytes 5-9/10"}, 5, ByteSpan(5, 10, 10)),
        (206, {"content-range": "bytes 5-6/10"}, 5, ByteSpan(5, 7, 10)),
        (206, {"content-range": "Bytes 5-9/*"}, 5, ByteSpan(5, 10, None)),
    ],
)
def test_an_answer_brings_a_part(status: int, headers: dict[str, str], offset: int, span: ByteSpan) -> None:
    assert span_of(status, headers, offset) == span


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ({"content-range": "bytes 0-9/10"}, 0),
        ({}, 5),
        ({"content-range": "bytes */10"}, 5),
        ({"content-range": "bytes 4-9/10"}, 5),
        ({"content-range": "bytes 6-9/10"}, 5),
        ({"content-range": "bytes 5-4/10"}, 5),
        ({"content-range": "bytes 5-10/10"}, 5),
        ({"content-range": "bytes 5-9/10", "content-length": "4"}, 5),
        ({"content-range": "items 5-9/10"}, 5),
        ({"content-range": "bytes 5-9"}, 5),
        ({"content-range": "bytes ٥-٩/١٠"}, 5),
    ],
)
def test_another_part_than_the_one_asked_for_is_wrong(headers: dict[str, str], offset: int) -> None:
    with pytest.raises(WrongRange):
        span_of(206, headers, offset)


@given(st.text(max_size=30), st.integers(0, 2**40), st.text(max_size=12))
def test_no_header_breaks_the_reading(content_range: str, offset: int, length: str) -> None:
    try:
        span = span_of(206, {"content-range": content_range, "content-length": length}, offset)
    except WrongRange:
        return
    assert span.start == offset


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"a"'}, '"a"'),
        ({"etag": ' "a" ', "last-modified": DATE}, '"a"'),
        ({"etag": 'W/"a"'}, None),
        ({"etag": "a"}, None),
        ({"etag": '"a" "b"'}, None),
        ({}, None),
        ({"last-modified": DATE}, None),
        ({"last-modified": DATE, "date": DATE}, None),
        ({"last-modified": DATE, "date": DATE.replace("00:00 GMT", "00:01 GMT")}, DATE),
        ({"etag": 'W/"a"', "last-modified": DATE, "date": DATE.replace("2026", "2027")}, DATE),
        ({"last-modified": "yesterday", "date": DATE}, None),
        ({"last-modified": DATE, "date": DATE.replace(" GMT", "")}, None),
    ],
)
def test_only_what_is_sure_to_change_with_the_file_is_a_validator(
    headers: dict[str, str], validator: str | None
) -> None:
    assert validator_of(headers) == validator


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_the_search_for_a_validator(etag: str, modified: str, date: str) -> None:
    validator_of({"etag": etag, "last-modified": modified, "date": date})
