"""Command line: all commands. Each command imports what it needs when it runs, so that the light
installation (contract, client, receiver) has the commands that it can serve."""

import sys

import click

from antiphon import __version__
from antiphon.commands import (
    callbacks,
    demo,
    doctor,
    engines,
    inbox,
    keys,
    listen,
    maintenance,
    models,
    receive,
    serve,
    video,
    wait,
)
from antiphon.errors import AntiphonError


class _InOrder(click.Group):
    """Lists its commands as they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group("antiphon", cls=_InOrder, context_settings={"show_default": True})
@click.version_option(__version__, message="%(version)s")
def app() -> None:
    """A song in; stems, MIDI and a music video out, each announced by a signed callback."""


for command in (
    serve.serve,
    demo.demo,
    engines.stems,
    engines.midi,
    video.video,
    receive.receive,
    inbox.inbox,
    wait.wait,
    listen.listen,
    callbacks.callbacks,
    keys.keys,
    models.models,
    doctor.doctor,
    maintenance.maintenance,
):
    app.add_command(command)


@app.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)


def main() -> None:
    """Run a command; an expected error is one line, not a traceback."""
    try:
        app()
    except AntiphonError as error:
        click.secho(f"error: {error.message}", fg="red", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("antiphon"):
            raise
        click.secho(f"error: this command needs {error.name}: pip install 'antiphon[server]'", fg="red", err=True)
        sys.exit(1)
