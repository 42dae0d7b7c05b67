"""The ASGI application: all routers, and what they share."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from fastapi import FastAPI

from antiphon import __version__
from antiphon.api import (
    apikeys,
    archive,
    auth,
    callback_stream,
    callback_test,
    callbacks,
    console,
    cors,
    dependencies,
    details,
    errors,
    file_uploads,
    files,
    health,
    jobs,
    metrics,
    midis,
    openapi,
    separations,
    signin,
    songs,
    sound,
    system,
    task_stream,
    tasks,
    uploads,
    videos,
    wavs,
    webhookkeys,
)
from antiphon.api.dependencies import AppState
from antiphon.api.errors import Draining
from antiphon.api.hardening import Hardening
from antiphon.api.hosted import HostedStatus
from antiphon.api.limits import BodyLimit
from antiphon.api.lookups import Lookups
from antiphon.api.paths import TrailingSlash
from antiphon.api.slots import KeySlots
from antiphon.api.streams import Streams
from antiphon.api.turns import Turns
from antiphon.api.windows import SlidingWindows
from antiphon.playback.players import Players
from antiphon.services import Services

MAX_UPLOADS = 100  # that one key may be sending
MAX_WRONG_KEYS = 10  # that one address may try to sign in with in the period
MAX_SIGN_INS = 60  # with one key in the period
SIGN_IN_PERIOD_S = 60.0
CANCELS_PER_CALL = 10  # how many times as often as ANTIPHON_RATE_LIMIT a key may cancel
CONSOLE = Path(__file__).parents[1] / "console"


def create_app(services: Services, draining: Draining) -> FastAPI:
    """The ASGI application over open services, which the caller closes; it drains when the caller says so."""
    state = AppState(
        services=services,
        draining=draining,
        streams=Streams(services.database, services.notifications, draining),
        callback_tests=asyncio.Semaphore(callback_test.MAX_TESTS),
        outline_locks=WeakValueDictionary(),
        players=Players(str(services.settings.storage_location), most=os.cpu_count() or 1),
        lookups=Lookups(),
        uploads=KeySlots(MAX_UPLOADS, "uploads", retry_after=10),
        wrong_keys=SlidingWindows(MAX_WRONG_KEYS, SIGN_IN_PERIOD_S),
        sign_ins=SlidingWindows(MAX_SIGN_INS, SIGN_IN_PERIOD_S),
        cancels=SlidingWindows(CANCELS_PER_CALL * services.settings.rate_limit, services.settings.rate_period),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        draining.set()
        await state.players.close()

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
    dependencies.install(app, state)
    errors.install(app)
    app.add_middleware(BodyLimit, router=app.router, is_known=partial(auth.is_known, state))
    app.add_middleware(Hardening, settings=services.settings)
    app.add_middleware(TrailingSlash)
    if services.settings.profile == "hosted":
        app.add_middleware(HostedStatus)
    if services.settings.cors_origins:
        cors.install(app, services.settings.cors_origins)
    app.add_middleware(Turns)  # the outermost
    work = (uploads, songs, separations, midis, videos, wavs, jobs)
    results = (tasks, task_stream, details, sound, archive, callbacks, callback_test, callback_stream)
    for resource in (*work, *results, apikeys, webhookkeys, system):
        app.include_router(resource.router, prefix="/api/v1")
    app.include_router(file_uploads.router, prefix="/api")
    app.include_router(files.router)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(signin.router)
    app.include_router(console.routes(CONSOLE))
    return app
