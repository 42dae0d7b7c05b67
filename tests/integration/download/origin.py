"""A server of one file that breaks in whichever way it is told to."""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate

MODIFIED = "Mon, 02 Nov 2026 10:00:00 GMT"


@dataclass(frozen=True)
class Asked:
    """A request as it came: its path, its headers by lower-case name, and the first byte asked for."""

    path: str
    headers: dict[str, str]

    @property
    def offset(self) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(match[1]) if match else 0


Play = Callable[["Origin", socket.socket, Asked], None]


@dataclass
class Origin:
    """Serves ``data`` with Range and If-Range, after having done what ``plays`` say, one for each request."""

    data: bytes
    content_type: str = "video/mp4"
    etag: str | None = '"one"'
    modified: str | None = None
    plays: list[Play] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    base: str = ""

    def head(self, status: str, length: int | None, **more: str) -> bytes:
        headers = {"Content-Type": self.content_type, "Date": formatdate(usegmt=True)}
        if self.etag:
            headers["ETag"] = self.etag
        if self.modified:
            headers["Last-Modified"] = self.modified
        if length is not None:
            headers["Content-Length"] = str(length)
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def opening(self, asked: Asked) -> tuple[bytes, bytes]:
        """The head and the body of a right answer."""
        offset = asked.offset if asked.headers.get("if-range") in (None, self.etag, self.modified) else 0
        size = len(self.data)
        if not offset:
            return self.head("200 OK", size), self.data
        if offset >= size:
            return self.head("416 Range Not Satisfiable", 0, Content_Range=f"bytes */{size}"), b""
        span = f"bytes {offset}-{size - 1}/{size}"
        return self.head("206 Partial Content", size - offset, Content_Range=span), self.data[offset:]

    def offsets(self) -> list[int]:
        return [one.offset for one in self.asked]


def right(origin: Origin, connection: socket.socket, asked: Asked) -> None:
    head, body = origin.opening(asked)
    connection.sendall(head + body)


def truncated(after: int) -> Play:
    """Close in order, too early."""

    def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        head, body = origin.opening(asked)
        connection.sendall(head + body[:after])

    return play


def reset(after: int) -> Play:
    """Cut the connection; what was sent has come, for most of it."""

    def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        head, body = origin.opening(asked)
        connection.sendall(head + body[:after])
        time.sleep(0.05)  # a reset overtakes what is still under way
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return play


def answering(status: str, body: bytes = b"", **headers: str) -> Play:
    def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        connection.sendall(origin.head(status, len(body), **headers) + body)

    return play


def ranged(first: int, *, total: int | None = None) -> Play:
    """A 206 that starts at ``first``, whatever was asked for."""

    def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        size = total or len(origin.data)
        body = origin.data[first:]
        span = f"bytes {first}-{first + len(body) - 1}/{size}"
        connection.sendall(origin.head("206 Partial Content", len(body), Content_Range=span) + body)

    return play


def chunked(origin: Origin, connection: socket.socket, asked: Asked) -> None:
    """The whole without saying how much it is."""
    connection.sendall(origin.head("200 OK", None, Transfer_Encoding="chunked"))
    for start in range(0, len(origin.data), 100_000):
        part = origin.data[start : start + 100_000]
        connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def silent(after: int, until: threading.Event) -> Play:
    """Send so many bytes, then nothing more, and keep the connection open."""

    def play(origin: Origin, connection: socket.socket, asked: Asked) -> None:
        head, body = origin.opening(asked)
        connection.sendall(head + body[:after])
        until.wait(20)

    return play


def slow(origin: Origin, connection: socket.socket, asked: Asked) -> None:
    """The right answer, some ten million bytes a second."""
    head, body = origin.opening(asked)
    connection.sendall(head)
    for start in range(0, len(body), 200_000):
        connection.sendall(body[start : start + 200_000])
        time.sleep(0.02)


@contextmanager
def serving(origin: Origin, wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[str]:
    """Serve on loopback; gives the base of its links. ``wrap`` makes a connection one of TLS."""
    server = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if wrap else "http"
    origin.base = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            connection = wrap(connection) if wrap else connection
            asked = _read(connection)
            origin.asked.append(asked)
            play = origin.plays.pop(0) if origin.plays else right
            play(origin, connection, asked)
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield origin.base
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def _read(connection: socket.socket) -> Asked:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (block := connection.recv(4096)):
            raise ConnectionError
        head += block
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    return Asked(
        first.split()[1], {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    )
