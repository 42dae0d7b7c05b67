"""Name look-up, address check and connection to a host; a stop ends every wait."""

import errno
import os
import queue
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from functools import cache

from antiphon.download.errors import TransferBroken
from antiphon.download.watch import WAIT_SLICE_S, StallWatch, TransferLimits

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host's name; raises ``OSError`` when there is none."""


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(record[4][0]) for record in found))


def addresses_of(host: str, port: int, limits: TransferLimits, watch: StallWatch, resolve: Resolve) -> list[str]:
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
            answer = found.get(timeout=WAIT_SLICE_S)
        except queue.Empty:
            watch.look()
            continue
        if isinstance(answer, Exception) or not answer:
            raise TransferBroken(f"the name {host} does not resolve ({explain(answer)})")
        return answer


def dial(
    host: str, port: int, addresses: list[str], limits: TransferLimits, watch: StallWatch, *, tls: ssl.SSLContext | None
) -> tuple[socket.socket, str]:
    """A connection to the first address that takes one, and that address."""
    failure: Exception = OSError("no address")
    for address in addresses:
        watch.wait_for(f"a connection to {host}", limits.connect)
        try:
            return _open(address, port, host, tls, watch), address
        except (OSError, ValueError, TransferBroken) as error:
            failure = error
    raise TransferBroken(f"{host} cannot be reached ({explain(failure)})") from failure


def _open(address: str, port: int, host: str, tls: ssl.SSLContext | None, watch: StallWatch) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        _connect(sock, address, port, watch)
        sock.settimeout(WAIT_SLICE_S)
        return _greet(sock, host, tls, watch) if tls else sock
    except BaseException:
        sock.close()
        raise


def _connect(sock: socket.socket, address: str, port: int, watch: StallWatch) -> None:
    sock.setblocking(False)
    error = sock.connect_ex((address, port))
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        while error in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            watch.look()
            if selector.select(WAIT_SLICE_S):
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _greet(sock: socket.socket, host: str, tls: ssl.SSLContext, watch: StallWatch) -> ssl.SSLSocket:
    # A cut connection must not pass for the end of a file, hence no "ragged" ends.
    wrapped = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False)
    try:
        while True:
            try:
                wrapped.do_handshake()
                return wrapped
            except TimeoutError:
                watch.look()
    except BaseException:
        wrapped.close()
        raise


@cache
def default_tls() -> ssl.SSLContext:
    import certifi  # the system has none on some; those that it has count too

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def explain(error: object) -> str:
    """Cause of a failed look-up or connection, in words."""
    if error == []:
        return "it has no address"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__
