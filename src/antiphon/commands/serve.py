"""``antiphon serve``: the server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from antiphon.roles import Role


def serve(
    role: Annotated[
        list[Role] | None,
        typer.Option(help="only this part; may be repeated. Default: all three in one process."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="the data folder (ANTIPHON_DATA)")] = None,
    host: Annotated[str | None, typer.Option(help="the address to listen on (ANTIPHON_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="the port to listen on (ANTIPHON_PORT)")] = None,
) -> None:
    """Serve the API, run the tasks and send the callbacks."""
    import uvloop

    from antiphon import logs, server
    from antiphon.settings import load_settings

    settings = load_settings(data=data, host=host, port=port)
    logs.configure(settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(settings, set(role or Role)))
