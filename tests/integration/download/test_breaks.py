"""Whatever breaks on the way, the file is the sender's, byte by byte, or is not there."""

import json
import socket
from pathlib import Path

import pytest

from antiphon.download import Downloader, LinkExpired, TransferBroken
from tests.integration.download.fetching import LINK, fail, fetch, names
from tests.integration.download.origin import (
    MODIFIED,
    Asked,
    Origin,
    Play,
    answering,
    chunked,
    ranged,
    reset,
    right,
    truncated,
)


def test_a_file_comes_whole_and_leaves_nothing_beside_it(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    path = downloader.fetch(origin.base + LINK, tmp_path, "video", progress=lambda *step: seen.append(step))
    assert path == tmp_path / "video.mp4"
    assert path.read_bytes() == origin.data
    assert names(tmp_path) == ["video.mp4"]
    assert seen[-1] == (len(origin.data), len(origin.data))
    assert origin.asked[0].path == LINK
    assert origin.asked[0].headers["accept-encoding"] == "identity"


def test_five_breaks_in_a_row_end_in_the_same_bytes(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    origin.plays = [reset(500_000), truncated(700_000), ranged(1), answering("404 Not Found"), reset(900_000)]
    for _ in range(5):
        fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert names(tmp_path) == ["video.mp4"]
    assert origin.offsets() == sorted(origin.offsets()), "it went back"
    assert origin.offsets()[1] > 0
    assert origin.offsets()[2:5] == [origin.offsets()[1] + 700_000] * 3
    assert origin.asked[2].headers["if-range"] == '"one"'


def test_connections_that_bring_something_are_mended_in_one_call(origin: Origin, tmp_path: Path) -> None:
    origin.plays = [truncated(500_000), truncated(500_000), truncated(500_000)]
    path = fetch(Downloader(allow_private=True, resumes=3), origin, tmp_path)
    assert path.read_bytes() == origin.data
    assert origin.offsets() == [0, 500_000, 1_000_000, 1_500_000]


@pytest.mark.parametrize(
    ("play", "word"),
    [
        (answering("404 Not Found"), "answered 404"),
        (answering("503 Service Unavailable"), "answered 503"),
        (answering("403 Forbidden"), "answered 403"),
        (answering("304 Not Modified"), "answered 304"),
        (answering("302 Found"), "answered 302"),
        (ranged(0), "a part (206) though the whole was asked for"),
        (truncated(0), "sent nothing"),
        (answering("200 OK"), "sent nothing"),
        (answering("200 OK", b"<html>we are being mended", Content_Type="text/html"), "words in place"),
    ],
)
def test_an_answer_that_is_not_the_file_leaves_nothing(
    origin: Origin, downloader: Downloader, tmp_path: Path, play: Play, word: str
) -> None:
    origin.plays = [play]
    assert word in fail(downloader, origin, tmp_path).message
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "lines",
    [b"", b"HTTP/1.1\r\n\r\n", b"\x00\xff" * 50, b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"\r\n", b"a" * 100_000],
    ids=["nothing", "no status", "noise", "300 headers", "an endless line"],
)
def test_what_is_no_http_breaks_the_transfer(
    origin: Origin, downloader: Downloader, tmp_path: Path, lines: bytes
) -> None:
    origin.plays = [lambda origin, connection, asked: connection.sendall(lines)]
    assert "no answer that can be read" in fail(downloader, origin, tmp_path).message


@pytest.mark.parametrize(
    "span",
    [
        "bytes 5-9/3000000",
        "bytes 500000-2999999/9",
        "bytes 500000-499999/3000000",
        "500000-2999999/3000000",
        "",
        "x" * 99,
    ],
)
def test_a_wrong_range_is_not_taken_and_the_third_time_it_starts_over(
    origin: Origin, downloader: Downloader, tmp_path: Path, span: str
) -> None:
    def wrong(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("206 Partial Content", 2_500_000, Content_Range=span) + origin.data)

    origin.plays = [truncated(500_000), wrong, wrong]
    for _ in range(3):
        fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 500_000, 500_000, 0]


def test_a_part_that_ends_before_the_file_does_is_followed_by_the_next(origin: Origin, tmp_path: Path) -> None:
    def piece(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        end = asked.offset + 1_000_000
        span = f"bytes {asked.offset}-{end - 1}/{len(origin.data)}"
        head = origin.head("206 Partial Content", 1_000_000, Content_Range=span)
        connection.sendall(head + origin.data[asked.offset : end])

    origin.plays = [truncated(500_000), piece, piece]
    path = fetch(Downloader(allow_private=True), origin, tmp_path)
    assert path.read_bytes() == origin.data
    assert origin.offsets() == [0, 500_000, 1_500_000, 2_500_000]


def test_a_server_without_ranges_is_asked_for_the_whole_again(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    def whole(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head("200 OK", len(origin.data)) + origin.data)

    origin.plays = [truncated(2_000_000), whole]
    fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 2_000_000]


@pytest.mark.parametrize("honest", [True, False], ids=["If-Range is kept", "If-Range is ignored"])
def test_a_file_that_has_changed_starts_over(
    origin: Origin, downloader: Downloader, tmp_path: Path, honest: bool
) -> None:
    origin.plays = [truncated(1_000_000)]
    fail(downloader, origin, tmp_path)
    origin.data = origin.data[:12] + bytes(reversed(origin.data[12:]))
    origin.etag = '"two"'
    if not honest:
        origin.plays = [ranged(1_000_000)]
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data


def test_a_file_that_has_become_shorter_starts_over(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    origin.plays = [truncated(2_000_000)]
    fail(downloader, origin, tmp_path)
    origin.data = origin.data[:1_000_000]
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 2_000_000, 0]


def test_a_last_modified_that_is_old_enough_does_for_resuming(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    origin.etag, origin.modified = 'W/"weak"', MODIFIED
    origin.plays = [truncated(2_000_000)]
    fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.asked[1].headers["if-range"] == MODIFIED
    assert origin.offsets() == [0, 2_000_000]


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "bare"])
def test_without_a_sure_sign_that_the_file_is_the_same_it_starts_over(
    origin: Origin, downloader: Downloader, tmp_path: Path, etag: str | None
) -> None:
    origin.etag = etag
    origin.plays = [truncated(2_000_000)]
    fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 0]


def test_a_link_that_was_signed_anew_is_resumed_and_another_one_is_not(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [truncated(1_000_000), truncated(1_000_000)]
    fail(downloader, origin, tmp_path)
    with pytest.raises(TransferBroken):
        downloader.fetch(f"{origin.base}/files/song.mp4?signature=y", tmp_path, "video")
    assert downloader.fetch(f"{origin.base}/files/other.mp4", tmp_path, "video").read_bytes() == origin.data
    assert origin.offsets() == [0, 1_000_000, 0]


def test_a_file_without_a_length_comes_whole_and_a_cut_in_it_is_seen(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    def cut(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        head = origin.head("200 OK", None, Transfer_Encoding="chunked")
        connection.sendall(head + b"100000\r\n" + origin.data[:500_000])

    origin.plays = [cut, chunked]
    fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 500_000]


def test_a_cut_in_a_video_that_only_the_connection_ends_is_seen(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4, "big") + name + content

    def unmarked(size: int) -> Play:
        def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
            connection.sendall(origin.head("200 OK", None) + origin.data[:size])

        return play

    origin.data = box(b"ftyp", b"isom") + box(b"moov", b"index") + box(b"mdat", origin.data)
    origin.plays = [unmarked(1_000_000), unmarked(2_000_000), unmarked(len(origin.data))]
    assert "before the file was whole" in fail(downloader, origin, tmp_path).message
    assert "before the file was whole" in fail(downloader, origin, tmp_path).message
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data


def test_a_part_of_a_size_that_is_not_said_is_taken(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    def starred(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        body = origin.data[asked.offset :]
        span = f"bytes {asked.offset}-{len(origin.data) - 1}/*"
        connection.sendall(origin.head("206 Partial Content", len(body), Content_Range=span) + body)

    origin.plays = [truncated(1_000_000), starred]
    fail(downloader, origin, tmp_path)
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 1_000_000]


def test_a_length_beside_chunks_does_not_count(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    def both(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        part = origin.data[:1000]
        connection.sendall(origin.head("200 OK", 5, Transfer_Encoding="chunked") + b"3e8\r\n" + part + b"\r\n0\r\n\r\n")

    origin.plays = [both]
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data[:1000]


def test_an_expired_link_says_so_and_leaves_nothing(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    origin.plays = [truncated(1_000_000), answering("410 Gone")]
    fail(downloader, origin, tmp_path)
    with pytest.raises(LinkExpired, match="expired") as caught:
        fetch(downloader, origin, tmp_path)
    assert not caught.value.retryable
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [("120", 120, 120), ("Fri, 01 Jan 2100 00:00:00 GMT", 86400, 86400), ("soon", None, None), ("-5", None, None)],
)
def test_the_time_that_a_server_names_is_passed_on(
    origin: Origin, downloader: Downloader, tmp_path: Path, value: str, least: float | None, most: float | None
) -> None:
    origin.plays = [answering("429 Too Many Requests", Retry_After=value)]
    waiting = fail(downloader, origin, tmp_path).retry_after
    assert waiting == least == most


def test_a_spoilt_note_starts_over(origin: Origin, downloader: Downloader, tmp_path: Path) -> None:
    for spoilt in ("", "[]", '{"kept": "x"}', '{"kept": -1}', '{"kept": 99999999}', '{"kept": 5, "other": 1}', "\x00"):
        origin.plays = [truncated(1_000_000), right]
        fail(downloader, origin, tmp_path)
        (tmp_path / ".video.part.json").write_text(spoilt)
        fetch(downloader, origin, tmp_path)
        assert (tmp_path / "video.mp4").read_bytes() == origin.data
        (tmp_path / "video.mp4").unlink()
    assert set(origin.offsets()) == {0}


def test_after_a_power_cut_only_the_bytes_that_were_noted_count(
    origin: Origin, downloader: Downloader, tmp_path: Path
) -> None:
    origin.plays = [truncated(1_000_000)]
    fail(downloader, origin, tmp_path)
    note = json.loads((tmp_path / ".video.part.json").read_text())
    (tmp_path / ".video.part.json").write_text(json.dumps(note | {"boot": "another"}))
    with (tmp_path / ".video.part").open("ab") as file:
        file.write(b"what a power cut may leave")
    assert fetch(downloader, origin, tmp_path).read_bytes() == origin.data
    assert origin.offsets() == [0, 1_000_000]
