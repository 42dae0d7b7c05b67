"""The API server, as a table of contents."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from fastapi import FastAPI

from antiphon import __version__
from antiphon.api import (
    apikeys,
    archive,
    callback_stream,
    callback_test,
    callbacks,
    console,
    details,
    errors,
    files,
    health,
    metrics,
    midis,
    openapi,
    separations,
    signin,
    sound,
    system,
    task_stream,
    tasks,
    uploads,
    videos,
    webhookkeys,
)
from antiphon.api.hardening import Hardening
from antiphon.api.limits import BodyLimit
from antiphon.api.sign_in_throttle import FailedSignIns
from antiphon.playback.players import Players
from antiphon.services import Services

CONSOLE = Path(__file__).parents[1] / "console"


def create_app(services: Services) -> FastAPI:
    """The ASGI application over open services, which the caller closes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.draining.set()
        await app.state.players.close()

    app = FastAPI(
        title="Antiphon",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        generate_unique_id_function=openapi.operation_id,
    )
    openapi.install(app)
    app.state.services = services
    app.state.draining = errors.Draining()
    app.state.trials = asyncio.Semaphore(callback_test.AT_ONCE)
    app.state.streams = Counter()
    app.state.outlines = WeakValueDictionary()
    app.state.players = Players(str(services.settings.storage_location), most=os.cpu_count() or 1)
    app.state.failed_sign_ins = FailedSignIns()
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Hardening)
    work = (uploads, separations, midis, videos)
    results = (tasks, task_stream, details, sound, archive, callbacks, callback_test, callback_stream)
    for resource in (*work, *results, apikeys, webhookkeys, system):
        app.include_router(resource.router, prefix="/api/v1")
    app.include_router(files.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(signin.router)
    app.include_router(console.routes(CONSOLE))
    return app
