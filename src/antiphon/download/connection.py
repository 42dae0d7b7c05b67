"""One GET over a connection of its own: the address judged before it is dialled, nothing waited for without end.

Not ``httpx``: its parser runs in Python and takes twice the processor time, 1.3 s for a gigabyte instead of 0.6 s,
and here the guard, the stop and each time limit act within every single wait.
"""

import http.client
import io
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult

from antiphon.download.addresses import not_public
from antiphon.download.errors import DownloadRefused, DownloadStopped, TransferBroken

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SLICE = 0.25  # seconds after which a wait looks whether it should go on
BUFFER = 1 << 18  # bytes that are read at a time
SLOWEST = 1024  # bytes a second, over the whole of a stall time, below which a transfer counts as stalled

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host's name; raises ``OSError`` when there is none."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(record[4][0]) for record in found))


@dataclass(frozen=True)
class Limits:
    """Seconds: ``connect`` for the name, each address and the TLS greeting, one by one; ``head`` until the answer's
    headers have come; ``stall`` for which next to nothing may come."""

    connect: float = 10.0
    head: float = 30.0
    stall: float = 30.0


class Watch:
    """Looks at each waiting whether to wait on. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], stop: threading.Event | None) -> None:
        self._clock = clock
        self._stop = stop
        self._what = ""
        self._since = self._until = 0.0
        self._stall: float | None = None
        self._came = 0

    def wait_for(self, what: str, seconds: float) -> None:
        """From now on ``what`` must be there within so many seconds."""
        self._what, self._stall = what, None
        self._until = self._clock() + seconds

    def keep_moving(self, what: str, stall: float) -> None:
        """From now on ``SLOWEST`` bytes a second must come, over each ``stall`` seconds."""
        self._what, self._stall = what, stall
        self._until, self._came = self._clock() + stall, 0

    def came(self, size: int) -> None:
        self._came += size
        self.look()

    def look(self) -> None:
        """Raises ``DownloadStopped``, or ``TransferBroken`` when the time is up."""
        if self._stop is not None and self._stop.is_set():
            raise DownloadStopped
        now = self._clock()
        if now < self._until:
            return
        if self._stall is None:
            raise TransferBroken(f"{self._what} did not come in time")
        if self._came < SLOWEST * self._stall:
            raise TransferBroken(f"{self._what} stalled: {self._came} bytes within {self._stall:g} s")
        self._until, self._came = now + self._stall, 0


class _Wire(io.RawIOBase):
    """A socket to read from, which waits in slices."""

    def __init__(self, sock: socket.socket, watch: Watch) -> None:
        self._sock = sock
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while True:
            self._watch.look()
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self._watch.came(count)
            return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``http.client`` asks a socket for. A small buffer: larger reads go round it."""
        return io.BufferedReader(self, 1 << 16)


@dataclass(frozen=True)
class Answer:
    """The head of an answer; header names are lower-case. ``private`` says what kind of address it came from, None
    for a public one. ``body`` gives blocks of bytes, and ends where the answer says so or the connection does."""

    status: int
    headers: Mapping[str, str]
    private: str | None
    chunked: bool
    _response: http.client.HTTPResponse

    def body(self, most: int | None) -> Iterator[bytes]:
        """At most ``most`` bytes of the body. Raises ``TransferBroken``."""
        left = most
        try:
            while left is None or left > 0:
                block = self._response.read1(BUFFER if left is None else min(BUFFER, left))
                if not block:
                    return
                yield block
                if left is not None:
                    left -= len(block)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TransferBroken(f"the transfer broke off ({_words(error)})") from error


@contextmanager
def get(
    url: SplitResult,
    headers: Mapping[str, str],
    *,
    private_allowed: bool,
    limits: Limits,
    watch: Watch,
    resolve: Resolve,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Answer]:
    """Send a GET and read the head of the answer. Redirects are answers like others.

    Raises ``DownloadRefused`` for an address that is not public, unless ``private_allowed``, and ``TransferBroken``
    for all that goes wrong on the way. ``tls`` None trusts what the system and ``certifi`` trust.
    """
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    addresses = _addresses(host, port, limits, watch, resolve)
    kinds = [(address, kind) for address in addresses if (kind := not_public(address))]
    if kinds and not private_allowed:
        raise DownloadRefused(
            f"{host} leads to {kinds[0][0]}, which is {kinds[0][1]}, and nothing shows that the sender may point "
            "there: allow the host, or have the callback signed by Standard Webhooks"
        )
    sock, address = _dial(host, port, addresses, limits, watch, tls=_encrypted(url, tls))
    try:
        yield _exchange(sock, url, headers, not_public(address), limits, watch)
    finally:
        sock.close()


def _exchange(
    sock: socket.socket, url: SplitResult, headers: Mapping[str, str], private: str | None, limits: Limits, watch: Watch
) -> Answer:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    watch.wait_for("an answer", limits.head)
    try:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        sock.settimeout(SLICE)
        response = http.client.HTTPResponse(cast(socket.socket, _Wire(sock, watch)), method="GET")
        response.begin()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransferBroken(f"{url.hostname} gave no answer that can be read ({_words(error)})") from error
    watch.keep_moving("the transfer", limits.stall)
    found = {name.lower(): value for name, value in reversed(response.getheaders())}
    return Answer(response.status, found, private, bool(response.chunked), response)


def _addresses(host: str, port: int, limits: Limits, watch: Watch, resolve: Resolve) -> list[str]:
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            found.put(error)

    # A thread, since a name server that hangs cannot be called off.
    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    watch.wait_for(f"the address of {host}", limits.connect)
    while True:
        try:
            answer = found.get(timeout=SLICE)
        except queue.Empty:
            watch.look()
            continue
        if isinstance(answer, Exception) or not answer:
            raise TransferBroken(f"the name {host} does not resolve ({_words(answer)})")
        return answer


def _dial(
    host: str, port: int, addresses: list[str], limits: Limits, watch: Watch, *, tls: ssl.SSLContext | None
) -> tuple[socket.socket, str]:
    failure: Exception = OSError("no address")
    for address in addresses:
        watch.wait_for(f"a connection to {host}", limits.connect * len(addresses) + 1)
        watch.look()
        try:
            sock = socket.create_connection((address, port), limits.connect)
        except OSError as error:
            failure = error
            continue
        try:
            # A cut connection must not pass for the end of a file, hence no "ragged" ends.
            wrapped = tls.wrap_socket(sock, server_hostname=host, suppress_ragged_eofs=False) if tls else sock
            return wrapped, address
        except (OSError, ValueError) as error:
            sock.close()
            failure = error
    raise TransferBroken(f"{host} cannot be reached ({_words(failure)})") from failure


def _encrypted(url: SplitResult, tls: ssl.SSLContext | None) -> ssl.SSLContext | None:
    return None if url.scheme == "http" else tls or _default_tls()


@cache
def _default_tls() -> ssl.SSLContext:
    import certifi  # the system has none on some; those that it has count too

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _words(error: object) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__
