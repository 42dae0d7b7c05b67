"""``antiphon doctor``: says in words what is wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import data_option
from antiphon.errors import AntiphonError, SettingsError, StorageError, WeightsError

if TYPE_CHECKING:
    from antiphon.services import Services
    from antiphon.settings import Settings

TOLERATED_SKEW = 5.0  # seconds; receivers refuse signatures that are 300 s off
Check = Callable[["Settings"], Awaitable[str]]


@click.command()
@data_option
@click.option("--url", help="a callBackUrl: may the server connect to it?")
def doctor(data: Path | None, url: str | None) -> None:
    """Check database, storage, weights, clock and the address guard."""
    from antiphon import logs
    from antiphon.settings import load_settings

    settings = load_settings(data=data)
    logs.configure(settings.log_format)
    if not asyncio.run(_examine(settings, url)):
        raise click.exceptions.Exit(1)


async def _examine(settings: "Settings", url: str | None) -> bool:
    healthy = True
    async for name, verdict, good in _findings(settings, url):
        click.secho(f"{'ok ' if good else 'BAD'}  {name:<10} {verdict}", fg=None if good else "red")
        healthy = healthy and good
    return healthy


async def _findings(settings: "Settings", url: str | None) -> AsyncIterator[tuple[str, str, bool]]:
    from antiphon.commands.connect import show_first_keys
    from antiphon.services import open_services

    for name, check in _ALONE.items():
        yield name, *await _verdict(check(settings))
    if url:
        yield "address", *await _verdict(_address(settings, url))
    try:
        async with open_services(settings) as services:
            show_first_keys(services)
            yield "database", await _database(services), True
            yield "clock", *await _verdict(_clock(services))
    except AntiphonError as error:
        part = _PARTS.get(type(error), "database")
        if part != "storage":  # which has had its line
            yield part, error.message, False
        for left in ("database", "clock"):
            if left != part:
                yield left, f"not checked: the {part} must be right first", False


async def _verdict(check: Awaitable[str]) -> tuple[str, bool]:
    try:
        return await check, True
    except AntiphonError as error:
        return error.message, False


async def _weights(settings: "Settings") -> str:
    from antiphon.music import weights

    missing = [item.name for item in weights.status(settings.models_folder) if not item.ready]
    if missing:
        raise WeightsError(f"missing: {', '.join(missing)}; run 'antiphon models fetch'")
    return f"ready in {settings.models_folder}"


async def _database(services: "Services") -> str:
    from sqlalchemy import text

    from antiphon.database.connection import describe

    async with services.database.begin() as connection:
        version = (await connection.execute(text("SHOW server_version"))).scalar_one()
    url = services.settings.database_url
    return f"PostgreSQL {version} " + (f"at {describe(url)}" if url else "embedded")


async def _storage(settings: "Settings") -> str:
    from antiphon.storage import Storage

    storage = Storage.open(settings.storage_location)
    await storage.check()
    return f"writes and reads in {storage.name}"


async def _links(settings: "Settings") -> str:
    if settings.links_lead_nowhere:
        raise SettingsError(f"links begin with {settings.base_url}, which works nowhere else: set ANTIPHON_PUBLIC_URL")
    return f"links begin with {settings.base_url}"


async def _clock(services: "Services") -> str:
    before = time.time()
    database = (await services.database.now()).timestamp()
    skew = database - (before + time.time()) / 2
    if abs(skew) > TOLERATED_SKEW:
        raise AntiphonError(
            f"this machine's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the database's; "
            "receivers refuse signatures with a wrong time: synchronise both with NTP"
        )
    return f"within {abs(skew):.2f} s of the database's"


async def _address(settings: "Settings", url: str) -> str:
    from antiphon.callbacks.connection import Resolver
    from antiphon.callbacks.guard import Guard

    await Guard(settings.callback_allow).check_name(url, field="url", resolver=Resolver())
    return f"{url} may be connected to"


async def _guard(settings: "Settings") -> str:
    allowed = ", ".join(str(network) for network in settings.callback_allow)
    return "public addresses only" + (f", and {allowed} (ANTIPHON_CALLBACK_ALLOW)" if allowed else "")


_PARTS: dict[type[AntiphonError], str] = {StorageError: "storage", SettingsError: "secret"}
_ALONE: dict[str, Check] = {"weights": _weights, "storage": _storage, "links": _links, "guard": _guard}
