"""``antiphon maintenance``: let what runs end and take nothing new."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from antiphon.commands.connect import DataOption, with_services

if TYPE_CHECKING:
    from antiphon.services import Services


def maintenance(
    switch: Annotated[Literal["on", "off"], typer.Argument(help="on: new tasks get code 455; polling goes on")],
    data: DataOption = None,
) -> None:
    """Turn maintenance on or off, on all machines at once."""

    async def do(services: "Services") -> None:
        from antiphon.tasks import store

        async with services.database.begin() as connection:
            await store.set_maintenance(connection, switch == "on")

    with_services(do, data)
    typer.echo(f"maintenance is {switch}")
