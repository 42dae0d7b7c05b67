"""The API server, as a table of contents."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from antiphon import __version__
from antiphon.api import (
    callbacks,
    errors,
    files,
    health,
    listening,
    metrics,
    midis,
    openapi,
    separations,
    tasks,
    trials,
    uploads,
    videos,
)
from antiphon.api.limits import BodyLimit
from antiphon.services import Services


def create_app(services: Services) -> FastAPI:
    """The ASGI application over open services, which the caller closes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.draining.set()

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
    app.state.trials = asyncio.Semaphore(trials.AT_ONCE)
    app.state.streams = Counter()
    errors.install(app)
    app.add_middleware(BodyLimit)
    for resource in (uploads, separations, midis, videos, tasks, callbacks, trials, listening):
        app.include_router(resource.router, prefix="/api/v1")
    app.include_router(files.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    return app
