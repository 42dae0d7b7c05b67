"""Stand-alone server of a receiver, on uvicorn."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from antiphon.errors import SettingsError
from antiphon.receiver.receiver import Receiver

if TYPE_CHECKING:
    from antiphon.http_server.connections import Server

MAX_HEAD_S = 10.0  # seconds from a connection's or a request's first moment until its headers are complete
MAX_HEAD_BYTES = 65_536  # bytes that may come before the headers are complete
MAX_CONNECTIONS = 1000
KEEP_ALIVE_S = 30  # that an idle connection is kept
STOP_TIMEOUT_S = 5  # that requests get to end when the server stops
_BACKLOG_CONNECTIONS = 1024


def serve(
    receiver: Receiver,
    *,
    host: str = "127.0.0.1",
    port: int = 3000,
    ready: Callable[[str], None] | None = None,
    slowest_head: float = MAX_HEAD_S,
    most_connections: int = MAX_CONNECTIONS,
) -> None:
    """Serve ``receiver`` until SIGINT or SIGTERM; blocks. Bodies are bounded by the receiver's own limits.

    Args:
        port: With 0 the system chooses one.
        ready: Called with the URL once connections are accepted.
        slowest_head: Seconds after which a connection whose headers are not complete is answered 408 and closed.
        most_connections: Number beyond which the connection that has been waiting longest is closed.

    Raises:
        SettingsError: The address cannot be listened on.
        StorageError: The inbox cannot be opened.
    """
    import uvicorn

    from antiphon.http_server.connections import Bounds, Server, bounded

    with contextlib.closing(_listen(host, port)) as listening, receiver:
        config = uvicorn.Config(
            receiver,
            http=bounded(Bounds(slowest_head, MAX_HEAD_BYTES, most_connections)),
            ws="none",
            lifespan="on",
            log_config=None,  # its messages go where the others go
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )
        url = _url(listening)
        server = Server(config, lambda: ready(url) if ready else None)
        with _ended_by_signals(server):
            server.run(sockets=[listening])


@contextlib.contextmanager
def _ended_by_signals(server: "Server") -> Iterator[None]:
    """uvicorn stops in good order at a signal, and then passes it on, which would end the process before the caller
    has put its own things in order: here the signal has done its work by then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, OverflowError, UnicodeError) as error:
        raise SettingsError(f"host {host!r}, port {port} is no address to listen on: {error}") from error
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # not on Windows, where the other option would share a port in use
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG_CONNECTIONS)
    except (OSError, OverflowError) as error:
        listening.close()
        raise SettingsError(f"cannot listen on {host}, port {port}: {error}; choose another port or host") from error
    listening.setblocking(False)
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
