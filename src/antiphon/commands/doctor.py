"""``antiphon doctor``: checks of the installation, each told in a sentence."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import data_option
from antiphon.errors import AntiphonError, SettingsError, StorageError

if TYPE_CHECKING:
    from antiphon.settings import Settings


@click.command()
@data_option
@click.option("--url", help="a callBackUrl: may the server connect to it?")
def doctor(data: Path | None, url: str | None) -> None:
    """Check database, storage, weights, clock, the address guard and the engines' cage."""
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
    from antiphon import checks
    from antiphon.commands.connect import show_first_keys
    from antiphon.services import open_services

    for name, check in checks.ALONE.items():
        yield name, *await checks.verdict(check(settings))
    yield "cage", *await checks.verdict(checks.check_cage())
    if url:
        yield "address", *await checks.verdict(checks.check_address(settings, url))
    try:
        async with open_services(settings) as services:
            show_first_keys(services)
            for name, of_services in checks.OF_SERVICES.items():
                yield name, *await checks.verdict(of_services(services))
    except AntiphonError as error:
        part = _PARTS.get(type(error), "database")
        if part != "storage":  # which has had its line
            yield part, error.message, False
        for left in checks.OF_SERVICES:
            if left != part:
                yield left, f"not checked: the {part} must be right first", False


_PARTS: dict[type[AntiphonError], str] = {StorageError: "storage", SettingsError: "secret"}
