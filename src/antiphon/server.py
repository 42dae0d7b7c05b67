"""Server process: API, worker and sender, together or each alone."""

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
from collections.abc import Coroutine, Iterator
from typing import Any

import structlog

from antiphon.errors import SettingsError
from antiphon.http_server.descriptors import raise_descriptor_limit
from antiphon.http_server.tls import server_context
from antiphon.roles import Role
from antiphon.services import Services, open_services
from antiphon.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, roles: set[Role]) -> None:
    """Serve until SIGTERM or SIGINT, then give back what is unfinished."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    raise_descriptor_limit()
    with contextlib.ExitStack() as stack:
        tls = _tls(settings) if Role.API in roles else None
        listener = stack.enter_context(_listen(settings)) if Role.API in roles else None
        if listener:
            settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        async with open_services(settings, roles) as services:
            if services.first_keys:
                print(services.first_keys, flush=True)
            await asyncio.to_thread(services.scratch.sweep)
            if listener and settings.links_lead_nowhere:
                log.warning("links will not work elsewhere: set ANTIPHON_PUBLIC_URL", links=settings.base_url)
            async with asyncio.TaskGroup() as group:
                for part in _parts(services, listener, tls, roles, stop):
                    group.create_task(part)
                gc.collect()
                gc.freeze()  # what is loaded stays: looking through it again stalls the process for 60 ms each time
                log.info("serving", roles=", ".join(sorted(roles)), url=settings.base_url if listener else None)


def _parts(
    services: Services,
    listener: socket.socket | None,
    tls: ssl.SSLContext | None,
    roles: set[Role],
    stop: asyncio.Event,
) -> Iterator[Coroutine[Any, Any, None]]:
    """What to run. Imported by role: what a sender does not need would be half of its memory."""
    if listener:
        from antiphon.api.serving import serve_api

        yield serve_api(services, listener, stop, tls)
    if Role.WORKER in roles:
        from antiphon.tasks.worker import run_worker

        yield run_worker(services, stop)
    if Role.SENDER in roles:
        from antiphon.callbacks.sender import Sender

        yield Sender(
            services.database,
            services.notifications,
            services.settings,
            services.webhook_keys,
            resolver=services.resolver,
            metrics=services.metrics,
        ).run(stop)
    if port := services.settings.metrics_port:
        from antiphon.callbacks.metrics_server import serve_metrics

        yield serve_metrics(services.metrics, services.database, services.settings.host, port, stop)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert and settings.tls_key:
        return server_context(settings.tls_cert, settings.tls_key)
    if settings.tls_cert or settings.tls_key:
        missing = "ANTIPHON_TLS_KEY" if settings.tls_cert else "ANTIPHON_TLS_CERT"
        raise SettingsError(f"{missing}: missing; TLS needs the certificate and its key, so set both or none")
    return None


@contextlib.contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "stop what listens there, or set ANTIPHON_HOST and ANTIPHON_PORT"
        ) from None
    with listener:
        yield listener
