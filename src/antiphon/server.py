"""The processes of the server: API, worker and sender, together or each alone."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Iterator

import structlog

from antiphon.callbacks.metrics import serve_metrics
from antiphon.errors import SettingsError
from antiphon.roles import Role
from antiphon.services import open_services
from antiphon.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, roles: set[Role]) -> None:
    """Serve until SIGTERM or SIGINT, then give back what is unfinished."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(settings)) if Role.API in roles else None
        if listener:
            settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        async with open_services(settings) as services:
            if services.first_keys:
                print(services.first_keys, flush=True)
            await asyncio.to_thread(services.scratch.sweep)
            async with asyncio.TaskGroup() as group:
                # Imported by role: what a sender does not need would be half of its memory.
                if listener:
                    from antiphon.api.serving import serve_api

                    group.create_task(serve_api(services, listener, stop))
                if Role.WORKER in roles:
                    from antiphon.tasks.worker import run_worker

                    group.create_task(run_worker(services, stop))
                if Role.SENDER in roles:
                    from antiphon.callbacks.sender import Sender

                    sender = Sender(
                        services.database,
                        services.notifications,
                        settings,
                        services.webhook_keys,
                        resolver=services.resolver,
                        metrics=services.metrics,
                    )
                    group.create_task(sender.run(stop))
                if settings.metrics_port:
                    serving = serve_metrics(
                        services.metrics, services.database, settings.host, settings.metrics_port, stop
                    )
                    group.create_task(serving)
                gc.collect()
                gc.freeze()  # what is loaded stays: looking through it again stalls the process for 60 ms each time
                log.info("serving", roles=", ".join(sorted(roles)), url=settings.base_url if listener else None)


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
