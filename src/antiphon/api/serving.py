"""HTTP server of the API."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn

from antiphon.api.app import create_app
from antiphon.api.errors import Draining
from antiphon.http_server.connections import Bounds, bounded
from antiphon.http_server.descriptors import connections_within, raise_descriptor_limit
from antiphon.services import Services

DRAIN_TIMEOUT_S = 10  # for open requests at a stop
MAX_HEAD_S = 10.0  # from a connection's or a request's first moment until its headers are complete
MAX_HEAD_BYTES = 32_768
MAX_CONNECTIONS = 2000
MAX_CONNECTIONS_PER_ADDRESS = 200  # a proxy of ANTIPHON_TRUSTED_PROXIES may have any number
MAX_DRAINED_BYTES = 64_000_000  # of a body that has been answered before it had come
KEEP_ALIVE_S = 30
TLS_HANDSHAKE_TIMEOUT_S = 10.0


class _ApiServer(uvicorn.Server):
    """Leaves the signals to us: the worker and the sender must hear them, too. Bounds the time of TLS handshakes, which
    come before there is a connection that could be counted."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        config = self.config
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()

        def connection() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        handshake = TLS_HANDSHAKE_TIMEOUT_S if config.ssl else None
        self.servers = [
            await loop.create_server(
                connection, sock=one, ssl=config.ssl, ssl_handshake_timeout=handshake, backlog=config.backlog
            )
            for one in sockets or ()
        ]
        self.started = True


async def serve_api(
    services: Services, listener: socket.socket, stop: asyncio.Event, tls: ssl.SSLContext | None = None
) -> None:
    """Answer on ``listener`` until ``stop`` is set; then refuse what is new and let what is open end."""
    draining = Draining()
    app = create_app(services, draining)
    bounds = Bounds(
        MAX_HEAD_S,
        MAX_HEAD_BYTES,
        connections_within(raise_descriptor_limit(), MAX_CONNECTIONS),
        per_address=MAX_CONNECTIONS_PER_ADDRESS,
        proxies=services.settings.trusted_proxies,
        drained=MAX_DRAINED_BYTES,
    )
    config = uvicorn.Config(
        app,
        http=bounded(bounds),
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_TIMEOUT_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=",".join(map(str, services.settings.trusted_proxies)),
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        ssl_context_factory=(lambda config, default: tls) if tls else None,
    )
    server = _ApiServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    draining.set()
    server.should_exit = True
    stopped.cancel()
    await serving
