"""One GET over a connection of its own: the address is checked before it is dialled, and every wait has a limit.

Not ``httpx``: its parser runs in Python and takes twice the processor time, 1.3 s for a gigabyte instead of 0.6 s,
and here the guard, the stop and each time limit act within every single wait.
"""

import http.client
import io
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import SplitResult

from antiphon.addresses import OF_A_NETWORK, not_public
from antiphon.download.dial import Resolve, addresses_of, default_tls, dial, explain
from antiphon.download.errors import DownloadRefused, TransferBroken
from antiphon.download.watch import WAIT_SLICE_S, StallWatch, TransferLimits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Reach = Literal["public", "network", "any"]
"""The addresses that a link may lead to: public ones, those of one's own network too, or whichever."""

BUFFER_BYTES = 1 << 22  # read at a time; each return to Python waits 5 ms for every other busy thread


class _Wire(io.RawIOBase):
    """A socket to read from, which waits in slices: what has come within one is given, or all that was asked for."""

    def __init__(self, sock: socket.socket, watch: StallWatch) -> None:
        self._sock = sock
        self._watch = watch
        self._receive: Callable[[memoryview], int] = sock.recv_into

    def fill(self) -> None:
        """From now on collect as much as is asked for, but no longer than a slice."""
        if isinstance(self._sock, ssl.SSLSocket) or os.name == "nt":
            self._receive = self._collect
            return
        self._sock.settimeout(None)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(WAIT_SLICE_S * 1e6)))
        self._receive = partial(self._sock.recv_into, flags=socket.MSG_WAITALL)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while True:
            self._watch.look()
            try:
                count = self._receive(memoryview(buffer))
            except (TimeoutError, BlockingIOError):
                continue
            self._watch.came(count)
            return count

    def _collect(self, view: memoryview) -> int:
        """What the kernel does by itself, for a socket that gives no more than a record of 16 KiB."""
        end, count = time.monotonic() + WAIT_SLICE_S, self._sock.recv_into(view)
        with suppress(OSError):  # what has come counts; a broken connection is still so the next time
            while count and time.monotonic() < end and (more := self._sock.recv_into(view[count:])):
                count += more
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``http.client`` asks a socket for. A small buffer: larger reads go round it."""
        return io.BufferedReader(self, 1 << 16)


@dataclass(frozen=True)
class FileAnswer:
    """The head of an answer; header names are lower-case.

    ``private`` says what kind of address it came from, None for a public one; ``delimited`` whether the end of the
    body can be told from a broken connection. ``body`` gives blocks, and ends where the answer says so, else where
    the connection does.
    """

    host: str
    status: int
    headers: Mapping[str, str]
    private: str | None
    delimited: bool
    _response: http.client.HTTPResponse

    def body(self, most: int | None) -> Iterator[bytes]:
        """At most ``most`` bytes of the body. Raises ``TransferBroken``."""
        left = most
        try:
            while left is None or left > 0:
                block = self._response.read1(BUFFER_BYTES if left is None else min(BUFFER_BYTES, left))
                if not block:
                    return
                yield block
                if left is not None:
                    left -= len(block)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransferBroken(f"{self.host} broke off ({explain(error)})") from error


@contextmanager
def get(
    url: SplitResult,
    headers: Mapping[str, str],
    *,
    reach: Reach,
    limits: TransferLimits,
    watch: StallWatch,
    resolve: Resolve,
    tls: ssl.SSLContext | None = None,
) -> Iterator[FileAnswer]:
    """Send a GET and read the head of the answer. Redirects are answers like others.

    Args:
        tls: None trusts the authorities of the system and of ``certifi``.

    Raises:
        DownloadRefused: The address is beyond ``reach``.
        TransferBroken: The connection failed, or the answer cannot be read.
    """
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    addresses = addresses_of(host, port, limits, watch, resolve)
    _judge(host, addresses, reach)
    tls = None if url.scheme == "http" else tls or default_tls()
    sock, address = dial(host, port, addresses, limits, watch, tls=tls)
    try:
        yield _exchange(sock, url, headers, not_public(address), limits, watch)
    finally:
        sock.close()


def _judge(host: str, addresses: list[str], reach: Reach) -> None:
    for address in addresses:
        kind = not_public(address)
        if kind is None or reach == "any":
            continue
        there = f"{host} leads to {address}, which is {kind}"
        if kind not in OF_A_NETWORK:
            raise DownloadRefused(f"{there}: no signature opens that; allow the host by its name if a file is there")
        if reach == "public":
            raise DownloadRefused(
                f"{there}. If the file is there: allow the host (--allow-host {host}), or, for callbacks whose whole "
                "body is signed, your own networks (--allow-private)"
            )


def _exchange(
    sock: socket.socket,
    url: SplitResult,
    headers: Mapping[str, str],
    private: str | None,
    limits: TransferLimits,
    watch: StallWatch,
) -> FileAnswer:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    watch.wait_for(f"the answer of {url.hostname}", limits.head)
    try:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        wire = _Wire(sock, watch)
        response = http.client.HTTPResponse(cast(socket.socket, wire), method="GET")
        response.begin()
        wire.fill()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransferBroken(f"{url.hostname} gave no answer that can be read ({explain(error)})") from error
    watch.keep_moving(f"the transfer from {url.hostname}", limits.stall)
    found = {name.lower(): value for name, value in reversed(response.getheaders())}
    if response.chunked:
        found.pop("content-length", None)  # RFC 9112, 6.3: it does not count beside chunks
        found.pop("transfer-encoding")
    delimited = bool(response.chunked) or response.length is not None or isinstance(sock, ssl.SSLSocket)
    return FileAnswer(url.hostname or "", response.status, found, private, delimited, response)
