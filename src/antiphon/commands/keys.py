"""``antiphon keys``: API keys and webhook keys."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from antiphon.commands.connect import data_option, with_services

if TYPE_CHECKING:
    from antiphon.services import Services


@click.group()
def keys() -> None:
    """API keys and webhook keys."""


@keys.group()
def webhook() -> None:
    """The key that signs callbacks."""


@keys.command()
@click.argument("name", help="what the key is for")
@click.option("--admin", is_flag=True, help="it may also make and revoke keys, and see the system, in the console")
@data_option
def create(name: str, admin: bool, data: Path | None) -> None:
    """Make an API key. It is shown this once."""

    async def do(services: "Services") -> str:
        from antiphon import keys

        async with services.database.begin() as connection:
            key, _ = await keys.create_api_key(connection, name, admin=admin)
        return key

    click.echo(with_services(do, data))


@keys.command("list")
@data_option
def list_keys(data: Path | None) -> None:
    """List the API keys; the keys themselves are not kept."""

    async def do(services: "Services") -> list[str]:
        from antiphon import keys

        async with services.database.begin() as connection:
            found = await keys.list_api_keys(connection)
        return [
            f"{key.id:>4}  {key.created_at:%Y-%m-%d}  {'revoked' if key.revoked_at else 'valid  '}"
            f"  {'admin' if key.admin else '     '}  {key.name}"
            for key in found
        ]

    click.echo("\n".join(with_services(do, data)))


@keys.command()
@click.argument("number", type=int, help="as 'antiphon keys list' shows it")
@data_option
def revoke(number: int, data: Path | None) -> None:
    """Revoke an API key at once. Its tasks go on."""

    async def do(services: "Services") -> None:
        from antiphon import keys

        async with services.database.begin() as connection:
            await keys.revoke_api_key(connection, number)

    with_services(do, data)
    click.echo(f"key {number} is revoked")


@webhook.command()
@data_option
def rotate(data: Path | None) -> None:
    """Make a new webhook key, shown this once. For 24 h callbacks are signed with the old one, too."""

    async def do(services: "Services") -> str:
        from antiphon import keys

        async with services.database.begin() as connection:
            return await keys.rotate_webhook_key(connection, services.secret)

    click.echo(with_services(do, data))
    click.echo("callbacks are signed with the old key, too, for 24 h: give receivers the new one by then", err=True)
