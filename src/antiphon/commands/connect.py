"""Connection of a command to the server's database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from antiphon.services import Services

Result = TypeVar("Result")
PATH = click.Path(path_type=Path)
data_option = click.option("--data", type=PATH, help="the server's data folder (ANTIPHON_DATA)")


def show_first_keys(services: "Services") -> None:
    """Show the first keys, which the first connection makes: on standard error, apart from the command's results."""
    if services.first_keys:
        click.echo(str(services.first_keys), err=True)


def with_services(do: "Callable[[Services], Awaitable[Result]]", data: Path | None = None) -> Result:
    """Open the services of the settings, do one thing with them, close them."""
    from antiphon import logs
    from antiphon.services import open_services
    from antiphon.settings import load_settings

    settings = load_settings(data=data)
    logs.configure(settings.log_format)

    async def visit() -> Result:
        async with open_services(settings) as services:
            show_first_keys(services)
            return await do(services)

    return asyncio.run(visit())
