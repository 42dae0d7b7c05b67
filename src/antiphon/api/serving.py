"""HTTP server of the API."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from antiphon.api.app import create_app
from antiphon.api.errors import Draining
from antiphon.services import Services

DRAIN_TIMEOUT_S = 10  # for open requests at a stop


class _ApiServer(uvicorn.Server):
    """Leaves the signals to us: the worker and the sender must hear them, too."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_api(services: Services, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer on ``listener`` until ``stop`` is set; then refuse what is new and let what is open end."""
    draining = Draining()
    app = create_app(services, draining)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_TIMEOUT_S,
        timeout_keep_alive=30,
        server_header=False,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _ApiServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    draining.set()
    server.should_exit = True
    stopped.cancel()
    await serving
