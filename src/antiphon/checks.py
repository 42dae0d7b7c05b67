"""Checks of the server's parts, each told in a sentence, for ``antiphon doctor`` and the console."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from antiphon.callbacks.backlog import backlog
from antiphon.database.connection import describe
from antiphon.errors import AntiphonError, SettingsError, StorageError, WeightsError
from antiphon.music import separators, weights
from antiphon.outbound.connection import Resolver
from antiphon.outbound.guard import Guard
from antiphon.outbound.own_addresses import OwnAddresses
from antiphon.services import Services
from antiphon.settings import Settings
from antiphon.storage import Storage
from antiphon.tasks.engine import run_engine

ENGINE_TIMEOUT_S = 60.0
MAX_SKEW_S = 5.0  # receivers refuse signatures that are 300 s off


async def verdict(check: Awaitable[str]) -> tuple[str, bool]:
    """The sentence of a check, and whether it passed."""
    try:
        return await check, True
    except AntiphonError as error:
        return error.message, False


async def check_weights(settings: Settings) -> str:
    found = await asyncio.to_thread(weights.status, settings.models_folder)
    missing = [item.name for item in found if not item.ready]
    if missing:
        raise WeightsError(f"missing: {', '.join(missing)}; run 'antiphon models fetch'")
    engine = settings.separation
    if engine == separators.BUILTIN:
        return f"ready in {settings.models_folder}"
    await asyncio.to_thread(separators.check, engine, settings.models_folder)
    return f"ready in {settings.models_folder}; songs are separated by {engine}"


async def check_storage(settings: Settings) -> str:
    storage = Storage.open(settings.storage_location)
    await storage.check()
    return f"writes and reads in {storage.name}"


async def check_links(settings: Settings) -> str:
    if settings.links_lead_nowhere:
        raise SettingsError(f"links begin with {settings.base_url}, which works nowhere else: set ANTIPHON_PUBLIC_URL")
    return f"links begin with {settings.base_url}"


async def check_guard(settings: Settings) -> str:
    allowed = ", ".join(str(network) for network in settings.callback_allow)
    return "public addresses only" + (f", and {allowed} (ANTIPHON_CALLBACK_ALLOW)" if allowed else "")


async def check_cage() -> str:
    layers = await run_engine("probe", {}, folder=None, timeout=ENGINE_TIMEOUT_S)
    holding, missing = ([name for name, holds in layers.items() if holds is wanted] for wanted in (True, False))
    return f"engines have {', '.join(holding)}" + (f"; not here: {', '.join(missing)}" if missing else "")


async def check_address(settings: Settings, url: str) -> str:
    await Guard(settings.callback_allow, OwnAddresses(settings.public_url)).check_name(
        url, field="url", resolver=Resolver()
    )
    return f"{url} may be connected to"


async def check_database(services: Services) -> str:
    async with services.database.begin() as connection:
        version = (await connection.execute(text("SHOW server_version"))).scalar_one()
    url = services.settings.database_url
    return f"PostgreSQL {version} " + (f"at {describe(url)}" if url else "embedded")


async def check_clock(services: Services) -> str:
    before = time.time()
    database = (await services.database.now()).timestamp()
    skew = database - (before + time.time()) / 2
    if abs(skew) > MAX_SKEW_S:
        raise AntiphonError(
            f"this machine's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the database's; "
            "receivers refuse signatures with a wrong time: synchronise both with NTP"
        )
    return f"within {abs(skew):.2f} s of the database's"


async def check_retention(services: Services) -> str:
    async with services.database.begin() as connection:
        overdue = (await backlog(connection)).overdue
    if overdue:
        raise StorageError(
            f"{overdue} tasks expired more than an hour ago, and their files are still there: does a worker run? "
            "its log says which files could not be deleted, and why"
        )
    return "what has expired is deleted"


ALONE: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "weights": check_weights,
    "storage": check_storage,
    "links": check_links,
    "guard": check_guard,
}
"""What can be checked without a database."""

OF_SERVICES: dict[str, Callable[[Services], Awaitable[str]]] = {
    "database": check_database,
    "clock": check_clock,
    "retention": check_retention,
}
