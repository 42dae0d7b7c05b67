"""``antiphon keys``: API keys and webhook keys."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.commands.connect import DataOption, with_services

if TYPE_CHECKING:
    from antiphon.services import Services

app = typer.Typer(help="API keys and webhook keys.", no_args_is_help=True)
webhook = typer.Typer(help="The key that signs callbacks.", no_args_is_help=True)
app.add_typer(webhook, name="webhook")


@app.command()
def create(name: Annotated[str, typer.Argument(help="what the key is for")], data: DataOption = None) -> None:
    """Make an API key. It is shown this once."""

    async def do(services: "Services") -> str:
        from antiphon import keys

        async with services.database.begin() as connection:
            return await keys.create_api_key(connection, name)

    typer.echo(with_services(do, data))


@app.command("list")
def list_keys(data: DataOption = None) -> None:
    """List the API keys; the keys themselves are not kept."""

    async def do(services: "Services") -> list[str]:
        from antiphon import keys

        async with services.database.begin() as connection:
            found = await keys.list_api_keys(connection)
        return [
            f"{key.id:>4}  {key.created_at:%Y-%m-%d}  {'revoked' if key.revoked_at else 'valid  '}  {key.name}"
            for key in found
        ]

    typer.echo("\n".join(with_services(do, data)))


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(help="as 'antiphon keys list' shows it")], data: DataOption = None
) -> None:
    """Revoke an API key at once. Its tasks go on."""

    async def do(services: "Services") -> None:
        from antiphon import keys

        async with services.database.begin() as connection:
            await keys.revoke_api_key(connection, number)

    with_services(do, data)
    typer.echo(f"key {number} is revoked")


@webhook.command()
def rotate(data: DataOption = None) -> None:
    """Make a new webhook key, shown this once. For 24 h callbacks are signed with the old one, too."""

    async def do(services: "Services") -> str:
        from antiphon import keys

        async with services.database.begin() as connection:
            return await keys.rotate_webhook_key(connection, services.secret)

    typer.echo(with_services(do, data))
    typer.echo("callbacks are signed with the old key, too, for 24 h: give receivers the new one by then", err=True)
