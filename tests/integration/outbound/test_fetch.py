"""Fetching a file from a URL, from servers on loopback that behave in every way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from antiphon.errors import BadParameter, BlockedAddress, TooLarge
from antiphon.outbound.fetch import Fetched, fetch
from antiphon.outbound.guard import Guard

SONG = b"a song " * 10_000
LOOPBACK = Guard([ip_network("127.0.0.0/8")])
Serve = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await serve(head.decode().split()[1], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def answer(head: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {head}\r\n\r\n".encode() + body


async def song(path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(f"200 OK\r\nContent-Type: audio/mpeg; x=y\r\nContent-Length: {len(SONG)}", SONG))


async def get(url: str, path: Path, *, max_bytes: int = 1_000_000, timeout: float = 5.0) -> Fetched:
    return await fetch(url, path, guard=LOOPBACK, max_bytes=max_bytes, timeout=timeout)


async def test_a_file_comes_whole_with_its_type_and_name(tmp_path: Path) -> None:
    async with serving(song) as base:
        fetched = await get(f"{base}/music/My%20Song.mp3?token=x", tmp_path / "file")
    assert fetched == Fetched("audio/mpeg", "My Song.mp3", len(SONG))
    assert (tmp_path / "file").read_bytes() == SONG


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a.mp3"', "a.mp3"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\boot.ini"', "boot.ini"),
        ("attachment; filename*=UTF-8''%E6%AD%8C.flac", "歌.flac"),
        ('attachment; filename=""', "path"),
        ('attachment; filename=".."', "download"),
        (f'attachment; filename="{"x" * 300}.mp3"', "x" * 116 + ".mp3"),
    ],
)
async def test_a_file_name_is_made_safe(tmp_path: Path, disposition: str, name: str) -> None:
    async def named(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(f"200 OK\r\nContent-Disposition: {disposition}\r\nContent-Length: 1", b"x"))

    async with serving(named) as base:
        assert (await get(f"{base}/path", tmp_path / "file")).filename == name


async def test_redirects_are_followed_and_each_is_judged(tmp_path: Path) -> None:
    async def hops(path: str, writer: asyncio.StreamWriter) -> None:
        if path == "/song.mp3":
            await song(path, writer)
        else:
            to = {"/start": "/song.mp3", "/inside": "http://169.254.169.254/meta", "/round": "/round"}[path]
            to = "file:///etc/passwd" if path == "/file" else to
            writer.write(answer(f"302 Found\r\nLocation: {to}\r\nContent-Length: 0"))

    async with serving(hops) as base:
        assert (await get(f"{base}/start", tmp_path / "file")).filename == "song.mp3"
        with pytest.raises(BlockedAddress, match=r"url leads to 169\.254\.169\.254"):
            await get(f"{base}/inside", tmp_path / "none")
        with pytest.raises(BadParameter, match="more than 5 times"):
            await get(f"{base}/round", tmp_path / "none")
    assert not (tmp_path / "none").exists()


async def endless(path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("200 OK\r\nTransfer-Encoding: chunked"))
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def dripping(path: str, writer: asyncio.StreamWriter) -> None:
    writer.write(answer("200 OK\r\nContent-Length: 100000"))
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


def always(raw: bytes) -> Serve:
    async def serve(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return serve


@pytest.mark.parametrize(
    ("serve", "error", "words"),
    [
        (endless, TooLarge, "url: the file is larger than 1000000 bytes"),
        (always(answer("200 OK\r\nContent-Length: 1000001")), TooLarge, "ANTIPHON_MAX_UPLOAD"),
        (dripping, BadParameter, "url: 127.0.0.1:[0-9]+ did not deliver the file within 0.5 s"),
        (always(answer("404 Not Found\r\nContent-Length: 0")), BadParameter, "answered 404"),
        (always(answer("304 Not Modified")), BadParameter, "answered 304"),
        (always(answer("200 OK\r\nContent-Length: 50", b"half")), BadParameter, "broke off"),
        (
            always(answer("200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1", b"x")),
            BadParameter,
            "packed as 'gzip'",
        ),
        (always(answer("302 Found\r\nLocation: http://[\r\nContent-Length: 0")), BadParameter, "not a URL"),
        (always(answer("302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0")), BadParameter, "must start"),
        (always(b""), BadParameter, "without an answer"),
        (always(b"ICY what\r\n\r\n"), BadParameter, "not valid HTTP"),
    ],
)
async def test_what_is_no_file_is_refused_by_field_and_leaves_nothing(
    tmp_path: Path, serve: Serve, error: type[BadParameter], words: str
) -> None:
    async with serving(serve) as base:
        with pytest.raises(error, match=words) as refused:
            await get(f"{base}/path?token=hidden", tmp_path / "file", timeout=0.5 if serve is dripping else 5.0)
    assert refused.value.message.startswith("url")
    assert "hidden" not in refused.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:127.0.0.1]"])
async def test_nothing_is_fetched_from_inside(tmp_path: Path, host: str) -> None:
    async with serving(song) as base:
        url = base.replace("127.0.0.1", host)
        with pytest.raises(BlockedAddress, match=r"^url.*ANTIPHON_CALLBACK_ALLOW"):
            await fetch(url, tmp_path / "file", guard=Guard(), max_bytes=10, timeout=5)
    assert not (tmp_path / "file").exists()
