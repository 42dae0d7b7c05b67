"""The command line, as a table of contents. Each command imports what it needs when it runs, so that the light
installation (contract, client, receiver) has the commands that it can serve."""

import sys
from typing import Annotated

import typer

from antiphon import __version__
from antiphon.commands import callbacks, demo, doctor, engines, keys, listen, maintenance, models, receive, serve
from antiphon.errors import AntiphonError

app = typer.Typer(
    name="antiphon",
    help="A song in; stems, MIDI and a music video out, each announced by a signed callback.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(serve.serve)
app.command()(demo.demo)
app.command()(engines.stems)
app.command()(engines.midi)
app.command()(engines.video)
app.command()(receive.receive)
app.command()(listen.listen)
app.add_typer(callbacks.app, name="callbacks")
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.command()(doctor.doctor)
app.command()(maintenance.maintenance)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _tell_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def root(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version.")
    ] = False,
) -> None:
    """A song in; stems, MIDI and a music video out, each announced by a signed callback."""


def main() -> None:
    """Run a command; an expected error is one line, not a traceback."""
    try:
        app()
    except AntiphonError as error:
        typer.secho(f"error: {error.message}", fg="red", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("antiphon"):
            raise
        typer.secho(f"error: this command needs {error.name}: pip install 'antiphon[server]'", fg="red", err=True)
        sys.exit(1)
