"""``antiphon serve``: the server."""

import asyncio
from pathlib import Path

import click

from antiphon.commands.connect import data_option
from antiphon.roles import Role


@click.command()
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    help="only this part; may be repeated. Default: all three in one process.",
)
@data_option
@click.option("--host", help="the address to listen on (ANTIPHON_HOST)")
@click.option("--port", type=int, help="the port to listen on (ANTIPHON_PORT)")
def serve(roles: tuple[str, ...], data: Path | None, host: str | None, port: int | None) -> None:
    """Serve the API, run the tasks and send the callbacks."""
    import uvloop

    from antiphon import logs, server
    from antiphon.settings import load_settings

    settings = load_settings(data=data, host=host, port=port)
    logs.configure(settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(settings, {Role(role) for role in roles} or set(Role)))
