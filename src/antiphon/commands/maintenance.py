"""``antiphon maintenance``: refuse new tasks while running ones end."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import data_option, with_services

if TYPE_CHECKING:
    from antiphon.services import Services


@click.command()
@click.argument("switch", type=click.Choice(["on", "off"]), help="on: new tasks get code 455; polling goes on")
@data_option
def maintenance(switch: str, data: Path | None) -> None:
    """Turn maintenance on or off, on all machines at once."""

    async def do(services: "Services") -> None:
        from antiphon.tasks import store

        async with services.database.begin() as connection:
            await store.set_maintenance(connection, switch == "on")

    with_services(do, data)
    click.echo(f"maintenance is {switch}")
